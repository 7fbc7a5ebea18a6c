# Runs: FREE blocks side by side, as the next search will merge them.
#
# A run is in the index as one block of its whole length from the moment at which
# it comes to be; only its headers wait for the search, as osmem's do.

# run_behind(head) -> tail
#
#   in        rdi = the first block of a run
#             r8 = heap_head
#   out       rax = the last block of the run
#   clobbers  rcx
#   keeps     every other register
run_behind:
        mov     rax, rdi
        mov     rcx, [rdi + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lrun_behind_found
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lrun_behind_found              # a run of one
        mov     rax, rcx
        mov     rcx, [rcx + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lrun_behind_found
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lrun_behind_found              # a run of two
        mov     eax, [rcx + RUN_TAIL]           # the third knows
        lea     rax, [r8 + rax*8 + TO_HEADER]
.Lrun_behind_found:
        ret

# run_before(tail) -> head
#
#   in        rax = the last block of a run
#             r8 = heap_head
#   out       rdi = the first block of the run
#   clobbers  rcx
#   keeps     every other register
run_before:
        mov     rdi, rax
        mov     rcx, [rax + BLOCK_PREV]
        test    rcx, rcx
        jz      .Lrun_before_found
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lrun_before_found              # a run of one
        mov     rdi, rcx
        mov     rcx, [rcx + BLOCK_PREV]
        test    rcx, rcx
        jz      .Lrun_before_found
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lrun_before_found              # a run of two
        mov     edi, [rax + RUN_HEAD]
        lea     rdi, [r8 + rdi*8 + TO_HEADER]
.Lrun_before_found:
        ret

# enter_run(head, tail)
#
#   in        rdi = first block of a run that is not in the index
#             rax = its last block, which may be the same
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# A run at the end of the heap stays in no tree. One too long for a bin of its own,
# with no room for a key in its first block, waits for the search.
enter_run:
        cmp     rdi, rax
        je      insert_block
        # fall through

# enter_several(head, tail): the same of more than one block
enter_several:
        mov     rdx, [rdi + BLOCK_NEXT]         # the second: into the list
        lea     r11, [rdx + META]
        sub     r11, r8
        shr     r11, 3
        mov     ecx, [rip + unmerged]
        mov     [rdx + FOLLOWING], rcx          # and nothing is PREVIOUS
        mov     [rip + unmerged], r11d
        test    ecx, ecx
        jz      .Lenter_only
        mov     [r8 + rcx*8 + TO_PREVIOUS], r11d
.Lenter_only:
        cmp     rdx, rax
        je      .Lenter_length
        # fall through

# enter_longer(head, tail, second)
#
#   in        rdx = the second of three blocks or more, in the list already; the
#                   rest is as above
enter_longer:
        mov     rdx, [rdx + BLOCK_NEXT]         # the third: which one is last
        lea     r11, [rax + META]
        sub     r11, r8
        shr     r11, 3
        mov     [rdx + RUN_TAIL], r11d
        lea     r11, [rdi + META]               # the last: which one is first
        sub     r11, r8
        shr     r11, 3
        mov     [rax + RUN_HEAD], r11d
.Lenter_length:
        cmp     qword ptr [rax + BLOCK_NEXT], 0
        je      .Lenter_waits                   # it ends the heap
        mov     rcx, [rax + BLOCK_SIZE]
        add     rcx, rax
        sub     rcx, rdi                        # the run as one payload
        shr     rcx, 3
        cmp     rcx, LAST_BIN
        jb      insert_in_bin
        cmp     qword ptr [rdi + BLOCK_SIZE], NO_KEY
        je      .Lenter_waits
        shl     rcx, 3
        jmp     insert_in_last_bin
.Lenter_waits:
        ret

# withdraw_run(head, tail)
#
#   in        rdi = first block of a run that is in the index
#             rax = its last block, which may be the same
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
withdraw_run:
        cmp     rdi, rax
        je      remove_block
        mov     rdx, [rdi + BLOCK_NEXT]         # the second: out of the list
        mov     ecx, [rdx + FOLLOWING]
        mov     edx, [rdx + PREVIOUS]
        test    edx, edx
        jz      .Lwithdraw_first
        mov     [r8 + rdx*8 + TO_FOLLOWING], ecx
        jmp     .Lwithdraw_following
.Lwithdraw_first:
        mov     [rip + unmerged], ecx
.Lwithdraw_following:
        test    ecx, ecx
        jz      withdraw_length
        mov     [r8 + rcx*8 + TO_PREVIOUS], edx
        # fall through

# withdraw_length(head, tail)
#
# The same of a run of several blocks, whose second stays in the list.
withdraw_length:
        cmp     qword ptr [rax + BLOCK_NEXT], 0
        je      .Lwithdraw_waited
        mov     rcx, [rax + BLOCK_SIZE]
        add     rcx, rax
        sub     rcx, rdi
        shr     rcx, 3
        cmp     rcx, LAST_BIN
        jb      remove_from_bin
        cmp     qword ptr [rdi + BLOCK_SIZE], NO_KEY
        jne     remove_from_last_bin
.Lwithdraw_waited:
        ret

# index_block(block)
#
#   in        rdi = block, FREE, in no run yet, behind one that is not FREE
#             r8 = heap_head
#   clobbers  rax, rcx, rdx, rsi, r9, r10, r11
#   keeps     rbx, rbp, r12 to r15
#
# It comes before the run behind it, if there is one.
index_block:
        mov     rcx, [rdi + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lindex_nothing                 # it ends the heap
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     insert_block
        push    rdi
        mov     rdi, rcx
        mov     rax, rcx
        mov     rcx, [rcx + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lindex_before_one
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        je      .Lindex_before_several
.Lindex_before_one:
        call    remove_block
        pop     rdi
        jmp     enter_several
.Lindex_nothing:
        ret
.Lindex_before_several:
        call    run_behind
        call    withdraw_run
        pop     rdi
        jmp     enter_run

# merge_runs()
#
#   in        r8 = heap_head
#             unmerged is not 0
#   clobbers  rax, rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Afterwards no two neighbours are FREE: every run is one block.
merge_runs:
        mov     esi, [rip + unmerged]
        mov     dword ptr [rip + unmerged], 0
.Lmerge_run:
        lea     rax, [r8 + rsi*8 + TO_HEADER]   # a second
        mov     esi, [rax + FOLLOWING]
        mov     r9, [rax + BLOCK_PREV]          # the first
        mov     rcx, [rax + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lmerge_tail
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lmerge_headers
        mov     eax, [rcx + RUN_TAIL]           # the last
        lea     rax, [r8 + rax*8 + TO_HEADER]
        mov     rcx, [rax + BLOCK_NEXT]         # who follows it
        test    rcx, rcx
        jz      .Lmerge_tail
.Lmerge_headers:
        mov     [rcx + BLOCK_PREV], r9
.Lmerge_length:
        mov     [r9 + BLOCK_NEXT], rcx
        mov     rcx, [rax + BLOCK_SIZE]
        add     rcx, rax
        sub     rcx, r9                         # the run as one payload
        mov     rdx, [r9 + BLOCK_SIZE]
        mov     [r9 + BLOCK_SIZE], rcx
        cmp     rdx, NO_KEY
        je      .Lmerge_may_have_waited
.Lmerge_next:
        test    esi, esi
        jnz     .Lmerge_run
        ret
.Lmerge_tail:
        mov     [rip + heap_tail], r9
        jmp     .Lmerge_length
.Lmerge_may_have_waited:
        cmp     rcx, LAST_SIZES
        jb      .Lmerge_next
        cmp     r9, [rip + heap_tail]
        je      .Lmerge_next
        push    rdi
        push    rsi
        mov     rdi, r9
        call    insert_in_last_bin
        pop     rsi
        pop     rdi
        jmp     .Lmerge_next
