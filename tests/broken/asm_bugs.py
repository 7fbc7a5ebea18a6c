"""Bugs against osmem's contract, in osmem's own assembly: what only a comparison shows.

What the original got wrong is among them, each alone.
"""

from __future__ import annotations

from planting import Bug

FREES = "        mov     dword ptr [rdi + BLOCK_STATUS], FREE\n.Lfree_done:\n"
MERGES_BACK = """\
        mov     dword ptr [rdi + BLOCK_STATUS], FREE
        mov     rdi, [rdi + BLOCK_PREV]
        test    rdi, rdi
        jz      .Lfree_done
        cmp     dword ptr [rdi + BLOCK_STATUS], FREE
        je      absorb_next
.Lfree_done:
"""

WHEN_TO_MERGE = [
    Bug(
        "merges when a block is freed",
        "free.s",
        FREES,
        MERGES_BACK,
        "blocks",
    ),
    Bug(
        "merges no more than two blocks of a run",
        "search.s",
        "        call    absorb_next\n        jmp     .Lmerge_more\n",
        "        call    absorb_next\n",
        "free-neighbours blocks result",
    ),
    Bug(
        "merges after the search",
        "malloc.s",
        "        call    merge_free_runs\n        mov     rdi, rbx\n        call    find_best\n",
        "        mov     rdi, rbx\n        call    find_best\n"
        "        push    rax\n        call    merge_free_runs\n        pop     rax\n",
        "free-neighbours blocks result status",
    ),
    Bug(
        "merges the rest of a split with what follows",
        "block.s",
        "        jmp     set_back_pointer                # of what follows the rest\n",
        """\
        call    set_back_pointer
        test    rdx, rdx
        jz      .Lsplit_too_small
        cmp     dword ptr [rdx + BLOCK_STATUS], FREE
        jne     .Lsplit_too_small
        push    rdi
        mov     rdi, rcx
        call    absorb_next
        pop     rdi
        ret
""",
        "blocks",
    ),
]

WHICH_BLOCK = [
    Bug(
        "the last of equals",
        "search.s",
        "        jae     .Lbest_step                     # no better\n",
        "        ja      .Lbest_step\n",
        "result",
    ),
    Bug(
        "the largest block that fits",
        "search.s",
        "        mov     rcx, -1                         # and its size\n"
        "        mov     rdx, [rip + heap_head]\n",
        "        xor     ecx, ecx\n        mov     rdx, [rip + heap_head]\n"
        "        jmp     .Lworst_look\n"
        ".Lworst_next:\n        mov     rdx, [rdx + BLOCK_NEXT]\n"
        ".Lworst_look:\n        test    rdx, rdx\n        jz      .Lbest_done\n"
        "        cmp     dword ptr [rdx + BLOCK_STATUS], FREE\n        jne     .Lworst_next\n"
        "        cmp     [rdx + BLOCK_SIZE], rdi\n        jb      .Lworst_next\n"
        "        cmp     [rdx + BLOCK_SIZE], rcx\n        jbe     .Lworst_next\n"
        "        mov     rax, rdx\n        mov     rcx, [rdx + BLOCK_SIZE]\n"
        "        jmp     .Lworst_next\n",
        "result",
    ),
    Bug(
        "a free tail is not made longer",
        "malloc.s",
        "        jne     .Lheap_new_tail\n",
        "        jmp     .Lheap_new_tail\n",
        "result syscalls",
    ),
    Bug(
        "a longer tail is still free",
        "malloc.s",
        "        mov     dword ptr [rax + BLOCK_STATUS], ALLOC\n        add     rax, META\n",
        "        add     rax, META\n",
        "blocks overlap",
    ),
]

