# osmem's verbs on one block of the heap; here they keep the index right.

# split_block(block, need)
#
#   in        rdi = block, in the list, not FREE
#             rsi = need, a multiple of 8, at most the block's size
#   clobbers  rax, rcx, rdx, rsi, r8, r9, r10, r11
#   keeps     every other register
#
# Gives what the block has beyond `need` to a new FREE block behind it, if that
# is enough for a header and a payload of 8 bytes.
split_block:
        mov     rcx, [rdi + BLOCK_SIZE]
        sub     rcx, rsi                        # what would be left over
        cmp     rcx, SPLIT_MIN
        jb      .Lsplit_too_small
        push    rdi
        lea     rdx, [rdi + rsi + META]         # the rest's header
        sub     rcx, META
        mov     [rdi + BLOCK_SIZE], rsi
        call    link_rest
        mov     rdi, rdx
        mov     r8, [rip + heap_head]
        call    index_block
        pop     rdi
.Lsplit_too_small:
        ret

# link_rest(block, rest, size)
#
#   in        rdi = block, whose own size is right already
#             rdx = the new header behind it
#             rcx = bytes of payload there
#   clobbers  rsi
#   keeps     every other register
#
# A new FREE block, in the list and in nothing else yet.
link_rest:
        mov     [rdx + BLOCK_SIZE], rcx
        mov     dword ptr [rdx + BLOCK_STATUS], FREE
        mov     [rdx + BLOCK_PREV], rdi
        mov     rsi, [rdi + BLOCK_NEXT]
        mov     [rdx + BLOCK_NEXT], rsi
        mov     [rdi + BLOCK_NEXT], rdx
        test    rsi, rsi
        jz      .Llink_tail
        mov     [rsi + BLOCK_PREV], rdx
        ret
.Llink_tail:
        mov     [rip + heap_tail], rdx
        ret

# absorb_next(block)
#
#   in        rdi = block, with a FREE block behind it
#   clobbers  rax, rcx, rdx, r8, r9, r10, r11
#   keeps     every other register
#
# The block behind, header and payload, becomes payload of this one.
absorb_next:
        push    rsi
        push    rdi
        mov     r8, [rip + heap_head]
        mov     rdi, [rdi + BLOCK_NEXT]
        call    withdraw
        mov     rdx, rdi                        # in nothing any more
        pop     rdi
        pop     rsi
        mov     rax, [rdx + BLOCK_SIZE]
        add     rax, META
        add     [rdi + BLOCK_SIZE], rax
        mov     rcx, [rdx + BLOCK_NEXT]
        mov     [rdi + BLOCK_NEXT], rcx
        test    rcx, rcx
        jz      .Labsorb_tail
        mov     [rcx + BLOCK_PREV], rdi
        ret
.Labsorb_tail:
        mov     [rip + heap_tail], rdi
        ret
