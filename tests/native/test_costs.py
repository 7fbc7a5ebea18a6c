"""Callgrind counts the host's instructions; the emulator counts its own: they are as many.

A repetition of a string instruction is an instruction in both, and so is the look at rcx that ends
it. Where a function goes on into the one behind it without a jump, callgrind does not always
notice: such functions are taken together.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from asm.elf.symbols import functions
from asm.image import Image
from emu import Heap, allocators
from emu.trace import profile
from tests.callgrind import counted
from tests.native.building import HERE, build, link
from tests.native.scripts import written


@pytest.mark.parametrize("allocator", allocators.SHIPPED)
def test_every_function_costs_what_callgrind_counts(allocator: str, tmp_path: Path) -> None:
    with Heap(allocator) as heap:
        with heap.trace() as recorder:
            script = written(heap, seed=5, calls=250, limits=False)
        ours = {function.name: function.own for function in profile.flat(recorder.trace)}
    driver = link(HERE / "driver.c", build(tmp_path, "libosmem.so", allocator))
    counts = counted(driver, tmp_path / "counts", "\n".join(script.lines))
    theirs = {name: own for name, (own, _) in counts.items()}
    together = groups(heap.image)
    own, counted_there = (
        [sum(costs.get(name, 0) for name in group) for group in together]
        for costs in (ours, theirs)
    )
    assert own == counted_there
    assert len(own) > 15
    assert sum(map(bool, own)) > 0.8 * len(own)


def groups(image: Image) -> list[list[str]]:
    """Functions in the order of their addresses, with those that they go on into."""
    made: list[list[str]] = []
    goes_on = False
    for function in functions(image):
        if goes_on:
            made[-1].append(function.name)
        else:
            made.append([function.name])
        last = image.line_at(function.end - 1)
        assert last
        goes_on = last.text.split()[0] not in ("ret", "jmp")
    return made
