"""The MMU: the page-table walk, and everything that changes what pages have (pages.py).

Most of the guest's memory is host memory at the page's own address, so that the host reads it as
a slice. Every page that the CPU may have in its TLB has something: where nothing is, nothing need
be flushed. What changes is first shown to the versions, which remember it (versions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from emu.process.event import Discarded, Effect, Moved, Owned, Refilled, Shown, Wrote
from emu.process.pages import Pages
from emu.process.stop import Access
from emu.process.versions import Version, Versions
from emu.process.watcher import MemoryWatcher
from syscalls.abi import PAGE
from syscalls.memory import TooMuchTouched
from syscalls.page_sets import among, any_among, runs

_OFFSET = PAGE - 1
_LETTER: dict[int, str] = {Access.READ: "r", Access.WRITE: "w", Access.EXECUTE: "x"}

Fault = Callable[[int, str], str]


class Mmu:
    """Memory of one process, as its kernel (syscalls.memory.Memory), its CPU and a person use it.

    fault(page, access) -> "rw", "rx", ...: what the kernel lets the page do after an access of
    "r", "w" or "x"; "" refuses. most_touched: bytes of memory that may be given to the guest.
    flush_tlb, forget_code: the CPU's.
    """

    def __init__(self, fault: Fault, most_touched: int) -> None:
        self._fault = fault
        self._most = most_touched // PAGE
        self.pages = Pages()
        self.windows = self.pages.windows
        self._written, self._zeros = self.pages.written, self.pages.zeros
        self._shown, self._frames = self.pages.shown, self.pages.frames
        self._versions = Versions(self.pages, self._forget_all)
        self._executed: dict[int, int] = {}
        self._forgetting: int | None = None
        self._walking = self._lost_count = False
        self.watcher: MemoryWatcher | None = None
        self.flush_tlb: Callable[[], None] = lambda: None
        self.forget_code: Callable[[int, int], None] = lambda start, end: None

    def close(self) -> None:
        """After the CPU is closed: gives the host memory back."""
        self._versions.close()
        self.windows.close()

    # Versions

    def take(self) -> Version:
        """The memory of now, to go back to."""
        self.flush_tlb()
        return self._versions.take()

    def go_to(self, version: Version) -> None:
        """Memory is as it was when this version of it was taken."""
        self._versions.go_to(version)
        self.flush_tlb()

    def put_bytes_back(self, version: Version) -> bool:
        """The same, where only bytes have changed since: no right has. False where more has."""
        return self._versions.put_bytes_back(version)

    def become(self, other: Mmu) -> None:
        """The same memory as another's."""
        self._forget_all(list(self._executed))
        self.pages.become(other.pages)
        self._lost_count = other._lost_count
        self.flush_tlb()

    def remembered(self) -> int:
        """How many pages and frames are kept for versions that somebody holds."""
        return len(self._versions)

    # The page-table walk

    def walk(self, page: int, access: int) -> tuple[str, int]:
        """Rights of a page if they allow the access, else ""; and where its bytes are."""
        if self._forgetting is not None:
            return "rx", self._forgetting
        watcher = self.watcher
        if watcher is None:
            return self._walk(page, access)
        new = not self.has_seen(page)
        watcher.walking()
        rights, place = self._walk(page, access)
        watcher.walked(page, access, new=new and bool(rights))
        return rights, place

    def _walk(self, page: int, access: int) -> tuple[str, int]:
        self._walking = True
        try:
            rights = self._fault(page, _LETTER[access])
        finally:
            self._walking = False
        place = self._shown.get(page, page)
        if rights:
            self.windows.at(place)
            if place != page:
                rights = self._frame_rights(place, access, rights)
            if "x" in rights:
                self._executed[place] = page
            rights = self._versions.withheld(place, rights, writing=access == Access.WRITE)
        return rights, place

    def _frame_rights(self, frame: int, access: int, rights: str) -> str:
        """The CPU notices code that is written to at the page where it runs, and no other.

        So a frame, which may have several, is at no time both written to and run.
        """
        if access == Access.EXECUTE:
            if frame not in self._executed:
                self.flush_tlb()
            return "rx"
        if access == Access.WRITE:
            self._forget(frame)
            return "rw"
        return "rw" if "w" in rights and frame not in self._executed else "r"

    def _tell(self, effect: Effect) -> None:
        if self.watcher is not None:
            self.watcher.changed(effect)

    # Bytes

    def read(self, address: int, size: int) -> bytes:
        page = address & ~_OFFSET
        if not self._shown or address + size <= page + PAGE:
            return self.windows.read(self._shown.get(page, page) | address & _OFFSET, size)
        return b"".join(self.windows.read(*piece) for piece in self.pages.pieces(address, size))

    def write(self, address: int, data: bytes) -> None:
        self._own_all(address & ~_OFFSET, address + len(data))
        self._tell(Wrote(address, data))
        done = 0
        for place, size in self.pages.pieces(address, len(data)):
            self._versions.catch_all(range(place & ~_OFFSET, place + size, PAGE))
            self.windows.write(place, data[done : done + size])
            self._forget_at(place & ~_OFFSET, place + size)
            done += size

    # What a page has

    def holds(self, page: int) -> bool:
        return page in self._written

    def resident(self, start: int, end: int) -> list[int]:
        return [page for pages in self.pages.present() for page in among(pages, start, end)]

    def see(self, page: int) -> None:
        """Pages that were only read take no memory, but remembering them does."""
        if len(self._zeros) >= self._most:
            self._versions.catch_all(self._zeros)
            self._zeros.clear()
            self._lost_count = True
        self._versions.catch(page)
        self._zeros.add(page)

    def own(self, page: int, frame: int | None = None) -> None:
        if page in self._written:
            return
        self._take_page()
        self._versions.catch(page)
        if self.watcher is not None:
            if frame is not None and self._shown.get(page) != frame:
                self._tell(Shown(page, frame, self.frame_bytes(frame)))
            self._tell(Owned(page))
        if frame is not None:
            self.windows.copy(frame, frame + PAGE, page)
            shown = self._shown.pop(page, None)
            if shown is not None and (not self._walking or shown in self._executed):
                self.flush_tlb()  # the walk itself changes an entry that is not code
        self._zeros.discard(page)
        self._written.add(page)

    def _own_all(self, start: int, end: int) -> None:
        """Pages of a range that show no frame have contents of their own."""
        for page in range(start, end, PAGE):
            if page not in self._written and page not in self._shown:
                self.own(page)

    def show(self, page: int, frame: int) -> None:
        if self._shown.get(page) != frame:
            self._versions.catch(page)
            if self.watcher is not None:
                self._tell(Shown(page, frame, self.frame_bytes(frame)))
            self._shown[page] = frame

    def _take_page(self) -> None:
        if len(self._written) + self._frames.used >= self._most:
            raise TooMuchTouched

    def discard(self, start: int, end: int) -> None:
        if not self._may_be_cached(start, end):
            return
        self._tell(Discarded(start, end))
        pages = among(self._written, start, end)
        shown = among(self._shown, start, end)
        self._versions.catch_all((*pages, *shown, *among(self._zeros, start, end)))
        for place in (*pages, *(self._shown[page] for page in shown)):
            self._forget(place)
        self.pages.drop(start, end)
        self.flush_tlb()

    def rights_changed(self, start: int, end: int) -> None:
        if self._may_be_cached(start, end):
            self.flush_tlb()

    def _may_be_cached(self, start: int, end: int) -> bool:
        """Whether the CPU may know pages of a range."""
        return self._lost_count or any(any_among(p, start, end) for p in self.pages.present())

    def move(self, start: int, end: int, to: int) -> None:
        self._tell(Moved(start, end, to))
        by = to - start
        pages, shown = among(self._written, start, end), among(self._shown, start, end)
        zeros = among(self._zeros, start, end)
        self._versions.catch_all(page + by for page in (*pages, *zeros, *shown))
        for run_start, run_end in runs(pages):
            self.windows.copy(run_start, run_end, run_start + by)
        frames = [self._shown[page] for page in shown]
        self.discard(start, end)
        self._written.update(page + by for page in pages)
        self._zeros.update(page + by for page in zeros)
        self._shown.update(zip((page + by for page in shown), frames, strict=True))

    # Frames

    def new_frame(self, data: bytes) -> int:
        self._take_page()
        frame = self._frames.take()
        self._versions.catch_new(frame)
        self.windows.write(frame, data.ljust(PAGE, b"\0"))
        return frame

    def frame_bytes(self, frame: int) -> bytes:
        return self.windows.read(frame, PAGE)

    def refill(self, frame: int, data: bytes) -> None:
        self._versions.catch(frame)
        self._tell(Refilled(frame, data))
        self.windows.write(frame, data)
        self._forget(frame)

    def hide(self, frames: Collection[int]) -> None:
        hidden = [page for page, frame in self._shown.items() if frame in frames]
        self._versions.catch_all(hidden)
        for page in hidden:
            self._tell(Discarded(page, page + PAGE))
            self._forget(self._shown.pop(page))
        if hidden:
            self.flush_tlb()

    def free_frame(self, frame: int) -> None:
        self._versions.catch(frame)
        self._frames.give_back(frame)

    def frames_held(self) -> int:
        """How many frames somebody needs."""
        return self._frames.used

    # What has been touched

    def executed(self) -> list[int]:
        """Pages that the CPU has code of, as it knows them."""
        return sorted(self._executed.values())

    def has_touched(self, page: int) -> bool:
        """Whether a page may hold other bytes than zero."""
        return page in self._written or page in self._shown

    def has_seen(self, page: int) -> bool:
        """Whether the CPU has been given the page since it was mapped: it is "present"."""
        return any(page in pages for pages in self.pages.present())

    def touched(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Runs [start, end) of pages, cut to the range, that may hold other bytes than zero."""
        first = start & ~_OFFSET
        pages = among(self._written, first, end) + among(self._shown, first, end)
        for run_start, run_end in runs(sorted(pages)):
            yield max(run_start, start), min(run_end, end)

    # Code that was run, by where its bytes are

    def _forget_at(self, start: int, end: int) -> None:
        if self._executed:
            for place in among(self._executed, start, end):
                self._forget(place)
                self.flush_tlb()

    def _forget(self, place: int) -> None:
        """What the CPU made of the code there is gone. It asks the walk where that is."""
        page = self._executed.pop(place, None)
        if page is not None:
            self._forgetting = place
            self.flush_tlb()
            self.forget_code(page, page + PAGE)
            self._forgetting = None
            self.flush_tlb()

    def _forget_all(self, places: Collection[int]) -> None:
        """Of pages and frames: what stands there, and what was run where it is shown."""
        for place, page in list(self._executed.items()):
            if place in places or page in places:
                self._forget(place)
