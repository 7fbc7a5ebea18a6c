# The numbers of the index, its drawing, and where it begins.
#
# Every FREE block is in one of three places, and notes it in the first 8 bytes of
# its payload, which every block has:
#
#     in a tree              in the list of the unmerged:    in neither: the
#                            it came beside a FREE block     heap's last
#     +------+-------+       +-----------+-----------+       +-------+
#     | left | right |       | previous* | following |       |   0   |
#     +------+-------+       +-----------+-----------+       +-------+
#     nodes, as links        links; * with the bit LISTED
#
# The next search first empties the list: from a block of it to both sides as far
# as there are FREE ones, which come out of their trees or the list; all become one
# block, and that goes into a tree. So what is freed beside a FREE block costs next to
# nothing until there is a search, and nothing at all where there is none.
#
# The block that ends the heap is what new ones are mostly taken from, and would
# change its bin with each. The search looks at it apart.
#
# A link is 31 bits: how far a payload is from the heap's start, in units of 8
# bytes. The first payload's is 4; 0 is no block. So links reach 16 GiB. A heap of
# REACH bytes gets no more blocks: os_malloc answers as if the kernel had refused.
# This alone is not as in osmem. The last block may begin there and be as long as
# THRESHOLD, and what it gives back begins within 16 GiB all the same.
#
# One bin for each length up to 131056, and one for all that is longer. A bin is
# the link of a tree's root; three floors of bits say which bins are not empty:
#
#     top        4 bits     one a word of the middle
#     middle     4 words    one bit a word of the bottom
#     bottom   256 words    one bit a bin
#     bins   16384 links    bin i: blocks of 8 * i bytes; the last: larger ones
#
# A tree is a treap: in order by address (in the last bin by size, then by
# address), and no node's priority is above its parent's. The priority is the
# link's CRC-32C, one instruction and no room. No two links have the same. A
# tree's shape depends on nothing but what is in it, and its depth grows with the
# logarithm, since the CRC scatters what is evenly spaced; a product would not.

# A node's links, from its payload.
        .equ LEFT,          0           # u32: root of what is lower
        .equ RIGHT,         4           # u32: root of what is higher

# The list's links, from the header, and from the payload.
        .equ PREVIOUS,      32          # u32: who came after it, and LISTED
        .equ FOLLOWING,     36          # u32: who came before it
        .equ TO_PREVIOUS,   0
        .equ TO_FOLLOWING,  4
        .equ LISTED,        0x80000000
        .equ LISTED_BIT,    31

# Sizes from which on a block is mapped.
        .equ MAPPED_FROM,   131040      # THRESHOLD - META
        .equ CALLOC_MAPPED_FROM, 4064   # PAGE - META

# The header's fields, from the payload.
        .equ SIZE_HERE,     -32
        .equ STATUS_HERE,   -24

        .equ LAST_BIN,      16383       # sizes from 8 * LAST_BIN on
        .equ LAST_SIZES,    131064      # 8 * LAST_BIN
        .equ REACH,         0x3fffc0000 # bytes of heap: 16 GiB - 2 * THRESHOLD

        .equ BOTTOM,        0           # from bin_map: one bit a bin
        .equ MIDDLE,        2048        # one bit a word of the bottom
        .equ TOP,           2080        # one bit a word of the middle
        .equ BINS,          2088        # the roots, 4 bytes each
        .equ LAST_ROOT,     67620       # the last: BINS + 4 * LAST_BIN

        .data
        .p2align 3
bin_map:        .zero 2048      # BOTTOM
                .zero 32        # MIDDLE
                .zero 8         # TOP
                .zero 65536     # BINS
unmerged:       .quad 0         # link of the first unmerged block

        .text
