"""The ledger: what callers were promised, and whether it is kept.

The truth of the heap is kept here, outside the program under test: every block that a caller
holds, who gave it and who took it back, and what the program put into it.

    overlap             a block is given out that shares bytes with one in use
    misaligned          a payload is no multiple of what was promised: of 8, unless told otherwise
    outside             a payload reaches outside the memory that the kernel gave
    contents-changed    an allocator changed bytes of a block in use
    realloc-contents    the contents did not come along
    calloc-not-zero
    calloc-overflow     a block for a product that does not fit in 64 bits
    double-free         the program's own doing, and so are the rest
    invalid-free
    use-after-free
    write-past-end
    write-before-start
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from emu.view.contents import Contents, TouchedMemory
from emu.view.finding import Finding
from syscalls.abi import PAGE
from syscalls.beginning import Beginning

ALIGNMENT = 8

_PIECE = 1 << 16
_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Promise:
    """A block that a caller holds, or held: `size` is what was asked for."""

    address: int
    size: int
    given: int
    taken: int | None = None

    @property
    def end(self) -> int:
        return self.address + self.size


class LedgerState(NamedTuple):
    """What a ledger remembers."""

    live: dict[int, Promise]
    live_bytes: int
    order: list[int]
    taken: dict[int, Promise]
    contents: dict[int, bytes]
    carried: tuple[list[bytes | None], int]
    findings: Beginning[Finding]


class Ledger:
    """Told of every call, before and after, and of everything the program writes.

    place names an address; usable(start, end) says whether the kernel gave all of it.
    alignment: of every payload that is as long; shorter ones are held to 8.
    """

    def __init__(
        self,
        memory: TouchedMemory,
        place: Callable[[int], str],
        usable: Callable[[int, int], bool],
    ) -> None:
        self._memory, self._place, self._usable = memory, place, usable
        self.alignment = ALIGNMENT
        self.live: dict[int, Promise] = {}
        self.live_bytes = 0
        self._order: list[int] = []
        self._taken: dict[int, Promise] = {}
        self._contents = Contents(memory)
        self._carried: list[bytes | None] = []
        self._carried_size = 0
        self.findings: list[Finding] = []

    def saved(self) -> LedgerState:
        """All that it remembers."""
        return LedgerState(
            dict(self.live), self.live_bytes, list(self._order), dict(self._taken),
            self._contents.saved(), (self._carried, self._carried_size),
            Beginning.of(self.findings),
        )  # fmt: skip

    def put_back(self, saved: LedgerState) -> None:
        """What `saved` gave."""
        self.live, self.live_bytes = dict(saved.live), saved.live_bytes
        self._order, self._taken = list(saved.order), dict(saved.taken)
        self._contents.put_back(saved.contents)
        self._carried, self._carried_size = saved.carried
        self.findings = saved.findings.again(self.findings)

    def in_order(self) -> list[Promise]:
        """The blocks in use, in address order."""
        return [self.live[address] for address in self._order]

    def holding(self, address: int) -> Promise | None:
        """The block in use that holds an address."""
        index = bisect_right(self._order, address) - 1
        if index < 0:
            return None
        promise = self.live[self._order[index]]
        return promise if address < promise.end else None

    # Calls

    def allocated(self, call: int, address: int, size: int, *, zeroed: bool = False) -> None:
        """malloc or calloc gave `address` for `size` bytes; 0 is NULL."""
        self._look(call)
        if address:
            if size > _WORD:
                message = f"a block at {self._place(address)} for {size} bytes"
                self.find(call, "calloc-overflow", message, address)
                size &= _WORD
            self._give(call, address, size)
            if zeroed:
                self._check_zero(call, address, size)
            self._contents.accept(address, size)

    def freeing(self, call: int, address: int) -> None:
        """The program is about to give a block back."""
        promise = self.live.get(address)
        if promise is not None:
            self._take(call, promise)
        elif address:
            self._misused(call, address, "freed", "double-free")

    def freed(self, call: int) -> None:
        self._look(call)

    def resizing(self, address: int, size: int, call: int) -> None:
        """The program is about to realloc a block."""
        promise = self.live.get(address)
        if promise is not None:
            usable = self._usable(promise.address, promise.end)
            self._carry(address, min(promise.size, size) if usable else 0)
        elif address:
            self._misused(call, address, "given to realloc", "use-after-free")

    def resized(self, call: int, old: int, new: int, size: int) -> None:
        """realloc answered `new`; NULL leaves the old block as it was."""
        promise = self.live.get(old)
        if promise is not None and (new or not size):
            self._take(call, promise)
        self._look(call)
        if not new:
            return
        self._give(call, new, size)
        if promise is not None and self._usable(new, new + size):
            self._check_carried(call, new)
        self._contents.accept(new, size)

    # The program's own writing

    def writing(self, call: int, base: int, start: int, size: int) -> None:
        """The program is about to write [start, start + size), by a pointer to `base`."""
        promise = self.live.get(base)
        if promise is None:
            if base in self._taken:
                self._misused(call, base, "written", "use-after-free")
            return
        written = f"{_bytes(size)} written at {self._place(start)}"
        if start + size > promise.end:
            past = start + size - promise.end
            message = f"{written}, {past} past the end of {self._spelled(promise)}"
            self.find(call, "write-past-end", message)
        if start < promise.address:
            before = promise.address - start
            message = f"{written}, {before} before the start of {self._spelled(promise)}"
            self.find(call, "write-before-start", message)

    def written(self, start: int, size: int) -> None:
        """The program has written, by guest instructions or by a person's hand."""
        self._contents.accept(start, size)

    # Promises

    def _give(self, call: int, address: int, size: int) -> None:
        promise = Promise(address, size, call)
        here = f"{_bytes(size)} at {self._place(address)}"
        alignment = self.alignment if size >= self.alignment else min(self.alignment, ALIGNMENT)
        if address % alignment:
            self.find(call, "misaligned", f"{here}: no multiple of {alignment}", address)
        if not self._usable(address, address + size):
            message = f"{here} reach outside the memory that the kernel gave"
            self.find(call, "outside", message, address)
        else:
            for other in self._overlapping(address, address + size):
                message = f"{here} overlap {self._spelled(other)}, which is in use"
                if not size and not other.size:
                    message = f"two blocks of 0 bytes are at the same place, {self._place(address)}"
                    message += f" (the other given by #{other.given})"
                self.find(call, "overlap", message, max(address, other.address))
        if address not in self.live:
            insort(self._order, address)
        else:
            self.live_bytes -= self.live[address].size
        self.live[address] = promise
        self.live_bytes += size
        self._taken.pop(address, None)

    def _take(self, call: int, promise: Promise) -> None:
        del self.live[promise.address]
        self.live_bytes -= promise.size
        del self._order[bisect_left(self._order, promise.address)]
        self._taken[promise.address] = Promise(
            promise.address, promise.size, promise.given, taken=call
        )

    def _overlapping(self, start: int, end: int) -> list[Promise]:
        """Blocks in use with a byte in [start, end), in address order.

        A block of no bytes has a place of its own, too: it counts as one byte.
        """
        index = max(0, bisect_right(self._order, start) - 1)
        end = max(end, start + 1)
        found = []
        while index < len(self._order) and self._order[index] < end:
            promise = self.live[self._order[index]]
            if max(promise.end, promise.address + 1) > start:
                found.append(promise)
            index += 1
        return found

    def _misused(self, call: int, address: int, what: str, rule: str) -> None:
        taken = self._taken.get(address)
        if taken is None:
            self.find(call, "invalid-free", f"{self._place(address)} {what}: never given out")
        else:
            again = " again" if rule == "double-free" else ""
            self.find(call, rule, f"{self._spelled(taken)} {what}{again}")

    # Contents

    def _look(self, call: int) -> None:
        """Whether a block in use has changed, other than by the program's writing."""
        if not self._order:
            return
        last_end = self.live[self._order[-1]].end
        for page, before, now in self._contents.changes(self._order[0], last_end):
            for promise, at in self._changed(page, before, now):
                self.find(
                    call,
                    "contents-changed",
                    f"byte {at - promise.address} of {self._spelled(promise)} was "
                    f"{before[at - page]:#04x} and is {now[at - page]:#04x}",
                    at,
                )

    def _changed(self, page: int, before: bytes, now: bytes) -> Iterator[tuple[Promise, int]]:
        """Blocks in use that differ, each with its first different byte.

        From difference to difference, by the bits in which the page, read as a number, differs.
        """
        differs = int.from_bytes(before, "little") ^ int.from_bytes(now, "little")
        base = page
        while differs:
            at = base + ((differs & -differs).bit_length() - 1) // 8
            promise = self.holding(at)
            if promise is not None:
                yield promise, at
                following = promise.end
            else:
                index = bisect_right(self._order, at)
                following = self._order[index] if index < len(self._order) else page + PAGE
            differs >>= 8 * (following - base)
            base = following

    def _check_zero(self, call: int, address: int, size: int) -> None:
        for start, end in self._memory.touched(address, address + size):
            data = self._memory.read(start, end - start)
            if data != bytes(len(data)):
                at = start - address + _first_difference(data, bytes(len(data)))
                self.find(
                    call,
                    "calloc-not-zero",
                    f"byte {at} of {size} bytes at {self._place(address)} is "
                    f"{data[at - start + address]:#04x}",
                    address + at,
                )
                return

    def _check_carried(self, call: int, address: int) -> None:
        for number, before in enumerate(self._carried):
            offset = number * _PIECE
            size = min(_PIECE, self._carried_size - offset)
            now = self._piece(address + offset, size)
            if now != before:
                old, new = before or bytes(size), now or bytes(size)
                if old == new:
                    continue
                at = _first_difference(old, new)
                self.find(
                    call,
                    "realloc-contents",
                    f"byte {offset + at} of the block, now at {self._place(address)}, was "
                    f"{old[at]:#04x} and is {new[at]:#04x}",
                    address + offset + at,
                )
                return

    def _carry(self, address: int, size: int) -> None:
        """Remembers what a realloc must bring along."""
        self._carried_size = size
        self._carried = [
            self._piece(address + offset, min(_PIECE, size - offset))
            for offset in range(0, size, _PIECE)
        ]

    def _piece(self, address: int, size: int) -> bytes | None:
        """Some bytes; None where nobody ever wrote, which is all zeros."""
        if next(self._memory.touched(address, address + size), None) is None:
            return None
        return self._memory.read(address, size)

    def _spelled(self, promise: Promise) -> str:
        taken = f", freed by #{promise.taken}" if promise.taken else ""
        place = self._place(promise.address)
        return f"{_bytes(promise.size)} at {place} (given by #{promise.given}{taken})"

    def find(self, call: int, rule: str, message: str, address: int | None = None) -> None:
        """Enters a finding."""
        self.findings.append(Finding(rule, message, call, address))


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _first_difference(a: bytes, b: bytes) -> int:
    return next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
