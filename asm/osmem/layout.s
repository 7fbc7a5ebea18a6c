# The numbers of osmem. Each has one line, here; Python reads these lines too.
#
# A block is a header and its payload. The address that a caller holds is the
# payload's.
#
#     block                                 payload = block + META
#       |                                     |
#       v                                     v
#       +----------+---------+-----+-----+----+------------------------+
#       |  size    | status  | pad | prev| next    payload             |
#       +----------+---------+-----+-----+----+------------------------+
#       0          8         12    16    24   32              32 + size
#
# size counts the payload alone and is a multiple of 8. prev and next are
# addresses of headers, 0 at the ends of the list.
#
# The heap is tiled with blocks, from the first break to the break of today:
#
#     heap start                                                     break
#       | header | payload | header | payload | ... | header | payload |
#
# Mapped blocks have the same header, alone at the start of their mapping; they
# are in no list, and their prev and next are 0.

# The header's fields.
        .equ BLOCK_SIZE,    0           # u64, bytes of payload
        .equ BLOCK_STATUS,  8           # i32, one of the three below
        .equ BLOCK_PREV,    16          # header before this one, or 0
        .equ BLOCK_NEXT,    24          # header behind this one, or 0
        .equ META,          32          # bytes of header
        .equ TO_HEADER,     -32         # from a payload to its header

# What a block can be.
        .equ FREE,          0           # in the heap, for anyone to take
        .equ ALLOC,         1           # in the heap, a caller's
        .equ MAPPED,        2           # in a mapping of its own, a caller's

# Where a request goes, by its size with the header counted.
        .equ THRESHOLD,     131072      # os_malloc, os_realloc: from here on, mmap
        .equ PAGE,          4096        # os_calloc: from here on, mmap

# How the heap begins.
        .equ PREALLOC,      131072      # bytes of heap asked for at its first use

# Sizes.
        .equ ALIGN_UP,      7           # (n + ALIGN_UP) & ALIGN_MASK
        .equ ALIGN_MASK,    -8
        .equ SPLIT_MIN,     40          # META and a payload of 8 bytes
        .equ MAX_REQUEST,   0x7fffffffffffefff  # 2^63 - 1 - 4096

# Linux, x86-64.
        .equ SYS_MMAP,      9
        .equ SYS_MUNMAP,    11
        .equ SYS_BRK,       12
        .equ READ_WRITE,    3           # PROT_READ | PROT_WRITE
        .equ PRIVATE_ANON,  0x22        # MAP_PRIVATE | MAP_ANONYMOUS
        .equ FIRST_ERROR,   -4095       # a result from here to -1 is an errno
        .equ ENOMEM,        12
