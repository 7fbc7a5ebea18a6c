# void os_free(void *payload)
#
#   in        rdi = payload, or 0
#   clobbers  what the System V ABI lets it
#
# Neighbours are merged by the next search, not here. A block that is FREE
# already stays so.

        .globl  os_free
os_free:
        test    rdi, rdi
        jz      .Lfree_done
        add     rdi, TO_HEADER
        cmp     dword ptr [rdi + BLOCK_STATUS], ALLOC
        jne     .Lfree_not_ours
        mov     dword ptr [rdi + BLOCK_STATUS], FREE
        mov     r8, [rip + heap_head]
        mov     rcx, [rdi + BLOCK_PREV]
        test    rcx, rcx
        jz      index_block
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        je      add_unmerged
        jmp     index_block
.Lfree_not_ours:
        cmp     dword ptr [rdi + BLOCK_STATUS], MAPPED
        je      unmap_block
.Lfree_done:
        ret
