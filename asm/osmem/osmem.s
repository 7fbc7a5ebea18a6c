# osmem: the allocator, and the order in which its parts stand in memory.
#
#   layout.s    every number, and the drawing of a block
#   state.s     what the allocator remembers between two calls
#   kernel.s    the only `syscall` instructions
#   block.s     verbs on one block: split, absorb
#   grow.s      more heap: the break, the last block, a new one behind it
#   mapped.s    blocks that live alone in a mapping
#   search.s    verbs on the whole list: merge, find the best fit
#   malloc.s    os_malloc, and the way to a block that calloc shares
#   free.s      os_free
#   calloc.s    os_calloc
#   copy.s      what os_realloc moves
#   realloc.s   os_realloc
#
# Position-independent; needs nothing but a Linux kernel.

        .intel_syntax noprefix

        .include "layout.s"
        .include "state.s"
        .include "kernel.s"
        .include "block.s"
        .include "grow.s"
        .include "mapped.s"
        .include "search.s"
        .include "malloc.s"
        .include "free.s"
        .include "calloc.s"
        .include "copy.s"
        .include "realloc.s"
