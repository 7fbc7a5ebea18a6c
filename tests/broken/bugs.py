"""Broken allocators: osmem with a bug for each rule that a single run knows.

Each has the scenario that shows it.
"""

from __future__ import annotations

from planting import Bug, build

from asm.source import PACKAGE

__all__ = ["BUGS", "Bug", "build"]

THREE = "a = malloc 100\nb = malloc 100\nc = malloc 100\n"

BUGS = [
    Bug(
        "no back pointer after a split",
        "block.s",
        "        jmp     set_back_pointer                # of what follows the rest\n",
        "        ret\n",
        "back-pointer",
        THREE + "free b\nd = malloc 8\n",
    ),
    Bug(
        "merges across a live block",
        "search.s",
        "        cmp     dword ptr [rdx + BLOCK_STATUS], FREE\n"
        "        jne     .Lmerge_step\n        call    absorb_next\n",
        "        call    absorb_next\n",
        "overlap",
        THREE + "free a\nd = malloc 100\ne = malloc 100\n",
    ),
    Bug(
        "forgets to align: payload",
        "malloc.s",
        "        and     rdi, ALIGN_MASK\n",
        "",
        "misaligned",
        "a = malloc 2\nb = malloc 8\n",
    ),
    Bug(
        "forgets to align: size",
        "malloc.s",
        "        and     rdi, ALIGN_MASK\n",
        "",
        "size",
        "a = malloc 2\n",
    ),
    Bug(
        "forgets to align: header",
        "malloc.s",
        "        and     rdi, ALIGN_MASK\n",
        "",
        "alignment",
        "a = malloc 2\n",
    ),
    Bug(
        "splits off blocks without a payload",
        "block.s",
        "        cmp     rax, SPLIT_MIN\n",
        "        cmp     rax, META\n",
        "size",
        "a = malloc 40\nb = malloc 8\nfree a\nc = malloc 8\n",
    ),
    Bug(
        "first fit",
        "search.s",
        "        mov     rcx, [rdx + BLOCK_SIZE]\n.Lbest_step:\n",
        "        jmp     .Lbest_done\n.Lbest_step:\n",
        "result",
        (PACKAGE.parent / "emu/scenario/shipped/best-fit.heap").read_text(),
    ),
    Bug(
        "no coalescing",
        "malloc.s",
        "        call    merge_free_runs\n",
        "",
        "free-neighbours",
        THREE + "free a\nfree b\nd = malloc 8\n",
    ),
    Bug(
        "calloc does not clear",
        "calloc.s",
        "        rep stosq                               # whole words\n",
        "",
        "calloc-not-zero",
        "a = malloc 64\nfill a 0x55\nfree a\nb = calloc 8 8\n",
    ),
    Bug(
        "calloc clears whole words only",
        "calloc.s",
        "        rep stosb                               # and what is left\n",
        "",
        "calloc-not-zero",
        "a = malloc 64\nfill a 0x55\nfree a\nb = calloc 1 13\n",
    ),
    Bug(
        "calloc's product wraps",
        "calloc.s",
        "        jnz     out_of_memory\n",
        "        nop\n",
        "calloc-overflow",
        "a = calloc 0x8000000000000001 2\n",
    ),
    Bug(
        "realloc copies too much",
        "realloc.s",
        "        cmova   rcx, rdx                        # copy the smaller\n",
        "        cmovb   rcx, rdx\n",
        "fault",
        "a = malloc 128K\na = realloc a 1M\n",
    ),
    Bug(
        "realloc into a smaller block copies too much",
        "realloc.s",
        "        cmova   rcx, rdx                        # copy the smaller\n",
        "",
        "contents-changed",
        "a = malloc 100\nb = malloc 8\nc = calloc 1 8000\nfill c 0x55\nfree a\nc = realloc c 24\n",
    ),
    Bug(
        "realloc copies too little",
        "copy.s",
        "        movsb\n",
        "",
        "realloc-contents",
        "a = malloc 128K\nfill a 0x55\na = realloc a 13\n",
    ),
    Bug(
        "the rest of a split begins inside the block",
        "block.s",
        "        lea     rcx, [rdi + rsi + META]         # the rest's header\n",
        "        lea     rcx, [rdi + rsi]\n",
        "contents-changed",
        "a = malloc 100\nb = malloc 100\n",
    ),
    Bug(
        "loses the tail",
        "block.s",
        "        mov     [rip + heap_tail], rcx\n        ret\n",
        "        ret\n",
        "list",
        "a = malloc 130000\nb = malloc 1000\nc = malloc 100000\n",
    ),
    Bug(
        "a new block is too small for what the heap grew",
        "grow.s",
        "        sub     rsi, META                       # bytes of payload\n",
        "        sub     rsi, 48\n",
        "tail",
        "a = malloc 8\n",
    ),
    Bug(
        "a new block is too large for what the heap grew",
        "grow.s",
        "        sub     rsi, META                       # bytes of payload\n",
        "",
        "tiling",
        "a = malloc 8\n",
    ),
    Bug(
        "a failing brk is ignored",
        "grow.s",
        "        cmp     rax, rbx                        # Linux says no by answering\n"
        "        jne     .Lgrow_refused                  # with the old break\n",
        "",
        "outside",
        "a = malloc 131000\nfail brk 1 ENOMEM\nb = malloc 50K\n",
    ),
    Bug(
        "the tail is longer before the kernel agrees",
        "grow.s",
        "        sub     rdi, [rax + BLOCK_SIZE]         # what is missing\n",
        "        sub     rdi, [rax + BLOCK_SIZE]\n        mov     [rax + BLOCK_SIZE], rbx\n",
        "tiling",
        "a = malloc 130000\nfail brk 1 ENOMEM\nb = malloc 50K\n",
    ),
    Bug(
        "a status of its own",
        "free.s",
        "        mov     dword ptr [rdi + BLOCK_STATUS], FREE\n",
        "        mov     dword ptr [rdi + BLOCK_STATUS], 7\n",
        "status",
        "a = malloc 8\nfree a\n",
    ),
    Bug(
        "clobbers rbx",
        "free.s",
        "        test    rdi, rdi\n",
        "        mov     rbx, rdi\n        test    rdi, rdi\n",
        "convention",
        "free null\n",
    ),
    Bug(
        "a failed mmap is used",
        "mapped.s",
        "        jae     .Lmap_refused                   # unsigned: -4095 to -1\n",
        "",
        "fault",
        "fail mmap 1 ENOMEM\na = malloc 1M\n",
    ),
    Bug(
        "exits when memory runs out",
        "state.s",
        "        mov     dword ptr [rip + os_errno], ENOMEM\n        xor     eax, eax\n",
        "        mov     edi, 1\n        mov     eax, 231\n        syscall\n",
        "exit",
        "fail mmap 1 ENOMEM\na = malloc 1M\n",
    ),
    Bug(
        "searches for ever",
        "search.s",
        "        mov     rdx, [rdx + BLOCK_NEXT]\n        jmp     .Lbest_look\n",
        "        jmp     .Lbest_look\n",
        "budget",
        "a = malloc 8\nb = malloc 8\n",
    ),
]
