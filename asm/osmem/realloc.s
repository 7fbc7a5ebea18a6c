# void *os_realloc(void *payload, size_t size)
#
#   in        rdi = payload, or 0
#             rsi = bytes
#   out       rax = payload, the same or another, or 0
#   clobbers  what the System V ABI lets it
#
# The questions are asked in this order; the order is part of the contract.

        .globl  os_realloc
os_realloc:
        test    rdi, rdi
        jz      .Lrealloc_nothing_yet
        test    rsi, rsi
        jz      .Lrealloc_to_nothing
        add     rdi, TO_HEADER
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        je      .Lrealloc_of_freed
        mov     rax, MAX_REQUEST
        cmp     rsi, rax
        ja      out_of_memory
        push    rbx
        mov     rbx, rdi                        # block
        mov     rdx, [rbx + BLOCK_SIZE]         # its size before any absorbing
        cmp     dword ptr [rbx + BLOCK_STATUS], MAPPED
        je      move_block
        lea     rax, [rsi + META]
        cmp     rax, THRESHOLD
        jae     move_block
        lea     rdi, [rsi + ALIGN_UP]
        and     rdi, ALIGN_MASK                 # need
        cmp     rdi, rdx
        jbe     .Lrealloc_fits
        cmp     rbx, [rip + heap_tail]
        je      .Lrealloc_tail
        call    absorb_until
        cmp     [rbx + BLOCK_SIZE], rdi
        jb      move_block
.Lrealloc_fits:
        mov     rsi, rdi
        mov     rdi, rbx
        call    split_block
        lea     rax, [rbx + META]
        pop     rbx
        ret
.Lrealloc_tail:
        call    grow_tail
        test    rax, rax
        jz      .Lrealloc_refused
        add     rax, META
.Lrealloc_refused:
        pop     rbx
        ret
.Lrealloc_nothing_yet:
        mov     rdi, rsi
        jmp     os_malloc
.Lrealloc_to_nothing:
        call    os_free
.Lrealloc_of_freed:
        xor     eax, eax
        ret

# absorb_until(block, need)
#
#   in        rbx = block
#             rdi = need
#   clobbers  rax, rcx
#   keeps     every other register
#
# FREE blocks behind `block` are absorbed one at a time, no more than it takes.
absorb_until:
        push    rdx
        push    rdi
        mov     rdi, rbx
.Labsorb_more:
        mov     rax, [rsp]
        cmp     [rdi + BLOCK_SIZE], rax
        jae     .Labsorb_done                   # enough
        mov     rax, [rdi + BLOCK_NEXT]
        test    rax, rax
        jz      .Labsorb_done
        cmp     dword ptr [rax + BLOCK_STATUS], FREE
        jne     .Labsorb_done
        call    absorb_next
        jmp     .Labsorb_more
.Labsorb_done:
        pop     rdi
        pop     rdx
        ret

# move_block(block, size, filled) -> payload
#
#   in        rbx = block, not FREE; the caller's rbx is on the stack
#             rsi = bytes asked for
#             rdx = bytes of payload that hold the caller's contents
#   out       rax = payload of another block with those contents, or 0
#   clobbers  every register a caller saves
#
# The second half of os_realloc, entered by a jump. The old block stays in use
# until the new one is there, so that the search cannot choose it.
move_block:
        push    rdx
        push    rsi
        mov     rdi, rsi
        call    os_malloc
        pop     rdx                             # bytes asked for
        pop     rcx                             # bytes there are
        test    rax, rax
        jz      .Lmove_refused
        cmp     rcx, rdx
        cmova   rcx, rdx                        # copy the smaller
        mov     rdi, rax
        lea     rsi, [rbx + META]
        call    copy
        lea     rdi, [rbx + META]
        mov     rbx, rax                        # the result, kept
        call    os_free
        mov     rax, rbx
.Lmove_refused:
        pop     rbx
        ret
