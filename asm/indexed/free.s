# void os_free(void *payload)
#
#   in        rdi = payload, or 0
#   clobbers  what the System V ABI lets it
#
# Headers are merged by the next search, not here. A block that is FREE already
# stays so.

        .globl  os_free
os_free:
        test    rdi, rdi
        jz      .Lfree_done
        add     rdi, TO_HEADER
        cmp     dword ptr [rdi + BLOCK_STATUS], ALLOC
        jne     .Lfree_not_ours
        mov     dword ptr [rdi + BLOCK_STATUS], FREE
        mov     r8, [rip + heap_head]
        mov     rax, [rdi + BLOCK_PREV]
        test    rax, rax
        jz      index_block
        cmp     dword ptr [rax + BLOCK_STATUS], FREE
        jne     index_block
        push    rbx
        mov     rbx, rdi                        # the last of the new run
        mov     rcx, [rdi + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lfree_before
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lfree_before
        push    rax
        mov     rdi, rcx
        call    run_behind
        mov     rbx, rax
        call    withdraw_run
        pop     rax
.Lfree_before:
        call    run_before
        cmp     rdi, rax
        je      .Lfree_behind_one
        call    withdraw_length                 # its second stays its second
        mov     rax, rbx
        pop     rbx
        mov     rdx, [rdi + BLOCK_NEXT]
        jmp     enter_longer
.Lfree_behind_one:
        call    remove_block
        mov     rax, rbx
        pop     rbx
        jmp     enter_several
.Lfree_not_ours:
        cmp     dword ptr [rdi + BLOCK_STATUS], MAPPED
        je      unmap_block
.Lfree_done:
        ret
