"""Region [start, end): pages with the same rights and the same origin, and whether two join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syscalls import vm_flags as vm
from syscalls.abi import PAGE

if TYPE_CHECKING:
    from syscalls.page_cache import PageCache

_SHIFT = PAGE.bit_length() - 1
_HEAP = "heap"


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

    @property
    def flags(self) -> int:
        """As bits: vm_flags.ACCESS."""
        return vm.READ * self.read | vm.WRITE * self.write | vm.EXECUTE * self.execute

    def __str__(self) -> str:
        letters = zip("rwx", (self.read, self.write, self.execute), strict=True)
        return "".join(letter if has else "-" for letter, has in letters)


READ_WRITE = Rights(read=True, write=True, execute=False)
_RIGHTS = [
    Rights(bool(bits & vm.READ), bool(bits & vm.WRITE), bool(bits & vm.EXECUTE))
    for bits in range(8)
]


class Fault:
    """The first write to private pages (Linux's anon_vma): regions with two of them do not join."""

    __slots__ = ()


class Region:
    """start and end are multiples of the page. Only its address space changes it.

    flags: vm_flags. page_offset: which page of the file, or of the address space when it was
    made, its first page is. file: the open file description that it maps, or the object of a
    shared anonymous mapping; None for private memory. cache: the pages of that file. written: set
    once a private page of it has been written to. name: what it is ("text", "heap", "stack").
    """

    __slots__ = ("cache", "end", "file", "flags", "name", "page_offset", "start", "written")

    def __init__(
        self,
        start: int,
        end: int,
        flags: int,
        page_offset: int | None = None,
        file: object = None,
        cache: PageCache | None = None,
        name: str = "",
        written: Fault | None = None,
    ) -> None:
        self.start, self.end, self.flags = start, end, flags
        self.page_offset = start >> _SHIFT if page_offset is None else page_offset
        self.file, self.cache, self.name, self.written = file, cache, name, written

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def pages(self) -> int:
        return self.end - self.start >> _SHIFT

    @property
    def rights(self) -> Rights:
        return _RIGHTS[self.flags & vm.ACCESS]

    @property
    def shared(self) -> bool:
        """Whether /proc/self/maps says "s"."""
        return bool(self.flags & vm.MAY_SHARE)

    @property
    def offset(self) -> int:
        """Bytes into the file; 0 where there is none."""
        return self.page_offset << _SHIFT if self.cache is not None else 0

    def __contains__(self, address: int) -> bool:
        return self.start <= address < self.end

    def page_at(self, address: int) -> int:
        """Which page of the file an address shows."""
        return self.page_offset + (address - self.start >> _SHIFT)

    def part(self, start: int, end: int) -> Region:
        """A region like it, for a part of it or for pages that continue it."""
        return Region(
            start, end, self.flags, self.page_at(start), self.file, self.cache, self.name,
            self.written,
        )  # fmt: skip

    def joins(self, behind: Region) -> bool:
        """Whether `behind` continues this region: adjacent, alike, of one origin."""
        return (
            self.end == behind.start
            and not (self.flags ^ behind.flags) & ~vm.MAYBE_GUARDED
            and self.file is behind.file
            and self.page_offset + (self.end - self.start >> _SHIFT) == behind.page_offset
            and written_together(self, behind)
            and (self.name == behind.name or {self.name, behind.name} == {_HEAP, ""})
        )

    def __str__(self) -> str:
        return f"{self.start:012x}-{self.end:012x} {self.rights} {self.name}".rstrip()


def written_together(one: Region, other: Region) -> bool:
    """Pages that were written to at first in two regions stay in two regions."""
    return one.written is other.written or one.written is None or other.written is None
