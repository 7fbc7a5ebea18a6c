"""Random scripts for driver.c, played in the emulator while they are written."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from asm.layout import META, PREALLOC
from emu import Heap, allocators
from emu.judge.model import MAX_REQUEST
from emu.view.blocks import Block
from emu.view.places import NamedSyscall
from syscalls.abi import PAGE

HUGE = (131031, 131032, 131040, 131073, 200_000, MAX_REQUEST, MAX_REQUEST + 1, 2**64 - 1, 1 << 46)
MOST = 1 << 18
UNLIMITED = 1 << 40


Place = str | int | None
Told = tuple[Place, int, int, Place, Place]
"""A block: (payload, size, status, prev, next)."""


@dataclass(frozen=True)
class Answer:
    """What a call did. Addresses are places; None stands for NULL. errno: -1 as it was before."""

    result: Place
    errno: int
    kept: int
    syscalls: tuple[NamedSyscall, ...]
    blocks: tuple[Told, ...]


@dataclass
class Script:
    """Calls that the emulator has answered. A slot is the number of a call."""

    heap: Heap
    random: random.Random
    limits: bool
    lines: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    slots: list[tuple[int, int]] = field(default_factory=list)
    """Payload and size, by call; (0, 0) where it returned none."""
    live: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)

    def one(self) -> None:
        """One more call, and now and then less or more memory for the process."""
        if self.limits and self.random.random() < 0.04:
            self._limit()
        kind = self.random.choice("mmmcrrffx") if self.live else "m"
        getattr(self, f"_{kind}")()

    def forget_errno(self) -> None:
        """The next call that fails must write all of it, and any other nothing."""
        heap = self.heap
        heap.process.memory.write(heap.image.symbols[allocators.ERRNO], b"\xff" * 4)

    def take(self, size: int) -> None:
        """A block that stays in use."""
        self._answered(f"m {size}", self.heap.malloc(size), size)
        self.live.pop()

    def _limit(self) -> None:
        what = self.random.choice(["VmData", "VmSize"])
        more = self.random.choice([0, PAGE, 3 * PAGE, 64 * PAGE, UNLIMITED, UNLIMITED])
        self.lines.append(f"l {what} {more}")
        space = self.heap.process.kernel.space
        if what == "VmData":
            space.limits = replace(space.limits, data=space.data_pages * PAGE + more)
        else:
            space.limits = replace(space.limits, address_space=space.size + more)

    def _m(self) -> None:
        size = self._size()
        self._answered(f"m {size}", self.heap.malloc(size), size)

    def _c(self) -> None:
        count, size = self.random.choice([(1, 1), (0, 9), (3, 700), (2, 2017), (2**33, 2**31)])
        size += self.random.randrange(9)
        self._answered(
            f"c {count} {size}", self.heap.calloc(count, size), count * size, count * size
        )

    def _r(self) -> None:
        slot = self._slot()
        payload, old = self.slots[slot]
        more = old + self.random.randrange(1, 400)
        size = more if self.random.random() < 0.4 else self._size()
        result = self.heap.realloc(payload, size)
        if result or not size:
            self._gone(slot)
        self._answered(f"r {slot} {size}", result, size, min(size, old))

    def _f(self) -> None:
        slot = self._slot()
        self.heap.free(self.slots[slot][0])
        self._gone(slot)
        self._answered(f"f {slot}", 0)

    def _x(self) -> None:
        """A block that is free is freed again, or resized: the contract speaks of both."""
        free = {block.address for block in self.heap.blocks if str(block.status) == "free"}
        stale = [slot for slot in self.freed if self.slots[slot][0] in free]
        slot = self.random.choice(stale) if stale else 0
        if not stale:
            self._m()
        elif self.random.random() < 0.5:
            self.heap.free(self.slots[slot][0])
            self._answered(f"f {slot}", 0)
        else:
            self._answered(f"r {slot} 50", self.heap.realloc(self.slots[slot][0], 50), 50)

    def _slot(self) -> int:
        """One in use; often the last, which may be the heap's last, too."""
        return self.live[-1] if self.random.random() < 0.3 else self.random.choice(self.live)

    def _size(self) -> int:
        choose = self.random.random()
        if choose < 0.08:
            return self.random.choice(HUGE)
        return self.random.randrange(5000) if choose < 0.3 else self.random.randrange(200)

    def _gone(self, slot: int) -> None:
        self.live.remove(slot)
        self.freed.append(slot)

    def _answered(self, line: str, result: int, size: int = 0, kept: int = 0) -> None:
        heap, number = self.heap, len(self.slots)
        self.lines.append(line)
        self.answers.append(
            Answer(
                heap.places.pointer(result),
                heap.errno,
                checksum(bytes(heap.memory[result : result + min(kept, MOST)])) if result else 0,
                heap.named_syscalls[-1],
                tuple(self._block(block) for block in heap.blocks),
            )
        )
        self.forget_errno()
        self.slots.append((result, size) if result else (0, 0))
        if result:
            self.live.append(number)
            heap.fill(result, number % 256, min(size, MOST))

    def _block(self, block: Block) -> Told:
        place = self.heap.places.pointer
        return place(block.address), block.size, block.word, place(block.prev), place(block.next)


def checksum(data: bytes) -> int:
    """As driver.c sums."""
    found = 0
    for byte in data:
        found = (found * 31 + byte) % 2**64
    return found


def script(seed: int, calls: int, allocator: str | Path = "osmem") -> Script:
    with Heap(allocator) as heap:
        return written(heap, seed, calls)


def written(heap: Heap, seed: int, calls: int, *, limits: bool = True) -> Script:
    """A script that plays on a heap; limits: also with less memory for the process.

    By odd seeds a block that stays takes what there is at first, so that the heap must grow.
    """
    made = Script(heap, random.Random(seed), limits)
    made.forget_errno()
    if seed % 2:
        made.take(PREALLOC - 2 * META)
    for _ in range(calls):
        made.one()
    return made