SPLITTING = [
    Bug(
        "splits eight bytes too late",
        "block.s",
        "        jb      .Lsplit_too_small\n",
        "        jbe     .Lsplit_too_small\n",
        "blocks",
    ),
    Bug(
        "forgets the slack",
        "block.s",
        ".Lsplit_too_small:\n        ret\n",
        ".Lsplit_too_small:\n        mov     [rdi + BLOCK_SIZE], rsi\n        ret\n",
        "tiling tail",
    ),
    Bug(
        "the rest of a split is in use",
        "block.s",
        "        mov     dword ptr [rcx + BLOCK_STATUS], FREE\n",
        "        mov     dword ptr [rcx + BLOCK_STATUS], ALLOC\n",
        "blocks",
    ),
    Bug(
        "a block that shrinks is not split",
        "realloc.s",
        "        mov     rdi, rbx\n        call    split_block\n",
        "        mov     rdi, rbx\n",
        "blocks",
    ),
]

WHERE_TO = [
    Bug(
        "calloc maps no sooner than malloc",
        "calloc.s",
        "        mov     esi, PAGE\n",
        "        mov     esi, THRESHOLD\n",
        "result syscalls",
    ),
    Bug(
        "malloc maps as soon as calloc",
        "malloc.s",
        "        mov     esi, THRESHOLD\n",
        "        mov     esi, PAGE\n",
        "result syscalls",
    ),
    Bug(
        "the threshold counts no header",
        "malloc.s",
        "        lea     rax, [rdi + META]\n        cmp     rax, rsi\n",
        "        mov     rax, rdi\n        cmp     rax, rsi\n",
        "result syscalls",
    ),
    Bug(
        "the threshold counts the aligned size",
        "malloc.s",
        "        lea     rax, [rdi + META]\n        cmp     rax, rsi\n",
        "        lea     rax, [rdi + 39]\n        and     rax, ALIGN_MASK\n"
        "        cmp     rax, rsi\n",
        "result syscalls",
    ),
    Bug(
        "the threshold itself is not mapped",
        "malloc.s",
        "        jae     map_block\n",
        "        ja      map_block\n",
        "result syscalls",
    ),
    Bug(
        "the heap begins before a block is mapped",
        "mapped.s",
        "        lea     rbx, [rdi + ALIGN_UP]\n",
        """\
        cmp     qword ptr [rip + heap_head], 0
        jne     .Lmap_begun
        push    rdi
        mov     edi, PREALLOC
        mov     edx, FREE
        call    append_block
        pop     rdi
.Lmap_begun:
        lea     rbx, [rdi + ALIGN_UP]
""",
        "syscalls",
    ),
    Bug(
        "resizes in place across the threshold",
        "realloc.s",
        "        cmp     rax, THRESHOLD\n        jae     move_block\n",
        "",
        "result syscalls",
    ),
    Bug(
        "a mapped block that is large enough stays",
        "realloc.s",
        "        je      move_block\n",
        "        jne     .Lrealloc_in_heap\n        cmp     rsi, rdx\n        ja      move_block\n"
        "        lea     rax, [rbx + META]\n        pop     rbx\n        ret\n"
        ".Lrealloc_in_heap:\n",
        "result syscalls",
    ),
]

RESIZING = [
    Bug(
        "a block that became the last by absorbing is made longer",
        "realloc.s",
        "        cmp     [rbx + BLOCK_SIZE], rdi\n        jb      move_block\n",
        "        cmp     [rbx + BLOCK_SIZE], rdi\n        jae     .Lrealloc_fits\n"
        "        cmp     rbx, [rip + heap_tail]\n        je      .Lrealloc_tail\n"
        "        jmp     move_block\n",
        "result syscalls",
    ),
    Bug(
        "the tail is moved",
        "realloc.s",
        "        je      .Lrealloc_tail\n",
        "",
        "result syscalls",
    ),
    Bug(
        "absorbs more than it takes",
        "realloc.s",
        "        jae     .Labsorb_done                   # enough\n",
        "",
        "blocks",
    ),
    Bug(
        "absorbs no more than one block",
        "realloc.s",
        "        call    absorb_next\n        jmp     .Labsorb_more\n",
        "        call    absorb_next\n",
        "blocks result",
    ),
    Bug(
        "absorbs a block in use",
        "realloc.s",
        "        cmp     dword ptr [rax + BLOCK_STATUS], FREE\n        jne     .Labsorb_done\n",
        "",
        "overlap result blocks",
    ),
    Bug(
        "the old block is free before there is a new one",
        "realloc.s",
        "        mov     rdi, rsi\n        call    os_malloc\n",
        "        lea     rdi, [rbx + META]\n        call    os_free\n"
        "        mov     rdi, [rsp]\n        call    os_malloc\n",
        "result syscalls blocks realloc-contents fault contents-changed",
    ),
    Bug(
        "a freed block is resized",
        "realloc.s",
        "        je      .Lrealloc_of_freed\n",
        "",
        "result",
    ),
    Bug(
        "realloc to nothing keeps the block",
        "realloc.s",
        ".Lrealloc_to_nothing:\n        call    os_free\n",
        ".Lrealloc_to_nothing:\n",
        "blocks",
    ),
    Bug(
        "realloc of NULL is refused",
        "realloc.s",
        "        jz      .Lrealloc_nothing_yet\n",
        "        jz      .Lrealloc_of_freed\n",
        "result",
    ),
]

