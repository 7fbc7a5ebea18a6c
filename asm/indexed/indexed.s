# indexed: osmem's answers, found by an index instead of a walk.
#
# Same contract, same system calls, same blocks with the same headers after
# every call. What is osmem's own is included from there.
#
#   index_layout.s   the index: its numbers, its drawing, its state
#   tree.s           one tree: a block in, a block out
#   runs.s           FREE blocks side by side, until the next search
#   verbs.s          osmem's verbs on one block, which keep the index right
#   malloc.s         os_malloc, and the way to a block that calloc shares
#   free.s           os_free
#   calloc.s         os_calloc
#
# Position-independent; needs nothing but a Linux kernel.

        .intel_syntax noprefix

        .include "osmem/layout.s"
        .include "index_layout.s"
        .include "osmem/state.s"
        .include "osmem/kernel.s"
        .include "osmem/grow.s"
        .include "osmem/mapped.s"
        .include "tree.s"
        .include "runs.s"
        .include "verbs.s"
        .include "malloc.s"
        .include "free.s"
        .include "calloc.s"
        .include "osmem/copy.s"
        .include "osmem/realloc.s"
