# The trees: a FREE block in, a FREE block out.

# find_tree block: rdi; heap_head: r8
#
# Leaves in rsi the block's link, in rcx its bin's number, which may be beyond
# the last, and in r10 the address of bin_map.
        .macro  find_tree
        lea     rsi, [rdi + META]
        sub     rsi, r8
        shr     rsi, 3
        mov     rcx, [rdi + BLOCK_SIZE]
        shr     rcx, 3
        lea     r10, [rip + bin_map]
        .endm

# Where does a block (rdi, its link in rsi) belong, seen from a node (its link in
# rdx)? Jumps to `right` where it is behind the node, or else goes on, or to
# `left`: by address, in a bin of one size, or by size first, in the last bin.
        .macro  compare_same right, left
        cmp     edx, esi
        jb      \right
        .endm

        .macro  compare_large right, left
        mov     r11, [r8 + rdx*8 + TO_HEADER]
        cmp     r11, [rdi + BLOCK_SIZE]
        jb      \right
        ja      \left
        cmp     edx, esi
        jb      \right
        .endm

# insert_block(block)
#
#   in        rdi = block, FREE, in no tree and not unmerged
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Down to where a node has a lower priority; there the block takes the node's
# place, and what hangs below is parted into what is before and what is behind.
insert_block:
        find_tree
        cmp     rcx, LAST_BIN
        jae     .Linsert_large
        lea     r9, [r10 + rcx*4 + BINS]        # the link to the node below
        mov     edx, [r9]
        test    edx, edx
        jz      .Linsert_first

        .macro  insert kind
        xor     ecx, ecx
        crc32   ecx, esi                        # the block's priority
.Linsert_below_\kind:
        xor     r11d, r11d
        crc32   r11d, edx                       # the node's
        cmp     r11d, ecx
        jb      .Linsert_here_\kind
        compare_\kind .Linsert_right_\kind, .Linsert_left_\kind
.Linsert_left_\kind:
        lea     r9, [r8 + rdx*8 + LEFT]
        mov     edx, [r9]
        test    edx, edx
        jnz     .Linsert_below_\kind
        mov     [r9], esi
        mov     qword ptr [r8 + rsi*8], 0       # a leaf
        ret
.Linsert_right_\kind:
        lea     r9, [r8 + rdx*8 + RIGHT]
        mov     edx, [r9]
        test    edx, edx
        jnz     .Linsert_below_\kind
        mov     [r9], esi
        mov     qword ptr [r8 + rsi*8], 0
        ret
.Linsert_here_\kind:
        mov     [r9], esi
        lea     r9, [r8 + rsi*8 + LEFT]         # where the next lower part goes
        lea     r10, [r8 + rsi*8 + RIGHT]       # where the next higher part goes
.Lpart_\kind:
        compare_\kind .Lpart_lower_\kind, .Lpart_higher_\kind
.Lpart_higher_\kind:
        mov     [r10], edx
        lea     r10, [r8 + rdx*8 + LEFT]
        mov     edx, [r10]
        test    edx, edx
        jnz     .Lpart_\kind
        mov     [r9], edx                       # nothing more on either side
        ret
.Lpart_lower_\kind:
        mov     [r9], edx
        lea     r9, [r8 + rdx*8 + RIGHT]
        mov     edx, [r9]
        test    edx, edx
        jnz     .Lpart_\kind
        mov     [r10], edx
        ret
        .endm

        insert  same

.Linsert_large:
        mov     ecx, LAST_BIN
        lea     r9, [r10 + rcx*4 + BINS]
        mov     edx, [r9]
        test    edx, edx
        jz      .Linsert_first
        insert  large

.Linsert_first:
        mov     [r9], esi
        mov     qword ptr [r8 + rsi*8], 0
        mov     edx, ecx
        shr     edx, 6                          # the bin's word of the bottom
        mov     r11, [r10 + rdx*8 + BOTTOM]
        test    r11, r11
        jz      .Linsert_first_of_word
        bts     r11, rcx
        mov     [r10 + rdx*8 + BOTTOM], r11
        ret
