# FREE blocks with FREE neighbours: a list, until the next search merges them.
#
# Of two neighbours that are FREE at least one is in this list, so a search finds
# every run of them from here. The list goes both ways: realloc may take a block
# out of its middle.

# add_unmerged(block)
#
#   in        rdi = block, FREE, in no tree and not unmerged
#             r8 = heap_head
#   clobbers  rcx, rsi
#   keeps     every other register
add_unmerged:
        lea     rsi, [rdi + META]
        sub     rsi, r8
        shr     rsi, 3
        mov     ecx, [rip + unmerged]
        mov     [rdi + META], rcx               # FOLLOWING; nothing is PREVIOUS
        mov     [rip + unmerged], esi
        test    ecx, ecx
        jz      .Ladd_only
        mov     [r8 + rcx*8 + PREVIOUS], esi
.Ladd_only:
        ret

# index_block(block)
#
#   in        rdi = block, FREE, in no tree and not unmerged, behind one that is
#                   not FREE
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# To its tree, or to the unmerged where the block behind it is FREE.
index_block:
        mov     rcx, [rdi + BLOCK_NEXT]
        test    rcx, rcx
        jz      insert_block
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        je      add_unmerged
        jmp     insert_block

# withdraw_block(block)
#
#   in        rdi = block, FREE
#             r8 = heap_head
#   clobbers  rax, rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Out of the list of the unmerged, or out of its tree. In the list is who is
# first, or who follows the one that it takes for the one before: in a tree no
# child's child is its parent.
withdraw_block:
        mov     ecx, [rip + unmerged]
        test    ecx, ecx
        jz      remove_block
        lea     rsi, [rdi + META]
        sub     rsi, r8
        shr     rsi, 3
        mov     eax, [r8 + rsi*8 + FOLLOWING]
        cmp     ecx, esi
        je      .Lwithdraw_first
        mov     edx, [r8 + rsi*8 + PREVIOUS]
        test    edx, edx
        jz      remove_block
        cmp     [r8 + rdx*8 + FOLLOWING], esi
        jne     remove_block
        mov     [r8 + rdx*8 + FOLLOWING], eax
        jmp     .Lwithdraw_following
.Lwithdraw_first:
        mov     [rip + unmerged], eax
        xor     edx, edx
.Lwithdraw_following:
        test    eax, eax
        jz      .Lwithdraw_done
        mov     [r8 + rax*8 + PREVIOUS], edx
.Lwithdraw_done:
        ret

# merge_unmerged()
#
#   clobbers  rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
#   keeps     every other register
#
# Afterwards no two neighbours are FREE, and every FREE block is in its tree.
merge_unmerged:
        push    rbx
        mov     r8, [rip + heap_head]
.Lmerge_one:
        mov     esi, [rip + unmerged]
        test    esi, esi
        jz      .Lmerge_done
        lea     rbx, [r8 + rsi*8 + TO_HEADER]
        mov     eax, [r8 + rsi*8 + FOLLOWING]
        mov     [rip + unmerged], eax
        test    eax, eax
        jz      .Lmerge_behind
        mov     dword ptr [r8 + rax*8 + PREVIOUS], 0
.Lmerge_behind:
        mov     rdi, [rbx + BLOCK_NEXT]
        test    rdi, rdi
        jz      .Lmerge_before
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        jne     .Lmerge_before
        call    withdraw_block
        mov     rdx, rdi
        mov     rdi, rbx
        call    unite
        jmp     .Lmerge_behind
.Lmerge_before:
        mov     rdi, [rbx + BLOCK_PREV]
        test    rdi, rdi
        jz      .Lmerge_alone
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        jne     .Lmerge_alone
        call    withdraw_block
        mov     rdx, rbx
        mov     rbx, rdi
        call    unite
        jmp     .Lmerge_before
.Lmerge_alone:
        mov     rdi, rbx
        call    insert_block
        jmp     .Lmerge_one
.Lmerge_done:
        pop     rbx
        ret
