# Runs: FREE blocks side by side, which the next search makes one block.

# index_block(block)
#
#   in        rdi = block, FREE, in nothing yet, behind one that is not FREE
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
index_block:
        mov     rcx, [rdi + BLOCK_NEXT]
        test    rcx, rcx
        jz      .Lindex_last
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        je      list_block
        jmp     insert_into_tree
.Lindex_last:
        mov     qword ptr [rdi + META], 0
        ret

# list_block(block)
#
#   in        rdi = block, FREE, in nothing yet, beside another FREE one
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# It waits for the search, which will merge it. The neighbours of the first one come
# out of their trees at once: so a search that finds one alone is no slow one.
list_block:
        lea     rsi, [rdi + META]
        sub     rsi, r8
        shr     rsi, 3
        mov     ecx, [rip + unmerged]
        mov     [rip + unmerged], esi
        mov     dword ptr [rdi + PREVIOUS], LISTED
        mov     [rdi + FOLLOWING], ecx
        test    ecx, ecx
        jz      .Llist_neighbours
        bts     esi, LISTED_BIT
        mov     [r8 + rcx*8 + TO_PREVIOUS], esi
        ret
.Llist_neighbours:
        push    rdi
        mov     rdi, [rdi + BLOCK_NEXT]
        call    relist
        mov     rdi, [rsp]
        mov     rdi, [rdi + BLOCK_PREV]
        call    relist
        pop     rdi
        ret

# relist(block)
#
#   in        rdi = block, not in the list, or 0
#             the list is not empty; the rest is as above
#
# From its tree into the list, if it is FREE.
relist:
        test    rdi, rdi
        jz      .Lrelist_nothing
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        jne     .Lrelist_nothing
        call    remove_block
        jmp     list_block
.Lrelist_nothing:
        ret

# withdraw(block)
#
#   in        rdi = block, FREE
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Out of the list or the tree that it is in.
withdraw:
        mov     edx, [rdi + PREVIOUS]
        btr     edx, LISTED_BIT
        jnc     remove_block
        mov     ecx, [rdi + FOLLOWING]
        test    edx, edx
        jz      .Lwithdraw_first
        mov     [r8 + rdx*8 + TO_FOLLOWING], ecx
        jmp     .Lwithdraw_following
.Lwithdraw_first:
        mov     [rip + unmerged], ecx
.Lwithdraw_following:
        test    ecx, ecx
        jz      .Lwithdraw_done
        bts     edx, LISTED_BIT
        mov     [r8 + rcx*8 + TO_PREVIOUS], edx
.Lwithdraw_done:
        ret

# merge_runs()
#
#   in        r8 = heap_head
#             unmerged is not 0
#   clobbers  rax, rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Afterwards no two neighbours are FREE: every run is one block, and the list is empty.
merge_runs:
        push    rdi
.Lmerge_run:
        mov     edi, [rip + unmerged]
        lea     rdi, [r8 + rdi*8 + TO_HEADER]
        call    withdraw
        push    rdi
        mov     rax, rdi                        # the last of the run, as far as is known
.Lmerge_behind:
        mov     rdi, [rax + BLOCK_NEXT]
        test    rdi, rdi
        jz      .Lmerge_last_found
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        jne     .Lmerge_last_found
        mov     rax, rdi
        call    withdraw
        jmp     .Lmerge_behind
.Lmerge_last_found:
        pop     rdi
.Lmerge_before:
        mov     rcx, [rdi + BLOCK_PREV]
        test    rcx, rcx
        jz      .Lmerge_first_found
        cmp     dword ptr [rcx + BLOCK_STATUS], FREE
        jne     .Lmerge_first_found
        mov     rdi, rcx
        call    withdraw
        jmp     .Lmerge_before
.Lmerge_first_found:
        mov     rdx, [rax + BLOCK_SIZE]
        add     rdx, rax
        sub     rdx, rdi                        # the run as one payload
        mov     [rdi + BLOCK_SIZE], rdx
        mov     rcx, [rax + BLOCK_NEXT]
        mov     [rdi + BLOCK_NEXT], rcx
        test    rcx, rcx
        jz      .Lmerge_tail
        mov     [rcx + BLOCK_PREV], rdi
        mov     rcx, rdx
        call    insert_sized
.Lmerge_next:
        cmp     dword ptr [rip + unmerged], 0
        jne     .Lmerge_run
        pop     rdi
        ret
.Lmerge_tail:
        mov     [rip + heap_tail], rdi
        mov     qword ptr [rdi + META], 0       # in no tree
        jmp     .Lmerge_next
