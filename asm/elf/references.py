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

MOVED = (1 << 32) + (1 << 28)
"""An address of 64 bits moves by all of it; one that was cut to 32 is found out."""
APART = 1 << 16

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


class Unexplained(ValueError):
    """Bytes at `offset` differ, and not by what was expected."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        super().__init__(f"the difference at {offset:#x} is no address")


def moved_numbers(before: bytes, after: bytes, by: int, width: int) -> Iterator[int]:
    """Where the numbers are, of `width` bytes each, that have grown by `by`.

    Unexplained where anything else differs.
    """
    lowest = ((by & -by).bit_length() - 1) // 8
    end = 0
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other or place < end:
            continue
        start = place - lowest
        old, new = number(before, start, width), number(after, start, width)
        if start < end or (new - old - by) % (1 << 8 * width):
            raise Unexplained(place)
        yield start
        end = start + width


def number(data: bytes, offset: int, width: int) -> int:
    return int.from_bytes(data[offset : offset + width], "little")


def references(make: Make, base: int) -> list[Reference]:
    """Every reference of a program, segment by segment.

    AssemblyError for one that cannot be moved: an address cut to 32 bits.
    """
    image, moved, apart = make(base, 0), make(base + MOVED, 0), make(base, APART)
    found = []
    for here, there, stretched in zip(image.segments, moved.segments, apart.segments, strict=True):
        whole = list(_numbers(image, here, there.data, MOVED, _ABSOLUTE))
        found += [_absolute(image, here, stretched, offset) for offset in whole]
        by = APART if here.executable else -APART
        plain = _blanked(here, whole)
        distances = _numbers(image, plain, _blanked(stretched, whole).data, by, _RELATIVE)
        found += [_relative(image, here, offset) for offset in distances]
    return found


def _numbers(image: Image, segment: Segment, after: bytes, by: int, width: int) -> Iterator[int]:
    try:
        yield from moved_numbers(segment.data, after, by, width)
    except Unexplained as error:
        line = image.line_at(segment.address + error.offset)
        assert line
        raise AssemblyError(
            line.file,
            line.line,
            line.text,
            "an address that cannot be moved, as the parts of a library are: write .quad",
        ) from None


def _blanked(segment: Segment, offsets: Collection[int]) -> Segment:
    """The segment without its absolute addresses."""
    data = bytearray(segment.data)
    for offset in offsets:
        data[offset : offset + _ABSOLUTE] = bytes(_ABSOLUTE)
    return Segment(segment.name, segment.address, bytes(data), segment.writable, segment.executable)


def _absolute(image: Image, here: Segment, stretched: Segment, offset: int) -> Reference:
    """It points into the data if it moves with the data."""
    value = number(here.data, offset, _ABSOLUTE)
    in_text = number(stretched.data, offset, _ABSOLUTE) == value
    target = _segment(image, executable=in_text)
    kind = RelocationType.ABS64
    return Reference(here.name, offset, kind, target.name, value - target.address)


def _relative(image: Image, here: Segment, offset: int) -> Reference:
    """A distance from the text to the data, or back."""
    target = _segment(image, executable=not here.executable)
    distance = int.from_bytes(here.data[offset : offset + _RELATIVE], "little", signed=True)
    addend = distance - target.address + here.address + offset
    return Reference(here.name, offset, RelocationType.PC32, target.name, addend)


def _segment(image: Image, *, executable: bool) -> Segment:
    return next(segment for segment in image.segments if segment.executable is executable)