FREEING = [
    Bug(
        "a double free gives the block back to its user",
        "free.s",
        "        cmp     dword ptr [rdi + BLOCK_STATUS], ALLOC\n        jne     .Lfree_done\n"
        "        mov     dword ptr [rdi + BLOCK_STATUS], FREE\n",
        "        xor     dword ptr [rdi + BLOCK_STATUS], ALLOC\n",
        "blocks",
    ),
    Bug(
        "free of NULL is a block, too",
        "free.s",
        "        jz      .Lfree_done\n",
        "",
        "fault",
    ),
    Bug(
        "a mapping is kept",
        "free.s",
        "        je      unmap_block\n",
        "        je      .Lfree_done\n",
        "syscalls",
    ),
    Bug(
        "malloc of nothing is a block",
        "malloc.s",
        "        jz      .Lalloc_nothing\n",
        "",
        "result",
    ),
]

SYSTEM_CALLS = [
    Bug(
        "asks where the break is each time",
        "grow.s",
        "        jnz     .Lgrow_break_known\n",
        "",
        "syscalls",
    ),
    Bug(
        "the break is rounded to pages",
        "grow.s",
        "        mov     rdi, rbx\n        call    sys_brk\n        cmp     rax, rbx",
        "        add     rbx, 4095\n        and     rbx, -4096\n"
        "        mov     rdi, rbx\n        call    sys_brk\n        cmp     rax, rbx",
        "syscalls tail",
    ),
    Bug(
        "the tail grows by what it is to be",
        "grow.s",
        "        sub     rdi, [rax + BLOCK_SIZE]         # what is missing\n",
        "",
        "syscalls tail",
    ),
    Bug(
        "munmap's length is rounded to pages",
        "mapped.s",
        "        add     rsi, META\n",
        "        add     rsi, META + 4095\n        and     rsi, -4096\n",
        "syscalls",
    ),
    Bug(
        "munmap's length is without the header",
        "mapped.s",
        "        add     rsi, META\n",
        "",
        "syscalls",
    ),
    Bug(
        "mappings are shared",
        "layout.s",
        "        .equ PRIVATE_ANON,  0x22        # MAP_PRIVATE | MAP_ANONYMOUS\n",
        "        .equ PRIVATE_ANON,  0x21\n",
        "syscalls",
    ),
    Bug(
        "the heap begins with a header more",
        "layout.s",
        "        .equ PREALLOC,      131072      # bytes of heap asked for at its first use\n",
        "        .equ PREALLOC,      131104\n",
        "syscalls tail",
    ),
]

