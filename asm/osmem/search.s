# Verbs on the whole list.

# merge_free_runs()
#
#   clobbers  rax, rcx, rdx, rdi
#   keeps     every other register
#
# Afterwards no two neighbours are FREE.
merge_free_runs:
        mov     rdi, [rip + heap_head]
.Lmerge_from_here:
        test    rdi, rdi
        jz      .Lmerge_done
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        jne     .Lmerge_step
.Lmerge_more:
        mov     rdx, [rdi + BLOCK_NEXT]
        test    rdx, rdx
        jz      .Lmerge_done
        cmp     dword ptr [rdx + BLOCK_STATUS], FREE
        jne     .Lmerge_step
        call    absorb_next
        jmp     .Lmerge_more
.Lmerge_step:
        mov     rdi, [rdi + BLOCK_NEXT]
        jmp     .Lmerge_from_here
.Lmerge_done:
        ret

# find_best(need) -> block
#
#   in        rdi = need
#   out       rax = the smallest FREE block of at least `need` bytes, the lowest
#                   of equals; 0 where there is none
#   clobbers  rcx, rdx
#   keeps     every other register
find_best:
        xor     eax, eax                        # the best so far
        mov     rcx, -1                         # and its size
        mov     rdx, [rip + heap_head]
.Lbest_look:
        test    rdx, rdx
        jz      .Lbest_done
        cmp     dword ptr [rdx + BLOCK_STATUS], FREE
        jne     .Lbest_step
        cmp     [rdx + BLOCK_SIZE], rdi
        jb      .Lbest_step                     # does not fit
        cmp     [rdx + BLOCK_SIZE], rcx
        jae     .Lbest_step                     # no better
        mov     rax, rdx
        mov     rcx, [rdx + BLOCK_SIZE]
.Lbest_step:
        mov     rdx, [rdx + BLOCK_NEXT]
        jmp     .Lbest_look
.Lbest_done:
        ret
