"""The pages of a file: private mappings show them until they write, shared ones always.

One cache a file, so that all mappings of it agree. What a shared mapping wrote goes back to the
file at msync, before somebody reads it, and when nothing of the file is mapped any more. A shared
anonymous mapping is a cache without a file: its object, of a size for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from syscalls.abi import PAGE
from syscalls.memory import Memory

if TYPE_CHECKING:
    from syscalls.files.file import Source


class PageCache:
    """regions: how many show it; where none does, `gone` is called and the frames are free."""

    def __init__(
        self, memory: Memory, source: Source | None, size: int, gone: Callable[[], None]
    ) -> None:
        self.source = source
        self.regions = 0
        self._memory, self._own_size, self._gone = memory, size, gone
        self._frames: dict[int, int] = {}
        self._dirty: set[int] = set()
        self._known_size = self.size

    @property
    def size(self) -> int:
        """Bytes: of the file as it is now, or of the object."""
        return self._own_size if self.source is None else self.source.size

    @property
    def frames(self) -> int:
        """How many pages of it are in memory."""
        return len(self._frames)

    def holds(self, index: int) -> bool:
        """Whether the file goes as far as this page."""
        return index * PAGE < self.size

    def resident(self, first: int, last: int) -> Iterable[int]:
        """mincore: pages of [first, last) in memory, where all of a file is taken to be."""
        if self.source is not None:
            return range(first, min(last, -(-self.size // PAGE)))
        return self._in_memory(first, last)

    def _in_memory(self, first: int, last: int) -> list[int]:
        if len(self._frames) < last - first:
            return [index for index in self._frames if first <= index < last]
        return [index for index in range(first, last) if index in self._frames]

    def frame(self, index: int) -> int | None:
        """The frame of a page, read when it is first needed; None beyond the end."""
        frame = self._frames.get(index)
        if frame is None and self.holds(index):
            frame = self._frames[index] = self._memory.new_frame(self._bytes_of(index))
        return frame

    def _bytes_of(self, index: int) -> bytes:
        return b"" if self.source is None else self.source.read(index * PAGE, PAGE)

    def is_dirty(self, index: int) -> bool:
        """Whether a page may be written to without telling."""
        return self.source is None or index in self._dirty

    def written(self, index: int) -> None:
        """A shared mapping is about to change a page."""
        self._dirty.add(index)

    def write_back(self) -> bool:
        """What was changed goes to the file, as far as that reaches; whether there was anything."""
        if self.source is None or not self._dirty:
            return False
        size = self.source.size
        for index in sorted(self._dirty):
            part = min(PAGE, size - index * PAGE)
            if part > 0:
                data = self._memory.frame_bytes(self._frames[index])[:part]
                self.source.write(index * PAGE, data)
        self._dirty.clear()
        return True

    def reread(self, start: int, end: int) -> bool:
        """Bytes [start, end) of the file were changed; whether it was also cut."""
        size = self.size
        self._drop([index for index in self._frames if index * PAGE >= size])
        cut = size < self._known_size
        self._known_size = size
        for index in self._in_memory(start // PAGE, -(-end // PAGE)):
            data = self._bytes_of(index)  # what mappings wrote behind the end stays, until a cut
            self._memory.refill(self._frames[index], data.ljust(PAGE, b"\0") if cut else data)
        return cut

    def remove(self, first: int, last: int) -> None:
        """Pages of an object without a file become zero, and take no memory."""
        self._drop(self._in_memory(first, last))

    def _drop(self, indexes: list[int]) -> None:
        frames = {self._frames.pop(index) for index in indexes}
        self._dirty.difference_update(indexes)
        self._memory.hide(frames)
        for frame in frames:
            self._memory.free_frame(frame)

    def unmapped(self) -> None:
        """One region less shows it."""
        self.regions -= 1
        if not self.regions:
            self.write_back()
            for frame in self._frames.values():
                self._memory.free_frame(frame)
            self._frames.clear()
            self._gone()

    def saved(self) -> CacheState:
        """All that changes of it."""
        return self, self.regions, dict(self._frames), set(self._dirty), self._known_size

    def put_back(self, saved: CacheState) -> None:
        """What `saved` gave. The frames are the memory's to put back."""
        _, self.regions, frames, dirty, self._known_size = saved
        self._frames, self._dirty = dict(frames), set(dirty)


CacheState = tuple[PageCache, int, dict[int, int], set[int], int]
"""Of one cache: itself, regions, frames, dirty pages, known size."""


class PageCaches:
    """The caches of the files that are mapped, by file."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._by_source: dict[Source, PageCache] = {}

    def __iter__(self) -> Iterator[PageCache]:
        return iter(list(self._by_source.values()))

    def __len__(self) -> int:
        return len(self._by_source)

    def of(self, source: Source) -> PageCache:
        """The cache of a file, made where there is none."""
        cache = self._by_source.get(source)
        if cache is None:
            cache = PageCache(self._memory, source, 0, lambda: self._forget(source))
            self._by_source[source] = cache
        return cache

    def known(self, source: Source) -> PageCache | None:
        """The cache of a file, if it is mapped."""
        return self._by_source.get(source)

    def anonymous(self, size: int) -> PageCache:
        """The object of a shared anonymous mapping."""
        return PageCache(self._memory, None, size, _nothing)

    def saved(self) -> dict[Source, PageCache]:
        """Which there are."""
        return dict(self._by_source)

    def put_back(self, saved: dict[Source, PageCache]) -> None:
        """What `saved` gave."""
        self._by_source = dict(saved)

    def _forget(self, source: Source) -> None:
        del self._by_source[source]


def _nothing() -> None:
    pass
