"""Region [start, end): the arithmetic of ranges, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rights:
    """What the pages of a region were asked to allow."""

    read: bool
    write: bool
    execute: bool

    @property
    def readable(self) -> bool:
        """x86 has no pages that can be written or executed, but not read."""
        return self.read or self.write or self.execute

    def __str__(self) -> str:
        letters = zip("rwx", (self.read, self.write, self.execute), strict=True)
        return "".join(letter if has else "-" for letter, has in letters)


READ_WRITE = Rights(read=True, write=True, execute=False)


@dataclass(frozen=True, slots=True)
class Region:
    """Pages with the same rights and the same origin; start and end are multiples of the page.

    name: what it is ("text", "heap", "stack"; "" for an anonymous mapping).
    """

    start: int
    end: int
    rights: Rights
    name: str = ""

    @property
    def size(self) -> int:
        return self.end - self.start

    def __contains__(self, address: int) -> bool:
        return self.start <= address < self.end

    def overlaps(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end

    def within(self, start: int, end: int) -> Region:
        """The part of it that lies in [start, end)."""
        return replace(self, start=max(self.start, start), end=min(self.end, end))

    def without(self, start: int, end: int) -> tuple[Region, ...]:
        """What is left when [start, end) is taken out: none, one or two pieces."""
        if not self.overlaps(start, end):
            return (self,)
        left = replace(self, end=max(self.start, start))
        right = replace(self, start=min(self.end, end))
        return tuple(piece for piece in (left, right) if piece.size)

    def joins(self, behind: Region) -> bool:
        """Whether `behind` continues this region: adjacent, alike."""
        return (
            self.end == behind.start and self.rights == behind.rights and self.name == behind.name
        )

    def __str__(self) -> str:
        return f"{self.start:012x}-{self.end:012x} {self.rights} {self.name}".rstrip()
