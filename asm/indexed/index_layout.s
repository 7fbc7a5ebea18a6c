# The numbers of the index, its drawing, and where it begins.
#
# FREE blocks side by side are a run; the next search will make it one block. A
# run, of one block or of many, is in the index from the moment at which it comes
# to be, as one payload of its whole length: its first block is a node of a tree.
# What there is to note fits into the first 8 bytes of each payload, which every
# block has:
#
#     the only or the first       the second               the third
#     +------+-------+            +-----------+----------+ +---------+---------+
#     | left | right | key        | following | previous | |         | the last|
#     +------+-------+            +-----------+----------+ +---------+---------+
#     nodes, as links             a list of all runs of    the last of three or
#                                 more than one block:     more notes the first,
#                                 `unmerged`               where the third does not
#
# The key is in the last bin only, and needs 8 bytes more. A run of many blocks
# whose first has no room for it waits for the search, in the list alone.
#
# A run that ends the heap is in no tree: it is what new blocks are mostly taken
# from, and so would change its bin with each. The search looks at it apart.
#
# A link is 32 bits: how far a payload is from the heap's start, in units of 8
# bytes. The first payload's is 4; 0 is no block. So links reach 32 GiB. A heap of
# REACH bytes gets no more blocks: os_malloc answers as if the kernel had refused.
# This alone is not as in osmem. The last block may begin there and be as long as
# THRESHOLD, and what it gives back begins within 32 GiB all the same.
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

# In the last bin, how long the run is; a payload of NO_KEY bytes has no room.
        .equ KEY,           40          # u64, from the header
        .equ TO_KEY,        8           # from the payload
        .equ NO_KEY,        8

# What the blocks of a run note, from the header.
        .equ FOLLOWING,     32          # u32, the second: the next run's second
        .equ PREVIOUS,      36          # u32, the second: the one before's
        .equ RUN_HEAD,      32          # u32, the last of three or more: the first
        .equ RUN_TAIL,      36          # u32, the third: the last

# The list's links, from a payload.
        .equ TO_FOLLOWING,  0
        .equ TO_PREVIOUS,   4

# Sizes from which on a block is mapped.
        .equ MAPPED_FROM,   131040      # THRESHOLD - META
        .equ CALLOC_MAPPED_FROM, 4064   # PAGE - META

# The header's fields, from the payload.
        .equ SIZE_HERE,     -32
        .equ STATUS_HERE,   -24

        .equ LAST_BIN,      16383       # sizes from 8 * LAST_BIN on
        .equ LAST_SIZES,    131064      # 8 * LAST_BIN
        .equ REACH,         0x7fffc0000 # bytes of heap: 32 GiB - 2 * THRESHOLD

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
