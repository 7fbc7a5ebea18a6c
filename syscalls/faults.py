"""What a touch of a page does: the page fault, as the guest or a system call causes it.

Private memory shows zeros until it is written to; pages of a file show the file's, and private
ones become a copy when they are written to. Regions that grow down grow. Sources: mm/memory.c,
arch/x86/mm/fault.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syscalls import vm_flags as vm
from syscalls.abi import EFAULT, MMAP_MIN_ADDR, PAGE, STACK_GUARD_GAP, Errno
from syscalls.memory import TooMuchTouched
from syscalls.page_cache import PageCache
from syscalls.page_sets import among
from syscalls.region import Fault, Region

if TYPE_CHECKING:
    from syscalls.address_space import AddressSpace


class Faults:
    """The fault handler of an address space. A page is named by its address."""

    def __init__(self, space: AddressSpace) -> None:
        self._space = space
        self._at = space.areas.at
        self._memory = space.memory
        self._guards: set[int] = set()

    # The page fault

    def fault(self, page: int, access: str) -> str:
        """What the page table may let the page do after an access of "r", "w" or "x"; "" refuses.

        Letters of "rwx". A "w" is missing as long as a write has to be noticed.
        """
        region = self._at(page)
        if region is None:
            region = self._grown(page)
            if region is None:
                return ""
        letters = vm.LETTERS[region.flags & vm.ACCESS]
        if access not in letters or (self._guards and page in self._guards):
            return ""
        if region.cache is not None:
            return self._fault_file(region, region.cache, page, access, letters)
        if access == "w":
            if region.written is None:
                self.prepare(region)
            self._memory.own(page)
        elif not self._memory.holds(page):
            self._memory.see(page)
            return vm.WITHOUT_WRITE[letters]
        return letters

    def _fault_file(
        self, region: Region, cache: PageCache, page: int, access: str, letters: str
    ) -> str:
        index = region.page_at(page)
        private = vm.is_private(region.flags)
        if private and self._memory.holds(page):
            return letters
        if private and access == "w":
            self.prepare(region)
        frame = cache.frame(index)
        if frame is None:
            return ""
        if private:
            return self._fault_copied(page, access, letters, frame)
        self._memory.show(page, frame)
        if access == "w":
            cache.written(index)
        return letters if cache.is_dirty(index) else vm.WITHOUT_WRITE[letters]

    def _fault_copied(self, page: int, access: str, letters: str, frame: int) -> str:
        if access == "w":
            self._memory.own(page, frame)
            return letters
        self._memory.show(page, frame)
        return vm.WITHOUT_WRITE[letters]

    def prepare(self, region: Region) -> None:
        """A private page of it is about to be written to (Linux's anon_vma_prepare).

        Neighbours that would join but for their rights share the mark, so that they can join.
        """
        if region.written is not None:
            return
        behind, before = self._at(region.end), self._at(region.start - 1)
        if behind is not None and behind.written and _alike(region, behind):
            region.written = behind.written
        elif before is not None and before.written and _alike(before, region):
            region.written = before.written
        else:
            region.written = Fault()

    # Growing

    def grow_stack(self, address: int) -> bool:
        """Whether the region above an address where nothing is mapped grew down to it."""
        return self._grown(address & -PAGE) is not None

    def _grown(self, page: int) -> Region | None:
        areas = self._space.areas
        region = areas.following(page)
        if region is None or not region.flags & vm.GROWS_DOWN or page < MMAP_MIN_ADDR:
            return None
        below = areas.before(region.start)
        if below is not None and _keeps_distance(below) and page - below.end < STACK_GUARD_GAP:
            return None
        self.prepare(region)
        pages = (region.start - page) // PAGE
        if pages > region.page_offset or not self._may_grow(region, page, pages):
            return None
        self._space.account(region.flags, pages)
        if region.flags & vm.LOCKED:
            self._space.locked_pages += pages
        areas.move_start(region, page)
        return region

    def _may_grow(self, region: Region, page: int, pages: int) -> bool:
        space, limit = self._space, self._space.limits.stack
        return (
            space.may_expand(region.flags, pages)
            and (limit is None or region.end - page <= limit)
            and space.may_lock(region.flags, pages * PAGE)
            and space.may_promise(pages)
        )

    # What a system call may reach

    def readable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be read from `address` on before one cannot."""
        return self._reach(address, size, vm.ACCESS)

    def writable(self, address: int, size: int) -> int:
        """How many of `size` bytes can be written from `address` on before one cannot."""
        return self._reach(address, size, vm.WRITE)

    def _reach(self, address: int, size: int, allowed: int) -> int:
        reached, end = address, address + size
        while reached < end:
            region = self._at(reached) or self._grown(reached & -PAGE)
            if region is None or not region.flags & allowed:
                break
            stop = self._first_missing(region, reached, min(region.end, end))
            if stop is not None:
                reached = max(reached, stop)
                break
            reached = region.end
        return max(0, min(reached, end) - address)

    def _first_missing(self, region: Region, start: int, end: int) -> int | None:
        """The first page of [start, end) that is guarded, or behind the end of its file."""
        found = []
        if self._guards:
            first = start & -PAGE
            found = among(self._guards, first, end)[:1]
        if region.cache is not None:
            missing = -(-region.cache.size // PAGE) - region.page_offset
            place = region.start + max(0, missing) * PAGE
            while place < end and self._memory.holds(place) and vm.is_private(region.flags):
                place += PAGE
            if place < end:
                found.append(place)
        return min(found, default=None)

    def touch(self, address: int, size: int, access: str) -> None:
        """What a system call reads ("r") or writes ("w"). EFAULT where that cannot be."""
        for page in range(address & -PAGE, address + size, PAGE):
            if not self.fault(page, access):
                raise Errno(EFAULT)

    def beyond_file(self, page: int) -> bool:
        """Whether a mapped page is wholly behind the end of its file: SIGBUS, not SIGSEGV."""
        region = self._at(page)
        if region is None or region.cache is None or page in self._guards:
            return False
        if vm.is_private(region.flags) and self._memory.holds(page):
            return False
        return not region.cache.holds(region.page_at(page))

    def forget_beyond(self, cache: PageCache) -> None:
        """A file was cut: private copies of what is gone are gone too."""
        for region in self._space.areas.all:
            if region.cache is cache:
                first = -(-cache.size // PAGE) - region.page_offset
                start = region.start + max(0, first) * PAGE
                if start < region.end:
                    self._memory.discard(start, region.end)

    # Guards: pages that MADV_GUARD_INSTALL made inaccessible

    def guard(self, start: int, end: int) -> None:
        """TooMuchTouched where it is more than a process may have of anything."""
        most = self._space.limits.touched // PAGE
        if (end - start) // PAGE + len(self._guards) > most:
            raise TooMuchTouched
        self._guards.update(range(start, end, PAGE))

    def unguard(self, start: int, end: int) -> None:
        if self._guards:
            self._guards.difference_update(among(self._guards, start, end))

    def move_guards(self, start: int, end: int, to: int) -> None:
        if self._guards:
            moved = among(self._guards, start, end)
            self._guards.difference_update(moved)
            self._guards.update(page - start + to for page in moved)

    def guards(self, start: int, end: int) -> list[int]:
        return among(self._guards, start, end)

    def saved(self) -> set[int]:
        """All guards."""
        return set(self._guards)

    def put_back(self, saved: set[int]) -> None:
        """What `saved` gave."""
        self._guards = set(saved)


def _keeps_distance(region: Region) -> bool:
    """Whether nothing may grow close to it."""
    return bool(region.flags & vm.ACCESS) and not region.flags & vm.GROWS_DOWN


def _alike(below: Region, above: Region) -> bool:
    """Adjacent, of one origin, and alike but for their rights."""
    return (
        below.end == above.start
        and below.file is above.file
        and not (below.flags ^ above.flags) & ~(vm.ACCESS | vm.MAYBE_GUARDED)
        and above.page_offset == below.page_at(above.start)
    )
