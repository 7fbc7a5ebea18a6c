"""Broken indexes: indexed with one planted bug each."""

from __future__ import annotations

from bugs import Bug

HOLES = "a = malloc 24\nb = malloc 8\nc = malloc 24\nd = malloc 8\ne = malloc 24\nf = malloc 8\n"
"""Blocks of 24 bytes that can be given back without becoming neighbours."""

RUN = "a = malloc 24\nb = malloc 40\nc = malloc 56\nd = malloc 8\n"


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
        "free forgets the index",
        "free.s",
        "        je      add_unmerged\n        jmp     index_block\n",
        "        je      add_unmerged\n        ret\n",
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
        "        call    withdraw_block\n",
        "",
        "index-block",
        RUN + "free b\na = realloc a 100\n",
    ),
    _bug(
        "the last bin begins too early",
        "tree.s",
        "        cmp     rcx, LAST_BIN\n        jae     .Linsert_large\n",
        "        cmp     rcx, 100\n        jae     .Linsert_large\n",
        "index-bin",
        "a = malloc 8\n",
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
        # two runs of more than 128 KiB, the larger one first
        "a = malloc 100K\nb = malloc 100K\nx = malloc 8\nc = malloc 90K\nd = malloc 90K\n"
        "y = malloc 8\nfree a\nfree b\nfree c\nfree d\nz = malloc 8\n",
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
        "a = malloc 1000\n",
    ),
    _bug(
        "no bit for a word of the middle",
        "tree.s",
        "        bts     r11, rdx\n        mov     [r10 + TOP], r11\n",
        "",
        "index-bit",
        "a = malloc 8\n",
    ),
    _bug(
        "the bit of an empty bin stays",
        "tree.s",
        "        btr     r11, rcx\n        mov     [r10 + rsi*8 + BOTTOM], r11\n",
        "",
        "index-bit",
        "a = malloc 8\n",
    ),
    _bug(
        "free does not look at the block before",
        "free.s",
        "        cmp     dword ptr [rcx + BLOCK_STATUS], FREE\n        je      add_unmerged\n",
        "",
        "index-seam",
        RUN + "free a\nfree b\n",
    ),
    _bug(
        "free does not look at the block behind",
        "unmerged.s",
        "        cmp     dword ptr [rcx + BLOCK_STATUS], FREE\n        je      add_unmerged\n"
        "        jmp     insert_block\n",
        "        jmp     insert_block\n",
        "index-seam",
        RUN + "free b\nfree a\n",
    ),
    _bug(
        "the list of the unmerged goes one way only",
        "unmerged.s",
        "        mov     [r8 + rcx*8 + PREVIOUS], esi\n",
        "",
        "index-list",
        RUN + "free a\nfree b\nfree c\n",
    ),
    _bug(
        "merges what was freed last, and no more",
        "unmerged.s",
        "        call    insert_block\n        jmp     .Lmerge_one\n",
        "        call    insert_block\n",
        "index-list",
        RUN + "e = malloc 8\nf = malloc 8\ng = malloc 8\nfree a\nfree b\nfree e\nfree f\n"
        "h = malloc 8\n",
    ),
]