FAILING = [
    Bug(
        "errno is not set",
        "state.s",
        "        mov     dword ptr [rip + os_errno], ENOMEM\n        xor     eax, eax\n",
        "        xor     eax, eax\n",
        "errno",
    ),
    Bug(
        "errno is set where nothing failed",
        "malloc.s",
        "        jz      .Lalloc_nothing\n",
        "        jz      out_of_memory\n",
        "errno",
    ),
    Bug(
        "the break is remembered before the kernel agrees",
        "grow.s",
        "        mov     rdi, rbx\n        call    sys_brk\n        cmp     rax, rbx"
        "                        # Linux says no by answering\n"
        "        jne     .Lgrow_refused                  # with the old break\n"
        "        mov     rax, [rip + heap_break]\n        mov     [rip + heap_break], rbx\n",
        "        mov     rdi, rbx\n        xchg    rbx, [rip + heap_break]\n"
        "        call    sys_brk\n        cmp     rax, [rip + heap_break]\n"
        "        jne     .Lgrow_refused\n        mov     rax, rbx\n",
        "syscalls",
    ),
    Bug(
        "a block that cannot be moved is free",
        "realloc.s",
        "        jz      .Lmove_refused\n",
        "        jnz     .Lmove_it\n        lea     rdi, [rbx + META]\n        call    os_free\n"
        "        xor     eax, eax\n        jmp     .Lmove_refused\n.Lmove_it:\n",
        "blocks syscalls",
    ),
]

SIZES = [
    Bug(
        "sizes have 32 bits",
        "malloc.s",
        "        lea     rax, [rdi + META]\n        cmp     rax, rsi\n",
        "        mov     edi, edi\n        lea     rax, [rdi + META]\n        cmp     rax, rsi\n",
        "outside overlap result syscalls",
    ),
    Bug(
        "a mapped block's size has 32 bits",
        "mapped.s",
        "        mov     [rax + BLOCK_SIZE], rbx\n",
        "        mov     ebx, ebx\n        mov     [rax + BLOCK_SIZE], rbx\n",
        "syscalls",
    ),
    Bug(
        "sizes near 2^64 wrap",
        "malloc.s",
        "        ja      out_of_memory\n",
        "",
        "outside overlap result syscalls",
    ),
    Bug(
        "sizes near 2^64 wrap in realloc",
        "realloc.s",
        "        ja      out_of_memory\n",
        "",
        "errno result blocks overlap",
    ),
    Bug(
        "sizes are compared with their sign",
        "malloc.s",
        "        ja      out_of_memory\n",
        "        jg      out_of_memory\n",
        "outside overlap result syscalls",
    ),
]

CLEARING = [
    Bug(
        "calloc clears a byte too few",
        "calloc.s",
        "        mov     rcx, rbx\n        shr     rcx, 3\n",
        "        dec     rbx\n        mov     rcx, rbx\n        shr     rcx, 3\n",
        "calloc-not-zero",
    ),
    Bug(
        "calloc clears a byte too many",
        "calloc.s",
        "        mov     rcx, rbx\n        shr     rcx, 3\n",
        "        inc     rbx\n        mov     rcx, rbx\n        shr     rcx, 3\n",
        "blocks size tiling",
    ),
    Bug(
        "calloc clears as many as there are",
        "calloc.s",
        "        mov     rbx, rax\n        mov     rdi, rax\n",
        "        mov     rbx, rdi\n        mov     rdi, rax\n",
        "calloc-not-zero",
    ),
]

PROMISES = [
    Bug(
        "the direction flag stays set",
        "calloc.s",
        ".Lcalloc_refused:\n",
        ".Lcalloc_refused:\n        std\n",
        "convention",
    ),
    Bug(
        "the search uses a register of its caller's",
        "search.s",
        "        xor     eax, eax                        # the best so far\n",
        "        xor     eax, eax\n        xor     r12d, r12d\n",
        "convention",
    ),
    Bug(
        "the caller's rbx is lost where a block is moved",
        "realloc.s",
        ".Lmove_refused:\n        pop     rbx\n",
        ".Lmove_refused:\n        pop     rcx\n",
        "convention",
    ),
    Bug(
        "the stack is left a word too high",
        "free.s",
        ".Lfree_done:\n        ret\n",
        ".Lfree_done:\n        pop     rax\n        push    rax\n        ret     8\n",
        "convention",
    ),
]

ASM_BUGS = [
    *WHEN_TO_MERGE, *WHICH_BLOCK, *SPLITTING, *WHERE_TO, *RESIZING, *FREEING, *SYSTEM_CALLS,
    *FAILING, *SIZES, *CLEARING, *PROMISES,
]  # fmt: skip
