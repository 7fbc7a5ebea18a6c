"""Bugs with pointers: cut to 32 bits, taken for NULL, and errnos that are taken for pointers."""

from __future__ import annotations

from planting import Bug

CUT = [
    Bug(
        "free cuts what it is given to 32 bits",
        "free.s",
        "        add     rdi, TO_HEADER\n",
        "        add     edi, TO_HEADER\n",
        "fault",
    ),
    Bug(
        "what is copied is looked for in the lowest 4 GiB",
        "realloc.s",
        "        mov     rdi, rax\n        lea     rsi, [rbx + META]\n",
        "        mov     rdi, rax\n        lea     esi, [rbx + META]\n",
        "fault",
    ),
    Bug(
        "what is cleared is looked for in the lowest 4 GiB",
        "calloc.s",
        "        mov     rdi, rax\n        mov     rsi, rax ",
        "        mov     edi, eax\n        mov     rsi, rax ",
        "fault",
    ),
]
"""Mapped blocks, which lie high, are given back, copied and cleared by the same lines."""

CUT_IN_THE_HEAP = [
    Bug(
        "a new block's address is cut to 32 bits",
        "malloc.s",
        "        call    split_block\n        lea     rax, [rdi + META]\n",
        "        call    split_block\n        lea     eax, [rdi + META]\n",
        "outside",
    ),
    Bug(
        "half of a back pointer is written",
        "block.s",
        "        mov     [rdx + BLOCK_PREV], rcx\n",
        "        mov     dword ptr [rdx + BLOCK_PREV], ecx\n",
        "back-pointer",
    ),
    Bug(
        "indexed: a new block's address is cut to 32 bits",
        "malloc.s",
        "        jmp     append_block\n",
        "        call    append_block\n        mov     eax, eax\n        ret\n",
        "outside",
        base="indexed",
    ),
]

AT_A_BOUNDARY = [
    Bug(
        "a block at a multiple of 4 GiB counts as none",
        "calloc.s",
        "        test    rax, rax\n",
        "        test    eax, eax\n",
        "calloc-not-zero",
    ),
    Bug(
        "a last block at a multiple of 4 GiB counts as none",
        "block.s",
        "        test    rax, rax\n        jz      .Lappend_first\n",
        "        test    eax, eax\n        jz      .Lappend_first\n",
        "list",
    ),
    Bug(
        "an old break that has no bit in common with the new one is no memory",
        "malloc.s",
        "        call    grow\n        test    rax, rax\n        jz      .Lheap_refused\n"
        "        mov     rdi, rax\n        mov     rsi, rbx\n",
        "        call    grow\n        test    rax, rdi\n        jz      .Lheap_refused\n"
        "        mov     rdi, rax\n        mov     rsi, rbx\n",
        "tiling",
    ),
]

HIGH_BUGS = [*CUT_IN_THE_HEAP, *AT_A_BOUNDARY]
"""What no heap below 4 GiB shows."""

ERRNOS = [
    Bug(
        "the largest errno is taken for an address",
        "mapped.s",
        "        jae     .Lmap_refused ",
        "        ja      .Lmap_refused ",
        "fault",
    ),
    Bug(
        "the least errno is taken for an address",
        "mapped.s",
        "        jae     .Lmap_refused                   # unsigned: -4095 to -1\n",
        "        jb      .Lmap_given\n        cmp     rax, -1\n        jne     .Lmap_refused\n"
        ".Lmap_given:\n",
        "fault",
    ),
]

POINTER_BUGS = [*CUT, *HIGH_BUGS, *ERRNOS]
