"""The MMU: guest memory in windows of host memory, and the page-table walk.

A window maps guest addresses to host memory one to one ("physical" equals virtual), made when it
is first needed; the host gives pages only to what is touched. So the walk is a question of rights
alone, and the host reads guest memory as a slice.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterator

from emu.errors import ClosedError
from emu.process.cpu import Access
from syscalls.abi import PAGE

WINDOW = 1 << 32
_WINDOW_MASK = WINDOW - 1
_NORESERVE = 0x4000

MapWindow = Callable[[int, int, int], None]


class TooMuchTouched(Exception):
    """The guest has written to more pages than it may have."""


class Window:
    """Host memory for the guest addresses [start, start + WINDOW)."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.bytes = mmap.mmap(
            -1,
            WINDOW,
            flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE,
            prot=mmap.PROT_READ | mmap.PROT_WRITE,
        )
        self.bytes.madvise(mmap.MADV_NOHUGEPAGE)
        self._pin: ctypes.c_char | None = ctypes.c_char.from_buffer(self.bytes)
        self.host_address = ctypes.addressof(self._pin)

    def close(self) -> None:
        self._pin = None
        self.bytes.close()


class Mmu:
    """Memory of one process, as its kernel, its CPU and a person use it.

    rights(page) -> "rw", "rx", ...: what the kernel lets the page do; "" where nothing is mapped.
    most_touched: bytes of memory that may be given to the guest.
    map_window, flush_tlb, forget_code: the CPU's.
    """

    def __init__(self, rights: Callable[[int], str], most_touched: int) -> None:
        self._rights = rights
        self._most_written = most_touched // PAGE
        self._windows: dict[int, Window] = {}
        self._closed = False
        self._written: set[int] = set()
        self._executed: set[int] = set()
        self._seen: set[int] = set()
        self.map_window: MapWindow = lambda start, size, host: None
        self.flush_tlb: Callable[[], None] = lambda: None
        self.forget_code: Callable[[int, int], None] = lambda start, end: None

    def close(self) -> None:
        """After the CPU is closed: gives the host memory back."""
        self._closed = True
        for window in self._windows.values():
            window.close()
        self._windows.clear()

    # The page-table walk

    def walk(self, page: int, access: int) -> str:
        """Rights of a page if they allow the access, else ""."""
        rights = self._rights(page)
        if _LETTER[access] not in rights:
            return ""
        self._window(page)
        self._seen.add(page)
        if "w" in rights:
            self._written.add(page)
            if len(self._written) > self._most_written:
                raise TooMuchTouched
        if "x" in rights:
            self._executed.add(page)
        return rights

    # The kernel's side: syscalls.memory.Memory

    def read(self, address: int, size: int) -> bytes:
        window = self._window(address)
        offset = address - window.start
        if offset + size <= WINDOW:
            return window.bytes[offset : offset + size]
        split = WINDOW - offset
        return window.bytes[offset:] + self.read(address + split, size - split)

    def write(self, address: int, data: bytes) -> None:
        window = self._window(address)
        offset = address - window.start
        part = data[: WINDOW - offset]
        window.bytes[offset : offset + len(part)] = part
        self._written.update(range(address & -PAGE, address + len(part), PAGE))
        if self._executed:
            self._forget_written_code(address, address + len(part))
        if len(part) < len(data):
            self.write(address + len(part), data[len(part) :])

    def discard(self, start: int, end: int) -> None:
        pages = self._among(self._written, start, end)
        for page_start, page_end in _runs(pages):
            self._zero(page_start, page_end)
        self._written.difference_update(pages)
        self._seen.difference_update(self._among(self._seen, start, end))
        self._forget_written_code(start, end)
        self.flush_tlb()

    def rights_changed(self, start: int, end: int) -> None:
        self.flush_tlb()

    # What has been touched

    def has_touched(self, page: int) -> bool:
        """Whether a page may hold other bytes than zero."""
        return page in self._written

    def has_seen(self, page: int) -> bool:
        """Whether the CPU has been given the page since it was mapped: it is "present"."""
        return page in self._seen

    def touched(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Runs [start, end) of pages, cut to the range, that may hold other bytes than zero."""
        for run_start, run_end in _runs(self._among(self._written, start, end)):
            yield max(run_start, start), min(run_end, end)

    def _among(self, pages: set[int], start: int, end: int) -> list[int]:
        """Pages of a set that overlap [start, end), in order."""
        first = start & -PAGE
        if (end - first) // PAGE > len(pages):
            return sorted(page for page in pages if first <= page < end)
        return [page for page in range(first, end, PAGE) if page in pages]

    def _zero(self, start: int, end: int) -> None:
        while start < end:
            window = self._window(start)
            stop = min(end, window.start + WINDOW)
            window.bytes.madvise(mmap.MADV_DONTNEED, start - window.start, stop - start)
            start = stop

    def _forget_written_code(self, start: int, end: int) -> None:
        pages = self._among(self._executed, start, end)
        if pages:
            self.forget_code(start, end)
            self._executed.difference_update(pages)
            self.flush_tlb()

    def _window(self, address: int) -> Window:
        window = self._windows.get(address & ~_WINDOW_MASK)
        if window is None:
            if self._closed:
                raise ClosedError("this process is closed: its memory is gone")
            window = self._windows[address & ~_WINDOW_MASK] = Window(address & ~_WINDOW_MASK)
            self.map_window(window.start, WINDOW, window.host_address)
        return window


_LETTER: dict[int, str] = {Access.READ: "r", Access.WRITE: "w", Access.EXECUTE: "x"}


def _runs(pages: list[int]) -> Iterator[tuple[int, int]]:
    """Pages in order as runs [start, end): neighbours are one."""
    run: int | None = None
    reached = 0
    for page in pages:
        if run is None:
            run = page
        elif page != reached:
            yield run, reached
            run = page
        reached = page + PAGE
    if run is not None:
        yield run, reached
