"""Broken indexes: indexed with one planted bug each."""

from __future__ import annotations

from bugs import Bug

HOLES = "a = malloc 24\nb = malloc 8\nc = malloc 24\nd = malloc 8\ne = malloc 24\nf = malloc 8\n"
"""Blocks of 24 bytes that can be given back without becoming neighbours."""

RUN = "a = malloc 24\nb = malloc 40\nc = malloc 56\nd = malloc 8\n"
LARGE = (
    "a = malloc 100K\nb = malloc 100K\nx = malloc 8\nc = malloc 90K\nd = malloc 90K\ny = malloc 8\n"
)
"""Two pairs that make runs of more than 128 KiB, the longer one first."""


def _bug(name: str, file: str, was: str, is_: str, caught_by: str, scenario: str) -> Bug:
    return Bug(name, file, was, is_, caught_by, scenario, "indexed")


INDEX_BUGS = [
    _bug(
        "a leaf keeps what the caller wrote",
        "tree.s",
        "        mov     qword ptr [r8 + rsi*8], 0\n        mov     edx, ecx\n",
        "        mov     edx, ecx\n",
        "index-link",
        HOLES + "fill a 0x55\nfree a\n",
    ),
    _bug(
        "a block alone is in no tree",
        "runs.s",
        "        cmp     dword ptr [rcx + BLOCK_STATUS], FREE\n        jne     insert_block\n",
        "        cmp     dword ptr [rcx + BLOCK_STATUS], FREE\n        jne     .Lenter_waits\n",
        "index-block",
        HOLES + "free c\n",
    ),
    _bug(
        "the rest of a split is in no tree",
        "verbs.s",
        "        call    index_block\n",
        "",
        "index-block",
        "a = malloc 100\nb = malloc 8\na = realloc a 8\n",
    ),
    _bug(
        "what realloc absorbs stays in its tree",
        "verbs.s",
        "        call    withdraw_run\n",
        "",
        "index-block",
        RUN + "free b\na = realloc a 100\n",
    ),
    _bug(
        "what realloc leaves of a run is in no tree",
        "verbs.s",
        "        call    enter_run\n",
        "",
        "index-block",
        RUN + "free b\nfree c\na = realloc a 60\n",
    ),
    _bug(
        "free does not look at the block before",
        "free.s",
        "        jne     index_block\n        push    rbx\n",
        "        jmp     index_block\n        push    rbx\n",
        "index-block",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "free does not look at the block behind",
        "runs.s",
        "        cmp     dword ptr [rcx + BLOCK_STATUS], FREE\n        jne     insert_block\n",
        "        jmp     insert_block\n",
        "index-block",
        RUN + "free b\nfree a\n",
    ),
    _bug(
        "a run stays in the bin of a part of it",
        "free.s",
        "        call    withdraw_length                 # its second stays its second\n",
        "",
        "index-link",
        RUN + "free a\nfree b\nfree c\n",
    ),
    _bug(
        "a run is as long as its first block",
        "runs.s",
        "        sub     rcx, rdi                        # the run as one payload\n",
        "        mov     rcx, [rdi + BLOCK_SIZE]\n",
        "index-bin",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "trees are the wrong way round",
        "tree.s",
        "        cmp     edx, esi\n        jb      \\right\n        .endm\n\n"
        "        .macro  compare_large",
        "        cmp     edx, esi\n        ja      \\right\n        .endm\n\n"
        "        .macro  compare_large",
        "index-order",
        HOLES + "free a\nfree c\nfree e\n",
    ),
    _bug(
        "the last bin's trees are by address alone",
        "tree.s",
        "        jb      \\right\n        ja      \\left\n        cmp     edx, esi\n",
        "        cmp     edx, esi\n",
        "index-order",
        LARGE + "free a\nfree b\nfree c\nfree d\n",
    ),
    _bug(
        "a run in the last bin has the key of its first block",
        "runs.s",
        "        shl     rcx, 3\n        jmp     insert_in_last_bin\n",
        "        mov     rcx, [rdi + BLOCK_SIZE]\n        jmp     insert_in_last_bin\n",
        "index-key",
        LARGE + "free a\nfree b\n",
    ),
    _bug(
        "the lowest priority is above",
        "tree.s",
        "        cmp     r11d, ecx\n        jb      .Linsert_here_\\kind\n",
        "        cmp     r11d, ecx\n        ja      .Linsert_here_\\kind\n",
        "index-priority",
        HOLES + "free a\nfree c\nfree e\n",
    ),
    _bug(
        "joins the wrong way round",
        "tree.s",
        "        jb      .Ljoin_right_is_above\n",
        "        ja      .Ljoin_right_is_above\n",
        "index-priority",
        "".join(f"p{i} = malloc 24\nq{i} = malloc 8\n" for i in range(12))
        + "".join(f"free p{i}\n" for i in range(12))
        + "".join(f"free q{i}\nx = malloc 1000\n" for i in range(9, 0, -2)),
    ),
    _bug(
        "no bit for a bin",
        "tree.s",
        "        bts     r11, rcx\n        mov     [r10 + rdx*8 + BOTTOM], r11\n        ret\n",
        "        ret\n",
        "index-bit",
        HOLES + "free a\nfree b\ng = malloc 8\nfree d\n",
    ),
    _bug(
        "the bit of an empty word of the bottom stays",
        "tree.s",
        "        btr     r11, rcx\n        mov     [r10 + rsi*8 + MIDDLE], r11\n",
        "",
        "index-bit",
        "a = malloc 1000\nb = malloc 8\nfree a\nc = malloc 1000\n",
    ),
    _bug(
        "no bit for a word of the middle",
        "tree.s",
        "        bts     r11, rdx\n        mov     [r10 + TOP], r11\n",
        "",
        "index-bit",
        "a = malloc 8\nb = malloc 8\nfree a\n",
    ),
    _bug(
        "the bit of an empty bin stays",
        "tree.s",
        "        btr     r11, rcx\n        mov     [r10 + rsi*8 + BOTTOM], r11\n",
        "",
        "index-bit",
        "a = malloc 8\nb = malloc 8\nfree a\nc = malloc 8\n",
    ),
    _bug(
        "a block that ends the heap is in a tree",
        "tree.s",
        "        cmp     qword ptr [rdi + BLOCK_NEXT], 0\n        jne     .Linsert_into_tree\n"
        "        ret\n",
        "",
        "index-block",
        "a = malloc 100\nb = malloc 100\nfree b\na = realloc a 150\n",
    ),
    _bug(
        "a run that ends the heap is in a tree",
        "runs.s",
        "        cmp     qword ptr [rax + BLOCK_NEXT], 0\n"
        "        je      .Lenter_waits                   # it ends the heap\n",
        "",
        "index-block",
        "a = malloc 100\nfree a\n",
    ),
    _bug(
        "a run is taken out of a tree in which it is not",
        "runs.s",
        "        cmp     qword ptr [rax + BLOCK_NEXT], 0\n        je      .Lwithdraw_waited\n",
        "",
        "budget",
        "a = malloc 100\nb = malloc 100\nfree b\nfree a\n",
    ),
    _bug(
        "the heap's end is taken before what fits better",
        "malloc.s",
        "        cmp     rdx, rax\n        jb      .Ltake_tail\n",
        "        jmp     .Ltake_tail\n",
        "result",
        "a = malloc 100\nb = malloc 8\nfree a\nc = malloc 90\nexpect c == a\n",
    ),
    _bug(
        "the heap's end is taken last, whatever fits better",
        "malloc.s",
        "        cmp     rdx, rax\n        jb      .Ltake_tail\n",
        "",
        "result",
        "a = malloc 100000\nb = malloc 20000\nfree a\nc = malloc 10000\nexpect c != a\n",
    ),
    _bug(
        "of two longer than 128 KiB, the heap's end is never the better",
        "malloc.s",
        "        jae     .Ltake_from_bin\n.Ltake_tail:\n",
        "        jmp     .Ltake_from_bin\n.Ltake_tail:\n",
        "result",
        "a = malloc 100000\nb = malloc 100000\nc = malloc 8\nd = malloc 80000\ne = malloc 80000\n"
        "free a\nfree b\nfree d\nfree e\nf = malloc 130000\nexpect f == d\n",
    ),
    _bug(
        "the list of the unmerged goes one way only",
        "runs.s",
        "        mov     [r8 + rcx*8 + TO_PREVIOUS], r11d\n",
        "",
        "index-list",
        RUN + "e = malloc 8\nf = malloc 8\ng = malloc 8\nfree a\nfree b\nfree e\nfree f\n",
    ),
    _bug(
        "a run of two is not to be merged",
        "runs.s",
        "        mov     [rip + unmerged], r11d\n",
        "",
        "index-list",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "the third block does not know the last",
        "runs.s",
        "        mov     [rdx + RUN_TAIL], r11d\n",
        "",
        "index-run",
        RUN + "free a\nfree b\nfree c\n",
    ),
    _bug(
        "the last block does not know the first",
        "runs.s",
        "        mov     [rax + RUN_HEAD], r11d\n",
        "",
        "index-run",
        RUN + "free a\nfree b\nfree c\n",
    ),
]
