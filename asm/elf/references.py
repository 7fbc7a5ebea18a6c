"""Where a program names its own addresses: what must change when it, or a part of it, is moved.

Nothing is decoded. The program is assembled at two places: the numbers that differ are addresses,
and they differ by as much as it was moved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from asm.dwarf.frame import Frame
from asm.elf.constants import RelocationType
from asm.errors import AssemblyError
from asm.image import Image, Segment

Make = Callable[[int, int], Image]
"""make(base, apart) assembles the program: the text at `base`, the data `apart` bytes farther from
it than need be."""
Frames = Callable[[Image], Iterable[Frame]]
"""How to unwind an image."""

MOVED, APART = 1 << 28, 1 << 16
"""How far a program, or its data alone, is moved to see what differs."""

_ABSOLUTE, _RELATIVE = 8, 4


@dataclass(frozen=True, slots=True)
class Reference:
    """A number in a segment that stands for a place in another, or the same.

    offset: of the number in its segment. target: a segment's name. addend: what is added to the
    address of the target; for PC32, the address of the number is then subtracted.
    """

    segment: str
    offset: int
    kind: RelocationType
    target: str
    addend: int


def moved_numbers(before: bytes, after: bytes, by: int, width: int) -> Iterator[int]:
    """Where the numbers are, of `width` bytes each, that have grown by `by`.

    ValueError where anything else differs.
    """
    lowest = ((by & -by).bit_length() - 1) // 8
    end = 0
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other or place < end:
            continue
        start = place - lowest
        old, new = number(before, start, width), number(after, start, width)
        if start < end or (new - old - by) % (1 << 8 * width):
            raise ValueError(f"what differs at {place:#x} is no address")
        yield start
        end = start + width


def number(data: bytes, offset: int, width: int) -> int:
    return int.from_bytes(data[offset : offset + width], "little")


def references(make: Make, base: int) -> list[Reference]:
    """Every reference of a program, segment by segment.

    AssemblyError for one to data that has no bytes.
    """
    image, moved, apart = make(base, 0), make(base + MOVED, 0), make(base, APART)
    found = []
    for here, there, stretched in zip(image.segments, moved.segments, apart.segments, strict=True):
        whole = list(moved_numbers(here.data, there.data, MOVED, _ABSOLUTE))
        found += [_absolute(image, here, stretched, offset) for offset in whole]
        by = APART if here.executable else -APART
        one, other = (_blanked(segment.data, whole) for segment in (here, stretched))
        distances = moved_numbers(one, other, by, _RELATIVE)
        found += [_relative(image, here, offset) for offset in distances]
    return found


def _blanked(data: bytes, offsets: Collection[int]) -> bytes:
    """Without the absolute addresses."""
    left = bytearray(data)
    for offset in offsets:
        left[offset : offset + _ABSOLUTE] = bytes(_ABSOLUTE)
    return bytes(left)


def _absolute(image: Image, here: Segment, stretched: Segment, offset: int) -> Reference:
    """It points into the data if it moves with the data."""
    value = number(here.data, offset, _ABSOLUTE)
    in_text = number(stretched.data, offset, _ABSOLUTE) == value
    target = _target(image, here, offset, executable=in_text)
    kind = RelocationType.ABS64
    return Reference(here.name, offset, kind, target.name, value - target.address)


def _relative(image: Image, here: Segment, offset: int) -> Reference:
    """A distance from the text to the data, or back."""
    target = _target(image, here, offset, executable=not here.executable)
    distance = int.from_bytes(here.data[offset : offset + _RELATIVE], "little", signed=True)
    addend = distance - target.address + here.address + offset
    return Reference(here.name, offset, RelocationType.PC32, target.name, addend)


def _target(image: Image, here: Segment, offset: int, *, executable: bool) -> Segment:
    for segment in image.segments:
        if segment.executable is executable:
            return segment
    raise wrong(image, here.address + offset, "this names a place in .data, where nothing is")


def wrong(image: Image, address: int, reason: str) -> AssemblyError:
    """What is wrong with the line whose bytes cover an address."""
    line = image.line_at(address)
    assert line
    return AssemblyError(line.file, line.line, line.text, reason)
