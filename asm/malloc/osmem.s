# osmem in the place of the C library's malloc: its functions, and what else programs call.

        .intel_syntax noprefix
        .include "osmem/osmem.s"
        .include "aligned.s"

# alloc_of_any_size(need) -> payload
#
#   in        rdi = need, a multiple of 8, more than 0
#   out       rax = payload, in the heap, or 0
#   clobbers  every register a caller saves
alloc_of_any_size:
        jmp     heap_alloc
