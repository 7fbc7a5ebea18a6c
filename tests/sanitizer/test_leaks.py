"""Leaks are told in valgrind's four kinds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from checked import checked

from emu.sanitizer.book import Block
from emu.sanitizer.leaks import Loss, leaks

PROGRAM = """
#include <stdlib.h>
struct node { struct node *next; long value; };
static struct node *reachable;
static char *inside;
static struct node *node(struct node *next, size_t size)
{
    struct node *new = calloc(1, size);
    new->next = next;
    return new;
}
static void lose(void)
{
    node(node(node(0, 24), 32), 40);              /* one lost, two by it */
    struct node *a = node(0, 48), *b = node(a, 56);
    a->next = b;                                  /* a ring */
    reachable = node(node(0, 64), 72);
    inside = (char *)node(node(0, 80), 88) + 8;   /* possibly, and what it leads to */
}
static void wipe(void)
{
    volatile long stack[500];
    for (int i = 0; i < 500; i++) stack[i] = 0;
}
int main(void) { lose(); wipe(); return 0; }
"""
_SUMMARY = re.compile(r"^==\d+== +([a-z ]+): ([\d,]+) bytes in ([\d,]+) blocks", re.MULTILINE)


def test_valgrind_counts_the_same(tmp_path: Path) -> None:
    source, program = tmp_path / "leaks.c", tmp_path / "leaks"
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-o", program, source], check=True)
    told = subprocess.run(
        ["valgrind", "--leak-check=full", program], capture_output=True, text=True, check=True
    )
    theirs = {kind: (int(size), int(count)) for kind, size, count in _SUMMARY.findall(told.stderr)}
    ours = dict.fromkeys(map(str, Loss), (0, 0))
    for leak in checked(program).leaks:
        size, count = ours[leak.loss]
        ours[leak.loss] = size + leak.bytes, count + len(leak.blocks)
    assert ours == {kind: theirs[kind] for kind in ours}
    assert all(count for _, count in ours.values())


def memory(words: dict[int, int]):
    """Zeros, but for some words."""

    def read(address: int, size: int) -> bytes:
        return b"".join(
            words.get(at, 0).to_bytes(8, "little") for at in range(address, address + size, 8)
        )

    return read


def losses(words: dict[int, int], registers=(), roots=((0x100, 0x140),)) -> dict[int, Loss]:
    blocks = [Block(address, 32) for address in (0x1000, 0x2000, 0x3000)]
    found = leaks(blocks, registers, roots, memory(words))
    return {block.address: leak.loss for leak in found for block in leak.blocks}


def test_an_address_in_a_register_or_a_root_makes_a_block_reachable() -> None:
    found = losses({0x110: 0x2000}, registers=[0x1000])
    assert found == {
        0x1000: Loss.REACHABLE,
        0x2000: Loss.REACHABLE,
        0x3000: Loss.DEFINITELY,
    }


def test_a_block_that_only_a_lost_one_leads_to_is_lost_with_it() -> None:
    found = losses({0x3008: 0x1000, 0x1000: 0x2000, 0x2000: 0x2000})
    assert found == {
        0x1000: Loss.INDIRECTLY,
        0x2000: Loss.INDIRECTLY,
        0x3000: Loss.DEFINITELY,
    }


def test_an_address_within_a_block_makes_it_possibly_lost() -> None:
    found = losses({0x110: 0x2010, 0x118: 0x1020, 0x2018: 0x3000})
    assert found == {
        0x1000: Loss.DEFINITELY,
        0x2000: Loss.POSSIBLY,
        0x3000: Loss.POSSIBLY,
    }


def test_without_blocks_nothing_is_lost() -> None:
    assert leaks([], [1, 2], [(0x100, 0x140)], memory({})) == []


def test_the_address_of_a_header_behind_a_block_is_none_of_the_program() -> None:
    """malloc(100) may have its last bytes in the chunk behind it, whose address its list holds."""
    block = Block(0x1010, 100)
    for word, loss in ((0x1070, Loss.DEFINITELY), (0x1068, Loss.POSSIBLY), (0x1060, Loss.POSSIBLY)):
        (leak,) = leaks([block], [], [(0x100, 0x140)], memory({0x110: word}))
        assert leak.loss is loss


@pytest.mark.parametrize("options", [(), ("-static",)])
def test_a_block_that_only_the_allocator_knows_is_lost(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    source, program = tmp_path / "lost.c", tmp_path / "lost"
    source.write_text("#include <stdlib.h>\nint main(void) { char *a = malloc(100); return !a; }\n")
    subprocess.run(["gcc", "-O0", "-g", *options, "-o", program, source], check=True)
    lost = [leak for leak in checked(program).leaks if leak.loss is Loss.DEFINITELY]
    assert [leak.bytes for leak in lost] == [100]
