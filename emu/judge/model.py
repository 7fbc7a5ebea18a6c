"""osmem as a model: blocks without memory, on a kernel without a CPU.

Written from the contract alone, to disagree with the assembly where either is wrong. The contract's
numbers are repeated here on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from syscalls import Kernel
from syscalls.kernel import KernelState
from syscalls.memory import NoMemory

META = 32
THRESHOLD = 131072
PAGE = 4096
PREALLOC = 131072
SPLIT_MIN = META + 8
MAX_REQUEST = 2**63 - 1 - 4096
ENOMEM = 12

_MMAP, _MUNMAP, _BRK = 9, 11, 12
_READ_WRITE, _PRIVATE_ANONYMOUS, _FIXED = 3, 0x22, 0x10
_MINUS_ONE = 2**64 - 1


def align8(size: int) -> int:
    return (size + 7) // 8 * 8


class OutsideContract(Exception):
    """A pointer that is no block's payload: the contract says nothing."""


class _OutOfMemory(Exception):
    pass


@dataclass(slots=True, eq=False)
class _Block:
    header: int
    size: int
    free: bool

    @property
    def payload(self) -> int:
        return self.header + META


class ModelState(NamedTuple):
    """All that a model remembers."""

    kernel: KernelState
    heap: tuple[tuple[int, int, bool], ...]
    mapped: dict[int, int]
    brk: int | None
    errno: int


