"""What each page of the guest has, and where its bytes are.

A page has nothing yet, zeros, contents of its own, or shows a frame. Zeros and contents are host
memory at the page's own address ("physical" equals virtual); a page without contents is zero
there. Frames, which several pages may show, lie beyond what a process may map.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from emu.process.frames import FRAMES, Frames
from emu.process.windows import Windows
from syscalls.abi import PAGE
from syscalls.page_sets import among, runs

NOTHING, ZEROS = "nothing", "zeros"
Had = bytes | int | str
"""What a page had: its contents, the frame that it showed, ZEROS or NOTHING. Or what a frame had:
its bytes; NOTHING where nobody needed it."""


class Pages:
    """Of one process.

    written: pages with contents of their own. zeros: pages that were only read. shown: the frames
    of those that show one.
    """

    def __init__(self) -> None:
        self.windows = Windows()
        self.written: set[int] = set()
        self.zeros: set[int] = set()
        self.shown: dict[int, int] = {}
        self.frames = Frames()

    def present(self) -> tuple[Collection[int], ...]:
        """All pages that have something."""
        return self.written, self.zeros, self.shown

    def place(self, page: int) -> int:
        """Where the bytes of a page are."""
        return self.shown.get(page, page)

    def has(self, place: int) -> Had:
        """What a page has, or the frame there."""
        if place in self.written or place >= FRAMES:
            return self.windows.read(place, PAGE)
        if place in self.shown:
            return self.shown[place]
        return ZEROS if place in self.zeros else NOTHING

    def has_bytes(self, page: int, had: Had) -> bool:
        """Whether a page has contents of its own, and had some before."""
        return type(had) is bytes and page in self.written

    def refill(self, had: Mapping[int, Had]) -> None:
        """Pages that have contents of their own have other ones, those that they had."""
        for page, what in had.items():
            assert isinstance(what, bytes)
            self.windows.write(page, what)

    def give(self, had: Mapping[int, Had]) -> None:
        """Pages have what they had, and frames. Which frames are used is not looked at."""
        pages = [place for place in had if place < FRAMES]
        lost = [page for page in pages if page in self.written and type(had[page]) is not bytes]
        for start, end in runs(sorted(lost)):
            self.windows.zero(start, end)
        self._take_away(pages)
        for place, what in had.items():
            if isinstance(what, bytes):
                self.windows.write(place, what)
        self._mark(pages, had)

    def _take_away(self, pages: list[int]) -> None:
        self.written.difference_update(pages)
        self.zeros.difference_update(pages)
        for page in self.shown.keys() & pages:
            del self.shown[page]

    def _mark(self, pages: list[int], had: Mapping[int, Had]) -> None:
        for page in pages:
            what = had[page]
            if isinstance(what, bytes):
                self.written.add(page)
            elif isinstance(what, int):
                self.shown[page] = what
            elif what is ZEROS:
                self.zeros.add(page)

    def drop(self, start: int, end: int) -> None:
        """The pages of a range have nothing any more."""
        written = among(self.written, start, end)
        for run_start, run_end in runs(written):
            self.windows.zero(run_start, run_end)
        self.written.difference_update(written)
        self.zeros.difference_update(among(self.zeros, start, end))
        for page in among(self.shown, start, end):
            del self.shown[page]

    def become(self, other: Pages) -> None:
        """The same as another's, in memory of its own."""
        self.drop(0, FRAMES)
        for start, end in runs(sorted(other.written | other.frames.in_use())):
            self.windows.copy_from(other.windows, start, end)
        self.written.update(other.written)
        self.zeros.update(other.zeros)
        self.shown.update(other.shown)
        self.frames.put_back(other.frames.saved())

    def pieces(self, address: int, size: int) -> Iterator[tuple[int, int]]:
        """Where the bytes of a range are, and how many lie there in a row."""
        end = address + size
        if not self.shown:
            yield address, size
            return
        while address < end:
            begin = address
            place = self._byte(begin)
            while address < end and self._byte(address) - place == address - begin:
                address = (address | _OFFSET) + 1
            yield place, min(address, end) - begin

    def _byte(self, address: int) -> int:
        page = address & ~_OFFSET
        return self.shown.get(page, page) + address - page


_OFFSET = PAGE - 1
