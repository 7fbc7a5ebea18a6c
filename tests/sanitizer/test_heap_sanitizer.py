"""Heap(sanitize=True): the allocator keeps off blocks in use, the program off everything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from asm.source import PACKAGE
from emu import Heap, run
from emu.process import host_code
from emu.scenario.load import from_text

BROKEN = {
    "read": "        cmp     dword ptr [rdi + 64], 0\n",
    "write": "        mov     dword ptr [rdi + 64], 1\n",
}
"""os_free that goes astray: it looks at the payload behind the next header, or writes there."""
SCENARIO = "a = malloc 32\nb = calloc 1 64\nfree a\n"


@pytest.fixture(params=["machine code", "Python"])
def heap(request: pytest.FixtureRequest) -> Iterator[Heap]:
    """Of a host that can run our machine code, and of one that cannot."""
    if request.param == "Python":
        with (
            patch.object(host_code, "runs_here", return_value=False),
            Heap("osmem", sanitize=True) as made,
        ):
            yield made
    else:
        with Heap("osmem", sanitize=True) as made:
            yield made


def rules(heap: Heap) -> list[str]:
    """Of the sanitizer's findings: they name the instruction."""
    return [finding.rule for finding in heap.findings if "harness.s" in finding.message]


def test_what_is_written_may_be_read_and_nothing_else(heap: Heap) -> None:
    p = heap.malloc(10)
    heap.write(p, 0, b"abc")
    heap.read(p, 0, 3)
    assert rules(heap) == []
    heap.read(p, 2, 2)
    assert rules(heap) == ["read-unwritten"]
    assert "read of 1 byte at heap+0x23 by look+" in heap.findings[-1].message
    assert heap.findings[-1].message.endswith("3 bytes inside 10 bytes at heap+0x20 (given by #1)")


def test_a_byte_beside_a_block_is_not_its(heap: Heap) -> None:
    p = heap.calloc(3, 7)
    heap.malloc(8)
    heap.read(p, 0, 21)
    assert rules(heap) == []
    heap.read(p, 21, 1)
    heap.read(p, -1, 1)
    heap.write(p, 21, b"x")
    assert rules(heap) == ["heap-overflow"], "a place that reads is told of once a call"
    assert heap.findings[1].rule == "write-past-end"
    assert heap.findings[0].message.endswith("0 bytes after 21 bytes at heap+0x20 (given by #1)")
    heap.malloc(8)
    heap.read(p, -1, 1)
    assert heap.findings[-1].message.endswith("1 byte before 21 bytes at heap+0x20 (given by #1)")


def test_a_block_that_was_given_back_is_touched_no_more(heap: Heap) -> None:
    p = heap.calloc(1, 30)
    heap.free(p)
    heap.read(p, 4, 1)
    assert rules(heap) == ["use-after-free"]
    assert heap.findings[-1].message.endswith("(given by #1, freed by #2)")


def test_a_wrong_write_of_the_programs_is_told_once(heap: Heap) -> None:
    p, q = heap.malloc(10), heap.malloc(10)
    heap.write(p, 8, b"abcd")
    heap.write(q, -1, b"ab")
    heap.fill(p, 1, 12)
    heap.free(q)
    heap.fill(q, 3, 9)
    found = [(finding.rule, finding.call) for finding in heap.ledger.findings]
    assert [rule for rule, _ in found] == [
        "write-past-end", "write-before-start", "write-past-end", "use-after-free",
    ]  # fmt: skip
    heap.read(q, 0, 2)
    assert rules(heap) == ["use-after-free"]


def test_realloc_carries_along_what_was_written_and_no_more(heap: Heap) -> None:
    p = heap.malloc(100)
    heap.malloc(8)
    for start in range(0, 100, 3):
        heap.write(p, start, b"x")
    p = heap.realloc(p, 300_000)
    for start in range(0, 100, 3):
        heap.read(p, start, 1)
    assert rules(heap) == []
    for start in (1, 98, 100, 299_999):
        found = len(heap.findings)
        heap.read(p, start, 1)
        assert len(heap.findings) == found + (start == 1), "told once a call and a block"
    heap.malloc(1)
    heap.read(p, 299_999, 1)
    assert rules(heap) == ["read-unwritten"] * 2


def test_a_mapped_block_is_watched_to_the_byte(heap: Heap) -> None:
    p = heap.malloc(200_001)
    heap.fill(p, 7)
    heap.read(p, 0, 200_001)
    assert rules(heap) == []
    heap.read(p, 200_000, 2)
    assert rules(heap) == ["heap-overflow"]


def test_a_persons_hand_writes_too(heap: Heap) -> None:
    p = heap.malloc(10)
    heap.memory[p : p + 4] = b"abcd"
    heap.read(p, 0, 4)
    assert rules(heap) == []


def test_going_back_brings_back_what_was_written(heap: Heap) -> None:
    p = heap.malloc(5000)
    heap.write(p, 0, b"ab")
    before = heap.snapshot()
    heap.free(p)
    q = heap.malloc(60)
    heap.fill(q, 1)
    heap.restore(before)
    heap.read(p, 0, 2)
    assert rules(heap) == []
    heap.read(p, 2, 1)
    assert rules(heap) == ["read-unwritten"]


def test_a_fork_knows_what_was_written(heap: Heap) -> None:
    p = heap.malloc(10)
    heap.write(p, 0, b"ab")
    with heap.fork() as other:
        heap.write(p, 2, b"c")
        other.read(p, 0, 2)
        assert rules(other) == []
        other.read(p, 2, 1)
        assert rules(other) == ["read-unwritten"]
    heap.read(p, 0, 3)
    assert rules(heap) == []


