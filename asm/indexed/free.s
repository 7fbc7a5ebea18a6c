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
        je      list_block
        jmp     index_block
.Lfree_not_ours:
        cmp     dword ptr [rdi + BLOCK_STATUS], MAPPED
        je      unmap_block
.Lfree_done:
        ret
