# The trees: a FREE block in, a FREE block out.

# The tree of a bin (rcx) and a block (rdi): leaves in rsi the block's link, in r9
# the address of the root's, in rdx the root's link, in r10 the address of bin_map.
        .macro  find_tree
        lea     r10, [rip + bin_map]
        lea     rsi, [rdi + META]
        sub     rsi, r8
        shr     rsi, 3
        lea     r9, [r10 + rcx*4 + BINS]        # the link to the node below
        mov     edx, [r9]
        .endm

# Does a block (its link in rsi) belong behind a node (its link in rdx)? The carry
# flag says so: by address in a bin of one size, by the size first in the last bin.
        .macro  compare_same size, done
        cmp     edx, esi
        .endm

        .macro  compare_large size, done
        cmp     [r8 + rdx*8 + SIZE_HERE], \size
        jne     \done
        cmp     edx, esi
\done:
        .endm

# From a node towards where the block belongs: leaves in r9 the address of the link,
# in rdx the link. A branch instead would be mispredicted half of the time.
        .macro  descend kind, size, done
        xor     r11d, r11d
        compare_\kind \size, \done
        setb    r11b
        lea     r9, [r8 + rdx*8]
        lea     r9, [r9 + r11*4]                # LEFT or RIGHT
        mov     edx, [r9]
        .endm

# insert_into_tree(block)
#
#   in        rdi = block, FREE, in nothing yet, not the heap's last
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
insert_into_tree:
        mov     rcx, [rdi + BLOCK_SIZE]
        # fall through

# insert_sized(block, size)
#
#   in        rcx = bytes of payload; the rest is as above
insert_sized:
        shr     rcx, 3
        cmp     rcx, LAST_BIN
        jae     insert_in_last_bin
        # fall through

# insert_in_bin(block, bin)
#
#   in        rcx = the bin, not the last; the rest is as above
#
# Down to where a node has a lower priority; there the block takes the node's
# place, and what hangs below is parted into what is before and what is behind.
insert_in_bin:
        find_tree
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
        descend \kind, r10, .Linsert_compared_\kind
        test    edx, edx
        jnz     .Linsert_below_\kind
        mov     [r9], esi
        mov     qword ptr [r8 + rsi*8], 0       # a leaf
        ret
.Linsert_here_\kind:
        mov     [r9], esi
        lea     r9, [r8 + rsi*8 + LEFT]         # where the next lower part goes
        lea     rcx, [r8 + rsi*8 + RIGHT]       # where the next higher part goes
.Lpart_\kind:
        compare_\kind r10, .Lpart_compared_\kind
        jb      .Lpart_lower_\kind
        mov     [rcx], edx
        lea     rcx, [r8 + rdx*8 + LEFT]
        mov     edx, [rcx]
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
        mov     [rcx], edx
        ret
        .endm

        insert  same

# insert_in_last_bin(block): as above, but by size, then by address
insert_in_last_bin:
        mov     ecx, LAST_BIN
        find_tree
        test    edx, edx
        jz      .Linsert_first
        mov     r10, [rdi + BLOCK_SIZE]
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
#   in        rdi = block, FREE, in a tree; or the last of the heap
#             r8 = heap_head
#   clobbers  rcx, rdx, rsi, r9, r10, r11
#   keeps     every other register
remove_block:
        cmp     qword ptr [rdi + BLOCK_NEXT], 0
        jne     .Lremove_from_tree
        ret
.Lremove_from_tree:
        mov     rcx, [rdi + BLOCK_SIZE]
        shr     rcx, 3
        cmp     rcx, LAST_BIN
        jae     remove_from_last_bin
        # fall through

# remove_from_bin(block, bin)
#
#   in        rcx = the bin, not the last; the rest is as above
#
# Down to the block; what hangs on its two sides is joined in its place.
remove_from_bin:
        find_tree

        .macro  remove kind, found
        cmp     edx, esi
        je      \found
.Lremove_below_\kind:
        descend \kind, rcx, .Lremove_compared_\kind
        cmp     edx, esi
        jne     .Lremove_below_\kind
        .endm

        remove  same, .Lremove_here

.Lremove_here:
        cmp     qword ptr [r8 + rsi*8], 0       # both of its links
        je      .Lremove_leaf
        mov     edx, [r8 + rsi*8 + LEFT]
        mov     esi, [r8 + rsi*8 + RIGHT]
        test    edx, edx
        jz      .Lremove_no_left
        test    esi, esi
        jz      .Lremove_no_right
        xor     ecx, ecx
        crc32   ecx, edx
        xor     r11d, r11d
        crc32   r11d, esi
.Ljoin:
        cmp     ecx, r11d
        jb      .Ljoin_right_is_above
        mov     [r9], edx
        lea     r9, [r8 + rdx*8 + RIGHT]
        mov     edx, [r9]
        xor     ecx, ecx
        crc32   ecx, edx
        test    edx, edx
        jnz     .Ljoin
.Lremove_no_left:
        mov     [r9], esi
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
        mov     dword ptr [r9], 0
        lea     rdx, [r10 + rcx*4 + BINS]
        cmp     r9, rdx
        je      empty_bin
        ret

# remove_from_last_bin(block): as above
remove_from_last_bin:
        mov     ecx, LAST_BIN
        find_tree
        mov     rcx, [rdi + BLOCK_SIZE]
        remove  large, .Lremove_large_here
.Lremove_large_here:
        mov     ecx, LAST_BIN
        jmp     .Lremove_here

# Clears the bit of a bin (rcx; bin_map in r10); rsi is its word's number then, and
# nothing left in the word is 0.
        .macro  clear_bottom
        mov     esi, ecx
        shr     esi, 6
        mov     r11, [r10 + rsi*8 + BOTTOM]
        btr     r11, rcx
        mov     [r10 + rsi*8 + BOTTOM], r11
        test    r11, r11
        .endm

# empty_bin(bin)
#
#   in        rcx = number of a bin whose root is 0 now
#             r10 = address of bin_map
#   clobbers  rcx, rsi, r11
#   keeps     every other register
empty_bin:
        clear_bottom
        jz      empty_word
        ret

# empty_word(word)
#
#   in        rsi = number of a word of the bottom that is 0 now
#             r10 = address of bin_map
#   clobbers  rcx, rsi, r11
#   keeps     every other register
empty_word:
        mov     ecx, esi
        shr     esi, 6                          # that word's word of the middle
        mov     r11, [r10 + rsi*8 + MIDDLE]
        btr     r11, rcx
        mov     [r10 + rsi*8 + MIDDLE], r11
        test    r11, r11
        jnz     .Lempty_word_done
        mov     r11, [r10 + TOP]
        btr     r11, rsi
        mov     [r10 + TOP], r11
.Lempty_word_done:
        ret