def act(heap: Heap, random: Random) -> None:
    """Something right."""
    live = list(heap.ledger.live.values())
    block = random.choice(live) if live else None
    choice = random.randrange(6)
    if choice < 2 or block is None:
        heap.malloc(random.choice((1, 8, 24, 100, 5000, 140_000)))
    elif choice == 2:
        heap.calloc(2, random.choice((4, 3000)))
    elif choice == 3:
        heap.realloc(block.address, random.choice((1, 50, 5000, 200_000)))
    elif choice == 4:
        heap.fill(block.address, 3)
        heap.read(block.address, 0, block.size)
    else:
        heap.free(block.address)


def wrong(heap: Heap, random: Random) -> None:
    """Something that may be right, and does not kill."""
    blocks = [0, *heap.ledger.live, *heap.ledger._taken]
    payload = random.choice(blocks)
    live = heap.ledger.live.get(payload)
    if payload and random.random() < 0.5 and heap._usable(payload, payload + 64):
        heap.read(payload, random.randrange(0, 40), random.randrange(1, 20))
    elif live and live.size > 16 and random.random() < 0.5:
        heap.write(payload, random.randrange(0, 9), b"12345")
    else:
        act(heap, random)


def test_a_heap_that_went_back_tells_what_another_tells_that_did_not() -> None:
    for seed in range(6):
        random = Random(seed)
        with Heap(sanitize=True) as heap, Heap(sanitize=True) as other:
            seeds = [random.randrange(1 << 30) for _ in range(24)]
            for number, one in enumerate(seeds):
                before = heap.snapshot()
                for astray in (one ^ 1, one ^ 2):
                    wrong(heap, Random(astray))
                heap.restore(before)
                if number % 2:
                    with heap.fork() as fork:
                        wrong(fork, Random(one))
                        found = fork.findings
                        wrong(heap, Random(one))
                        assert found == heap.findings
                else:
                    wrong(heap, Random(one))
                wrong(other, Random(one))
                assert heap.findings == other.findings
            assert {finding.rule for finding in heap.findings} >= {"read-unwritten"}


def test_osmem_touches_no_block_in_use(heap: Heap) -> None:
    random = Random(7)
    for _ in range(60):
        act(heap, random)
    assert heap.check() == []


IN_AN_ARRAY = """
        .intel_syntax noprefix
        .data
used:   .quad   0
arena:  .zero   4096
        .text
        .globl  os_malloc
        .globl  os_calloc
        .globl  os_realloc
        .globl  os_free
os_malloc:
        mov     rax, [rip + used]
        lea     rcx, [rax + rdi + 23]
        shr     rcx, 4
        shl     rcx, 4
        mov     [rip + used], rcx
        lea     rdx, [rip + arena]
        add     rax, rdx
        ret
os_calloc:
os_realloc:
        xor     eax, eax
os_free:
        ret
"""


def test_an_allocators_own_data_is_its_own(tmp_path: Path) -> None:
    allocator = tmp_path / "array.s"
    allocator.write_text(IN_AN_ARRAY)
    with Heap(allocator, sanitize=True, contract="malloc") as heap:
        p, _ = heap.malloc(10), heap.malloc(10)
        heap.fill(p, 1)
        heap.read(p, 0, 10)
        assert rules(heap) == []
        heap.read(p, 0, 11)
        heap.malloc(1)
        heap.read(heap.image.symbols["used"], 0, 1)
        assert rules(heap) == ["heap-overflow"] * 2


def broken(folder: Path, bug: str) -> Path:
    for source in (PACKAGE / "osmem").glob("*.s"):
        text = source.read_text()
        if source.name == "free.s":
            assert text.count("\nos_free:\n") == 1
            text = text.replace("\nos_free:\n", f"\nos_free:\n{BROKEN[bug]}")
        (folder / source.name).write_text(text)
    return folder / "osmem.s"


@pytest.mark.parametrize("bug", BROKEN)
def test_an_allocator_that_touches_another_block_is_told_with_its_line(
    tmp_path: Path, bug: str
) -> None:
    done = run(from_text(SCENARIO, "a.heap"), broken(tmp_path, bug), sanitize=True)
    (found,) = (f for f in done.findings if f.rule == "allocator-touches-live")
    assert found.call == 3
    assert found.message.startswith(f"{bug} of 4 bytes at heap+0x60 by os_free (")
    instruction = " ".join(BROKEN[bug].split())
    assert f"free.s:11: {instruction}): 0 bytes inside 64 bytes at heap+0x60" in found.message
    assert ("contents-changed" in {f.rule for f in done.findings}) is (bug == "write")


def test_the_command_tells_of_it(tmp_path: Path) -> None:
    scenario, allocator = tmp_path / "a.heap", broken(tmp_path, "read")
    scenario.write_text(SCENARIO)
    emu = [sys.executable, "-m", "emu.cli", "run", str(scenario), "--allocator", str(allocator)]
    plain = subprocess.run(emu, capture_output=True, check=False)
    looked = subprocess.run([*emu, "--sanitize"], capture_output=True, check=False)
    assert (plain.returncode, looked.returncode) == (0, 1), plain.stderr
    assert b"allocator-touches-live" in looked.stdout


@pytest.mark.parametrize("name", ["libjemalloc.so.2", "libmimalloc.so.2.0", "libc.so.6"])
def test_allocators_of_the_world_keep_off_blocks_in_use(name: str) -> None:
    with Heap(f"/usr/lib/x86_64-linux-gnu/{name}", sanitize=True) as heap:
        random = Random(3)
        for _ in range(40):
            act(heap, random)
        assert heap.findings == []
        p = heap.malloc(40)
        heap.read(p, 7, 1)
        assert rules(heap) == ["read-unwritten"]