.Linsert_first_of_word:
        bts     r11, rcx
        mov     [r10 + rdx*8 + BOTTOM], r11
        mov     ecx, edx
        shr     edx, 6                          # that word's word of the middle
        mov     r11, [r10 + rdx*8 + MIDDLE]
        bts     r11, rcx
        mov     [r10 + rdx*8 + MIDDLE], r11
        mov     r11, [r10 + TOP]
        bts     r11, rdx
        mov     [r10 + TOP], r11
        ret

# remove_block(block)
#
#   in        rdi = block, FREE, in a tree
#             r8 = heap_head
#   clobbers  rax, rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
#
# Down to the block; what hangs on its two sides is joined in its place.
remove_block:
        find_tree
        cmp     rcx, LAST_BIN
        jae     .Lremove_large
        lea     r9, [r10 + rcx*4 + BINS]        # the link to the node below
        mov     edx, [r9]

        .macro  remove kind
        cmp     edx, esi
        je      .Lremove_here
.Lremove_below_\kind:
        compare_\kind .Lremove_right_\kind, .Lremove_left_\kind
.Lremove_left_\kind:
        lea     r9, [r8 + rdx*8 + LEFT]
        mov     edx, [r9]
        cmp     edx, esi
        jne     .Lremove_below_\kind
        jmp     .Lremove_here
.Lremove_right_\kind:
        lea     r9, [r8 + rdx*8 + RIGHT]
        mov     edx, [r9]
        cmp     edx, esi
        jne     .Lremove_below_\kind
        .endm

        remove  same

.Lremove_here:
        mov     edx, [r8 + rsi*8 + LEFT]
        mov     esi, [r8 + rsi*8 + RIGHT]
        test    edx, edx
        jz      .Lremove_no_left
        test    esi, esi
        jz      .Lremove_no_right
        xor     eax, eax
        crc32   eax, edx
        xor     r11d, r11d
        crc32   r11d, esi
.Ljoin:
        cmp     eax, r11d
        jb      .Ljoin_right_is_above
        mov     [r9], edx
        lea     r9, [r8 + rdx*8 + RIGHT]
        mov     edx, [r9]
        xor     eax, eax
        crc32   eax, edx
        test    edx, edx
        jnz     .Ljoin
.Lremove_no_left:
        mov     [r9], esi
        test    esi, esi
        jz      .Lremove_leaf
        ret
.Ljoin_right_is_above:
        mov     [r9], esi
        lea     r9, [r8 + rsi*8 + LEFT]
        mov     esi, [r9]
        xor     r11d, r11d
        crc32   r11d, esi
        test    esi, esi
        jnz     .Ljoin
.Lremove_no_right:
        mov     [r9], edx
        ret
.Lremove_leaf:
        lea     rax, [r10 + rcx*4 + BINS]
        cmp     r9, rax
        je      empty_bin
        ret
.Lremove_large:
        mov     ecx, LAST_BIN
        lea     r9, [r10 + rcx*4 + BINS]
        mov     edx, [r9]
        remove  large
        jmp     .Lremove_here

# empty_bin(bin)
#
#   in        rcx = number of a bin whose root is 0 now
#             r10 = address of bin_map
#   clobbers  rcx, rsi, r11
#   keeps     every other register
empty_bin:
        mov     esi, ecx
        shr     esi, 6                          # the bin's word of the bottom
        mov     r11, [r10 + rsi*8 + BOTTOM]
        btr     r11, rcx
        mov     [r10 + rsi*8 + BOTTOM], r11
        test    r11, r11
        jnz     .Lempty_bin_done
        mov     ecx, esi
        shr     esi, 6                          # that word's word of the middle
        mov     r11, [r10 + rsi*8 + MIDDLE]
        btr     r11, rcx
        mov     [r10 + rsi*8 + MIDDLE], r11
        test    r11, r11
        jnz     .Lempty_bin_done
        mov     r11, [r10 + TOP]
        btr     r11, rsi
        mov     [r10 + TOP], r11
.Lempty_bin_done:
        ret