@dataclass(slots=True)
class Model:
    """One process's allocator. Results are addresses, 0 for NULL."""

    kernel: Kernel
    heap: list[_Block] = field(default_factory=list)
    mapped: dict[int, int] = field(default_factory=dict)
    """Payload to size, of the blocks in mappings of their own."""
    brk: int | None = None
    errno: int = 0

    @classmethod
    def fresh(cls, heap_start: int, taken: Iterable[tuple[int, int]] = ()) -> Model:
        """A model on a kernel of its own. taken: [start, end) where something is mapped already."""
        model = cls(Kernel(NoMemory(), heap_start))
        for start, end in taken:
            model._call(_MMAP, start, end - start, 0, _PRIVATE_ANONYMOUS | _FIXED, _MINUS_ONE, 0)
        model.kernel.calls.clear()
        return model

    @property
    def blocks(self) -> tuple[tuple[int, int, str], ...]:
        """(payload, size, status) of the heap, in address order."""
        return tuple((b.payload, b.size, "free" if b.free else "alloc") for b in self.heap)

    def headers(self) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
        """Each header of the heap: its address; size, status, prev and next."""
        places = [0, *(block.header for block in self.heap), 0]
        for at, block in enumerate(self.heap, 1):
            yield block.header, (block.size, 0 if block.free else 1, places[at - 1], places[at + 1])

    def is_free(self, payload: int) -> bool:
        """Whether a block that nobody uses begins there: it may be misused."""
        return any(block.free and block.payload == payload for block in self.heap)

    # Going back

    def saved(self) -> ModelState:
        """All that it remembers."""
        heap = tuple((block.header, block.size, block.free) for block in self.heap)
        return ModelState(self.kernel.saved(), heap, dict(self.mapped), self.brk, self.errno)

    def put_back(self, saved: ModelState) -> None:
        """What `saved` gave."""
        self.kernel.put_back(saved.kernel)
        self.heap = [_Block(*block) for block in saved.heap]
        self.mapped, self.brk, self.errno = dict(saved.mapped), saved.brk, saved.errno

    # The contract

    def malloc(self, size: int) -> int:
        return self._answer(lambda: self._alloc(size, THRESHOLD))

    def calloc(self, count: int, size: int) -> int:
        if count * size >= 2**64:
            return self._answer(_fail)
        return self._answer(lambda: self._alloc(count * size, PAGE))

    def free(self, payload: int) -> None:
        if not payload:
            return
        if payload in self.mapped:
            self._call(_MUNMAP, payload - META, self.mapped.pop(payload) + META)
        else:
            self._find(payload).free = True

    def realloc(self, payload: int, size: int) -> int:
        if not payload:
            return self.malloc(size)
        if not size:
            self.free(payload)
            return 0
        block = None if payload in self.mapped else self._find(payload)
        if block is not None and block.free:
            return 0
        return self._answer(lambda: self._resize(payload, block, size))

    def _answer(self, allocate: Callable[[], int]) -> int:
        try:
            return allocate()
        except _OutOfMemory:
            self.errno = ENOMEM
            return 0

    # Allocation

    def _alloc(self, size: int, threshold: int) -> int:
        if size == 0:
            return 0
        if size > MAX_REQUEST:
            raise _OutOfMemory
        if size + META >= threshold:
            return self._map(align8(size))
        return self._heap_alloc(align8(size))

    def _heap_alloc(self, need: int) -> int:
        if not self.heap:
            self.heap.append(_Block(self._grow(PREALLOC), PREALLOC - META, free=True))
        self._merge()
        fitting = [block for block in self.heap if block.free and block.size >= need]
        if fitting:
            best = min(fitting, key=lambda block: (block.size, block.header))
            best.free = False
            self._split(best, need)
            return best.payload
        tail = self.heap[-1]
        if tail.free:
            self._grow(need - tail.size)
            tail.size, tail.free = need, False
            return tail.payload
        self.heap.append(_Block(self._grow(META + need), need, free=False))
        return self.heap[-1].payload

    def _merge(self) -> None:
        merged: list[_Block] = []
        for block in self.heap:
            if merged and merged[-1].free and block.free:
                merged[-1].size += META + block.size
            else:
                merged.append(block)
        self.heap[:] = merged

    def _split(self, block: _Block, need: int) -> None:
        rest = block.size - need
        if rest >= SPLIT_MIN:
            block.size = need
            behind = _Block(block.payload + need, rest - META, free=True)
            self.heap.insert(self.heap.index(block) + 1, behind)

    # Resizing

    def _resize(self, payload: int, block: _Block | None, size: int) -> int:
        if size > MAX_REQUEST:
            raise _OutOfMemory
        if block is None or size + META >= THRESHOLD:
            return self._move(payload, size)
        need = align8(size)
        if need > block.size:
            if block is self.heap[-1]:
                self._grow(need - block.size)
                block.size = need
                return payload
            self._absorb(block, need)
            if block.size < need:
                return self._move(payload, size)
        self._split(block, need)
        return payload

    def _absorb(self, block: _Block, need: int) -> None:
        behind = self.heap.index(block) + 1
        while block.size < need and behind < len(self.heap) and self.heap[behind].free:
            block.size += META + self.heap.pop(behind).size

    def _move(self, payload: int, size: int) -> int:
        new = self._alloc(size, THRESHOLD)
        self.free(payload)
        return new

    # The kernel

    def _grow(self, size: int) -> int:
        if self.brk is None:
            self.brk = self._call(_BRK, 0)
        wanted = self.brk + size
        if wanted >= 2**64 or self._call(_BRK, wanted) != wanted:
            raise _OutOfMemory
        old, self.brk = self.brk, wanted
        return old

    def _map(self, size: int) -> int:
        answer = self._call(_MMAP, 0, size + META, _READ_WRITE, _PRIVATE_ANONYMOUS, _MINUS_ONE, 0)
        if answer >= 2**64 - 4095:
            raise _OutOfMemory
        self.mapped[answer + META] = size
        return answer + META

    def _call(self, number: int, *args: int) -> int:
        return self.kernel.call(number, (*args, *(0,) * (6 - len(args))))

    def _find(self, payload: int) -> _Block:
        for block in self.heap:
            if block.payload == payload:
                return block
        raise OutsideContract(hex(payload))


def _fail() -> int:
    raise _OutOfMemory
