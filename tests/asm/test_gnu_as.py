"""Every program we ship means to GNU as what it means to us."""

from __future__ import annotations

from pathlib import Path

import gnu_as
import pytest

from asm.assembler import assemble
from asm.image import Image
from asm.source import PACKAGE

ROOTS = [
    PACKAGE / "osmem" / "osmem.s",
    PACKAGE / "indexed" / "indexed.s",
    PACKAGE / "harness.s",
    PACKAGE / "malloc" / "osmem.s",
    PACKAGE / "malloc" / "indexed.s",
    PACKAGE / "replay.s",
    PACKAGE / "probe" / "access.s",
    PACKAGE / "probe" / "align.s",
    PACKAGE / "probe" / "shadow.s",
    PACKAGE / "probe" / "step.s",
    PACKAGE / "probe" / "count.s",
]
Pair = tuple[Image, dict[str, bytes]]


@pytest.fixture(params=ROOTS, ids=lambda root: f"{root.parent.name}-{root.stem}")
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    """Our image of a program, and GNU's segments at the same addresses."""
    image = assemble(request.param)
    return image, gnu_as.like(image, gnu_as.flattened(request.param), tmp_path)


def test_both_assemblers_make_the_same_instructions(both: Pair) -> None:
    image, gnu = both
    text = image.segments[0]
    ours = gnu_as.listing(text.data, text.address)
    assert ours == gnu_as.listing(gnu["text"], text.address)
    assert len(ours) >= sum(line.address < text.end for line in image.lines)


def test_both_assemblers_make_the_same_bytes(both: Pair) -> None:
    image, gnu = both
    assert {segment.name: segment.data for segment in image.segments} == gnu


def test_every_shipped_source_belongs_to_a_program_compared_here() -> None:
    included = [
        *(PACKAGE / "osmem").glob("*.s"),
        *(PACKAGE / "indexed").glob("*.s"),
        PACKAGE / "malloc" / "aligned.s",
        PACKAGE / "probe" / "entry.s",
        PACKAGE / "probe" / "inline.s",
    ]
    assert set(PACKAGE.rglob("*.s")) == {*ROOTS, *included}


def test_a_lost_minus_would_be_seen(tmp_path: Path) -> None:
    """The comparison is proven on what Keystone makes of `[rdi - NAME]`: the minus is lost."""
    program = tmp_path / "minus.s"
    program.write_text(".intel_syntax noprefix\n.equ META, 32\nmov rax, [rdi + META]\n")
    image = assemble(program)
    gnu = gnu_as.like(image, program.read_text().replace("+", "-"), tmp_path)
    text = image.segments[0]
    assert gnu_as.listing(text.data, text.address) == ["0x400000 mov rax, qword ptr [rdi + 0x20]"]
    assert gnu_as.listing(gnu["text"], text.address) == ["0x400000 mov rax, qword ptr [rdi - 0x20]"]
