"""Broken indexes: indexed with one planted bug each."""

from __future__ import annotations

from bugs import Bug

HOLES = "a = malloc 24\nb = malloc 8\nc = malloc 24\nd = malloc 8\ne = malloc 24\nf = malloc 8\n"
"""Blocks of 24 bytes that can be given back without becoming neighbours."""

RUN = "a = malloc 24\nb = malloc 40\nc = malloc 56\nd = malloc 8\n"
RUNS = RUN + "e = malloc 8\nf = malloc 8\ng = malloc 8\nh = malloc 8\n"
LARGE = (
    "a = malloc 100K\nb = malloc 100K\nx = malloc 8\nc = malloc 90K\nd = malloc 90K\ny = malloc 8\n"
)
"""Two pairs that make runs of more than 128 KiB, the longer one first."""

END = "p = malloc 500\nq = malloc 8\nr = malloc 100\nfree p\nfree r\n"
"""A hole of 500 bytes, and a run that ends the heap."""

FULL = "a = malloc 100000\nb = malloc 100000\nfill b 0xff\n"
"""The second ends the heap."""


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
        "        je      list_block\n        jmp     insert_into_tree\n",
        "        je      list_block\n        ret\n",
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
        "        call    withdraw\n",
        "",
        "index-block",
        RUN + "free b\na = realloc a 100\n",
    ),
    _bug(
        "what realloc absorbs stays listed behind another",
        "runs.s",
        "        mov     [r8 + rdx*8 + TO_FOLLOWING], ecx\n",
        "",
        "index-list",
        RUNS + "free b\nfree c\nfree f\nfree g\na = realloc a 150\n",
    ),
    _bug(
        "what realloc absorbs stays listed before another",
        "runs.s",
        "        mov     [r8 + rcx*8 + TO_PREVIOUS], edx\n",
        "",
        "index-list",
        RUNS + "free b\nfree c\nfree f\nfree g\ne = realloc e 80\n",
    ),
    _bug(
        "what realloc absorbs stays the first of the list",
        "runs.s",
        ".Lwithdraw_first:\n        mov     [rip + unmerged], ecx\n",
        ".Lwithdraw_first:\n",
        "index-list",
        RUN + "free b\nfree c\na = realloc a 150\n",
    ),
    _bug(
        "free does not look at the block before",
        "free.s",
        "        je      list_block\n        jmp     index_block\n",
        "        jmp     index_block\n",
        "index-list",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "free does not look at the block behind",
        "runs.s",
        "        je      list_block\n        jmp     insert_into_tree\n",
        "        jmp     insert_into_tree\n",
        "index-list",
        RUN + "free b\nfree a\n",
    ),
    _bug(
        "what is merged behind a block stays in its tree",
        "runs.s",
        "        mov     rax, rdi\n        call    withdraw\n",
        "        mov     rax, rdi\n",
        "index-block",
        RUNS + "free e\nfree f\nfree b\nfree a\nz = malloc 90\n",
    ),
    _bug(
        "what is merged before a block stays in its tree",
        "runs.s",
        "        mov     rdi, rcx\n        call    withdraw\n",
        "        mov     rdi, rcx\n",
        "index-block",
        RUNS + "free e\nfree f\nfree a\nfree b\nz = malloc 90\n",
    ),
    _bug(
        "a run is as long as its last block",
        "runs.s",
        "        mov     rcx, rdx\n        call    insert_sized\n",
        "        mov     rcx, [rax + BLOCK_SIZE]\n        call    insert_sized\n",
        "index-bin",
        RUN + "free a\nfree b\ne = malloc 1000\n",
    ),
    _bug(
        "trees are the wrong way round",
        "tree.s",
        "        setb    r11b\n",
        "        seta    r11b\n",
        "index-order",
        HOLES + "free a\nfree c\nfree e\n",
    ),
    _bug(
        "the last bin's trees are by address alone",
        "tree.s",
        "        cmp     [r8 + rdx*8 + SIZE_HERE], \\size\n        jne     \\done\n",
        "",
        "index-order",
        LARGE + "free a\nfree b\nfree c\nfree d\nz = malloc 8\n",
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
        "malloc.s",
        "        mov     [rip + heap_tail], rdi\n        ret\n",
        "        mov     [rip + heap_tail], rdi\n        mov     r8, [rip + heap_head]\n"
        "        jmp     insert_into_tree\n",
        "index-block",
        "a = malloc 100\n",
    ),
    _bug(
        "a run that ends the heap is in a tree",
        "runs.s",
        "        mov     qword ptr [rdi + META], 0       # in no tree\n",
        "        call    insert_into_tree\n",
        "index-block",
        END + "s = malloc 500\n",
    ),
    _bug(
        "what ends the heap is taken out of a tree",
        "tree.s",
        "        cmp     qword ptr [rdi + BLOCK_NEXT], 0\n        jne     .Lremove_from_tree\n"
        "        ret\n",
        "",
        "budget",
        "a = malloc 100\nfree a\nb = malloc 8\n",
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
        "        mov     [r8 + rcx*8 + TO_PREVIOUS], esi\n",
        "",
        "index-list",
        RUNS + "free a\nfree b\nfree e\nfree f\n",
    ),
    _bug(
        "a run of two is not to be merged",
        "runs.s",
        "        mov     [rip + unmerged], esi\n",
        "",
        "budget",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "the neighbour of the first that is listed stays in its tree",
        "runs.s",
        "        call    remove_block\n        jmp     list_block\n",
        "        jmp     list_block\n",
        "index-link",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "what is listed is not marked so",
        "runs.s",
        "        mov     dword ptr [rdi + PREVIOUS], LISTED\n",
        "        mov     dword ptr [rdi + PREVIOUS], 0\n",
        "index-mark",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "a mark is lost when another is listed",
        "runs.s",
        "        bts     esi, LISTED_BIT\n",
        "",
        "index-mark",
        RUNS + "free a\nfree b\nfree e\nfree f\n",
    ),
    _bug(
        "what ends the heap has the mark that the caller wrote",
        "runs.s",
        "        mov     qword ptr [rdi + META], 0\n        ret\n",
        "        ret\n",
        "index-mark",
        FULL + "free b\n",
    ),
    _bug(
        "the rest that ends the heap has the mark that the caller wrote",
        "malloc.s",
        "        mov     qword ptr [rdi + META], 0       # in no tree\n",
        "",
        "index-mark",
        FULL + "free b\nc = malloc 8\n",
    ),
    _bug(
        "a run that ends the heap stays marked",
        "runs.s",
        "        mov     qword ptr [rdi + META], 0       # in no tree\n",
        "",
        "index-mark",
        END + "s = malloc 500\n",
    ),
]
