"""The MMU: what each page of the guest has, and the page-table walk.

A page has zeros, contents of its own, or shows a frame. The first two are host memory at the
page's own address ("physical" equals virtual), so that the host reads most of the guest's memory
as a slice. Frames, which several pages may show, lie beyond what a process may map. Every page
that the CPU may have in its TLB has something: where nothing is, nothing need be flushed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from emu.process.stop import Access
from emu.process.windows import Windows
from syscalls.abi import PAGE
from syscalls.memory import TooMuchTouched
from syscalls.page_sets import among, any_among, runs

FRAMES = 1 << 48
"""Where frames begin."""
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
        self.windows = Windows()
        self._written: set[int] = set()
        self._zeros: set[int] = set()
        self._shown: dict[int, int] = {}
        self._frames = _Frames()
        self._executed: dict[int, int] = {}
        self._forgetting: int | None = None
        self._walking = self._lost_count = False
        self.flush_tlb: Callable[[], None] = lambda: None
        self.forget_code: Callable[[int, int], None] = lambda start, end: None

    def close(self) -> None:
        """After the CPU is closed: gives the host memory back."""
        self.windows.close()

    # The page-table walk

    def walk(self, page: int, access: int) -> tuple[str, int]:
        """Rights of a page if they allow the access, else ""; and where its bytes are."""
        if self._forgetting is not None:
            return "rx", self._forgetting
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

    # Bytes

    def read(self, address: int, size: int) -> bytes:
        if not self._shown:
            return self.windows.read(address, size)
        return b"".join(self.windows.read(*piece) for piece in self._pieces(address, size))

    def write(self, address: int, data: bytes) -> None:
        self._own_all(address & ~_OFFSET, address + len(data))
        done = 0
        for place, size in self._pieces(address, len(data)):
            self.windows.write(place, data[done : done + size])
            self._forget_at(place & ~_OFFSET, place + size)
            done += size

    def _pieces(self, address: int, size: int) -> Iterator[tuple[int, int]]:
        """Where the bytes of a range are, and how many lie there in a row."""
        end = address + size
        if not self._shown:
            yield address, size
            return
        while address < end:
            begin = address
            place = self._place(begin)
            while address < end and self._place(address) - place == address - begin:
                address = (address | _OFFSET) + 1
            yield place, min(address, end) - begin

    def _place(self, address: int) -> int:
        page = address & ~_OFFSET
        return self._shown.get(page, page) + address - page

    # What a page has

    def holds(self, page: int) -> bool:
        return page in self._written

    def resident(self, start: int, end: int) -> list[int]:
        return [page for pages in self._present() for page in among(pages, start, end)]

    def _present(self) -> tuple[Collection[int], ...]:
        return self._written, self._zeros, self._shown

    def see(self, page: int) -> None:
        """Pages that were only read take no memory, but remembering them does."""
        if len(self._zeros) >= self._most:
            self._zeros.clear()
            self._lost_count = True
        self._zeros.add(page)

    def own(self, page: int, frame: int | None = None) -> None:
        if page in self._written:
            return
        self._take_page()
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
        self._shown[page] = frame

    def _take_page(self) -> None:
        if len(self._written) + self._frames.used >= self._most:
            raise TooMuchTouched

    def discard(self, start: int, end: int) -> None:
        if not self._may_be_cached(start, end):
            return
        pages = among(self._written, start, end)
        shown = among(self._shown, start, end)
        for place in (*pages, *(self._shown[page] for page in shown)):
            self._forget(place)
        for run_start, run_end in runs(pages):
            self.windows.zero(run_start, run_end)
        self._drop(start, end, pages, shown)
        self.flush_tlb()

    def _drop(self, start: int, end: int, pages: list[int], shown: list[int]) -> None:
        self._written.difference_update(pages)
        self._zeros.difference_update(among(self._zeros, start, end))
        for page in shown:
            del self._shown[page]

    def rights_changed(self, start: int, end: int) -> None:
        if self._may_be_cached(start, end):
            self.flush_tlb()

    def _may_be_cached(self, start: int, end: int) -> bool:
        """Whether the CPU may know pages of a range."""
        return self._lost_count or any(any_among(p, start, end) for p in self._present())

    def move(self, start: int, end: int, to: int) -> None:
        by = to - start
        pages, shown = among(self._written, start, end), among(self._shown, start, end)
        zeros = among(self._zeros, start, end)
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
        self.windows.write(frame, data.ljust(PAGE, b"\0"))
        return frame

    def frame_bytes(self, frame: int) -> bytes:
        return self.windows.read(frame, PAGE)

    def refill(self, frame: int, data: bytes) -> None:
        self.windows.write(frame, data)
        self._forget(frame)

    def hide(self, frames: Collection[int]) -> None:
        hidden = [page for page, frame in self._shown.items() if frame in frames]
        for page in hidden:
            self._forget(self._shown.pop(page))
        if hidden:
            self.flush_tlb()

    def free_frame(self, frame: int) -> None:
        self._frames.give_back(frame)

    def frames_held(self) -> int:
        """How many frames somebody needs."""
        return self._frames.used

    # What has been touched

    def has_touched(self, page: int) -> bool:
        """Whether a page may hold other bytes than zero."""
        return page in self._written or page in self._shown

    def has_seen(self, page: int) -> bool:
        """Whether the CPU has been given the page since it was mapped: it is "present"."""
        return any(page in pages for pages in self._present())

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


class _Frames:
    """Addresses for frames: the lowest ones, again and again."""

    def __init__(self) -> None:
        self.used = 0
        self._free: list[int] = []
        self._next = FRAMES

    def take(self) -> int:
        self.used += 1
        if self._free:
            return self._free.pop()
        self._next += PAGE
        return self._next - PAGE

    def give_back(self, frame: int) -> None:
        self.used -= 1
        self._free.append(frame)
