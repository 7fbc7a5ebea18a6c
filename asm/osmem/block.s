# Verbs on one block of the heap.

# split_block(block, need)
#
#   in        rdi = block, in the list
#             rsi = need, a multiple of 8, at most the block's size
#   clobbers  rax, rcx, rdx
#   keeps     every other register
#
# Gives what the block has beyond `need` to a new FREE block behind it, if that
# is enough for a header and a payload of 8 bytes. The new block is not merged
# with a free one behind it: that is for the next search.
split_block:
        mov     rax, [rdi + BLOCK_SIZE]
        sub     rax, rsi                        # what would be left over
        cmp     rax, SPLIT_MIN
        jb      .Lsplit_too_small
        sub     rax, META                       # the rest's payload
        lea     rcx, [rdi + rsi + META]         # the rest's header
        mov     [rcx + BLOCK_SIZE], rax
        mov     dword ptr [rcx + BLOCK_STATUS], FREE
        mov     [rcx + BLOCK_PREV], rdi
        mov     rdx, [rdi + BLOCK_NEXT]
        mov     [rcx + BLOCK_NEXT], rdx
        mov     [rdi + BLOCK_NEXT], rcx
        mov     [rdi + BLOCK_SIZE], rsi
        jmp     set_back_pointer                # of what follows the rest
.Lsplit_too_small:
        ret

# absorb_next(block)
#
#   in        rdi = block, with a block behind it
#   clobbers  rax, rcx, rdx
#   keeps     every other register
#
# The block behind, header and payload, becomes payload of this one.
absorb_next:
        mov     rcx, rdi
        mov     rdx, [rdi + BLOCK_NEXT]         # absorbed
        mov     rax, [rdx + BLOCK_SIZE]
        add     rax, META
        add     [rdi + BLOCK_SIZE], rax
        mov     rdx, [rdx + BLOCK_NEXT]
        mov     [rdi + BLOCK_NEXT], rdx
        # fall through: what follows now follows us

# set_back_pointer(block, next)
#
#   in        rcx = block
#             rdx = the block behind it, 0 where there is none
#   keeps     every register
#
# What stands behind `block` learns so; the tail does where nothing does.
set_back_pointer:
        test    rdx, rdx
        jz      .Lset_tail
        mov     [rdx + BLOCK_PREV], rcx
        ret
.Lset_tail:
        mov     [rip + heap_tail], rcx
        ret
