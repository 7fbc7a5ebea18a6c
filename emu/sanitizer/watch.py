"""The heap as the sanitizer sees it: blocks, the states of their bytes, and who runs.

It is told when the allocator is entered and left, and of each access that the shadow does not let
pass (emu/process/shadow_probe.py). It judges; what it finds, it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from emu.process.cpu import Cpu
from emu.process.shadow import Shadow, ShadowState, State, pattern
from emu.sanitizer.book import Block, Book, BookState
from emu.sanitizer.errors import HeapError, counted, of_size
from emu.sanitizer.objects import Stack

OnError = Callable[[HeapError], None]
_AHEAD = 64
"""Bytes that a function for strings reads together, from an aligned address or from any."""


class Lent(NamedTuple):
    """A block in the allocator's hands: realloc may copy it. bits: what was written of it."""

    block: Block
    bits: int


class WatchState(NamedTuple):
    """All that is known of a heap."""

    book: BookState
    shadow: ShadowState


class HeapWatch:
    """Of one CPU. Close it before the CPU.

    stack: of the instruction that runs.
    """

    def __init__(self, cpu: Cpu, on_error: OnError, stack: Callable[[], Stack]) -> None:
        self._cpu, self._tell, self._stack = cpu, on_error, stack
        self.book = Book()
        self.shadow = Shadow()
        self.probe = cpu.look(self.shadow, self._touched)
        self.leaves: Callable[[], bool] = lambda: False
        """Asked about a read at `probe.leaves_at`: whether the allocator is left by it."""
        self.is_inside: Callable[[], bool] = lambda: True
        """Asked where the allocator seems to touch a block in use: whether it is the allocator."""
        self.spelled: Callable[[int], str] = hex
        """An address for people."""
        self.uses_unwritten: Callable[[], bool] = lambda: True
        """Asked about a read of what nobody wrote: whether it is more than a copy."""
        self.reads_ahead: Callable[[int, Callable[[], bool]], bool] = lambda address, near: False
        """Asked about a read: whether who makes it need not mean it.

        address: the first byte that is none of a block's. near(): whether one is near.
        """

    def close(self) -> None:
        self._cpu.look_away(self.probe)
        self.shadow.close()

    def saved(self) -> WatchState:
        return WatchState(self.book.saved(), self.shadow.saved())

    def put_back(self, saved: WatchState) -> None:
        """What `saved` gave."""
        self.book.put_back(saved.book)
        self.shadow.put_back(saved.shadow)

    # Blocks

    def give(self, block: Block, *, written: bool, kept: Lent | None = None) -> None:
        """A block is the program's. kept: what it was before a realloc."""
        for other in self.book.give(block):
            overlapped = (
                f"{of_size(block)} was given at {self.spelled(block.address)}, which overlaps"
            )
            self._find("overlap", overlapped, max(block.address, other.address), other)
        state = State.WRITTEN if written else State.UNWRITTEN
        self.shadow.set(block.address, block.end, state)
        if kept is not None:
            count = min(kept.block.size, block.size)
            self.shadow.put(block.address, count, kept.bits & (1 << 2 * count) - 1)

    def take(self, address: int, to: str, stack: Stack) -> bool:
        """The program gives a block back. False where that is an error."""
        block = self._meant(address, f"{to} of")
        if block is not None:
            self.book.take(block, to, stack)
            self.shadow.set(block.address, block.end, State.UNADDRESSABLE)
        return block is not None or not address

    def lend(self, address: int, to: str) -> Lent | None:
        """The allocator may do with a block what it likes, for a while."""
        block = self._meant(address, f"{to} of")
        if block is None:
            return None
        bits = self.shadow.bits(block.address, block.size)
        self.shadow.set(block.address, block.end, State.UNADDRESSABLE)
        return Lent(block, bits)

    def get_back(self, lent: Lent) -> None:
        """The allocator left the block as it was."""
        self.shadow.put(lent.block.address, lent.block.size, lent.bits)

    def grow(self, address: int, size: int) -> None:
        """The allocator said that a block has more bytes than were asked for."""
        block = self.book.live.get(address)
        if block is not None and size > block.size:
            self.book.live[address] = replace(block, size=size)
            self.shadow.set(block.end, address + size, State.UNWRITTEN)

    def _meant(self, address: int, what: str) -> Block | None:
        """The block in use that begins at an address; else it is an error, but for NULL."""
        block = self.book.live.get(address)
        if block is not None or not address:
            return block
        taken = self.book.taken_at(address)
        if taken is not None:
            self._find("double-free", f"{what} a block given back before", address, taken)
        else:
            near = self.book.near(address) if self.shadow.watches(address) else None
            self._find(
                "invalid-free",
                f"{what} {self.spelled(address)}: no block begins there",
                address,
                near,
            )
        return None

    def moved(self, start: int, before: int, to: int, after: int) -> None:
        """mremap: the pages of a range, some more or fewer of them, are elsewhere."""
        shadow = self.shadow
        if not shadow.watches(start):
            shadow.unwatch(to, to + after)
            return
        kept = min(before, after)
        bits = shadow.bits(start, kept)
        shadow.unwatch(start, start + before)
        shadow.watch(to, to + after)
        shadow.put(to, kept, bits)

    # Accesses

    def _touched(self, writes: bool, address: int, size: int) -> None:
        if address == self.probe.leaves_at and not writes and self.leaves():
            return
        bits, low = self.shadow.bits(address, size), pattern(size, State.UNWRITTEN)
        if self.probe.inside and bits & low and self.is_inside():
            self._allocator_touched(bits & low, address, size, writes=writes)
        if self.probe.inside:
            return
        nothing = ~(bits | bits >> 1) & low
        if nothing:
            self._touched_nothing(_first(nothing, address), address, size, writes=writes)
        elif writes:
            self.shadow.written(address, size)
        elif bits >> 1 & low == 0 and self.uses_unwritten():
            self._find_access("read-unwritten", "read", address, size, address)

    def _allocator_touched(self, live: int, address: int, size: int, *, writes: bool) -> None:
        at = _first(live, address)
        if self.book.holding(at) is not None:
            verb = "write" if writes else "read"
            self._find_access("allocator-touches-live", verb, address, size, at)

    def _touched_nothing(self, at: int, address: int, size: int, *, writes: bool) -> None:
        if not writes and self.reads_ahead(at, lambda: self._ahead_of(address)):
            return
        block = self.book.near(at)
        rule = "outside-blocks" if block is None else "heap-overflow"
        if block is not None and block.to:
            rule = "use-after-free"
        self._find_access(rule, "write" if writes else "read", address, size, at)

    def _ahead_of(self, address: int) -> bool:
        """Whether some byte may be read that a vector at an address may have been meant for."""
        start, end = address - _AHEAD, (address | _AHEAD - 1) + 1
        return self.shadow.bits(start, end - start) != 0

    # Accesses of some bytes together: of the kernel for the program, or of a function for strings

    def kernel_wrote(self, address: int, size: int, call: str) -> None:
        """A system call has written to memory of the program's."""
        if self.shadow.watches(address) and not self.probe.inside:
            self._together(address, size, "write", f"the system call {call}")
        self.shadow.written(address, size)

    def kernel_read(self, address: int, size: int, call: str) -> None:
        """A system call has read memory of the program's."""
        if self.shadow.watches(address) and not self.probe.inside:
            self._together(address, size, "read", f"the system call {call}")

    def reads(self, address: int, size: int, by: str, *, decides: bool) -> None:
        """A function is about to read. decides: it does not only copy."""
        if size and self.shadow.watches(address):
            self._together(address, size, "read", by, decides=decides)

    def _together(
        self,
        address: int,
        size: int,
        verb: str,
        by: str,
        *,
        decides: bool = True,
    ) -> None:
        bits, low = self.shadow.bits(address, size), pattern(size, State.UNWRITTEN)
        nothing = ~(bits | bits >> 1) & low
        unwritten = ~(bits >> 1) & low if verb == "read" and decides else 0
        if not (nothing or unwritten):
            return
        message = f"{verb} of {counted(size)} at {self.spelled(address)} by {by}"
        reach = address, address + size
        if nothing:
            at = _first(nothing, address)
            block = self.book.near(at)
            rule = "use-after-free" if block and block.to else "heap-overflow"
            self._find(rule, message, at, block, reach)
        else:
            at = _first(unwritten, address)
            if at != address:
                message += f", of which the one at {self.spelled(at)} is unwritten"
            self._find("read-unwritten", message, at, self.book.near(at))

    # Findings

    def _find_access(self, rule: str, verb: str, address: int, size: int, at: int) -> None:
        message = f"{verb} of {counted(size)} at {self.spelled(address)}"
        self._find(rule, message, at, self.book.near(at), (address, address + size))

    def _find(
        self,
        rule: str,
        message: str,
        address: int,
        block: Block | None,
        reach: tuple[int, int] | None = None,
    ) -> None:
        self._tell(HeapError(rule, message, self._stack(), address, block, reach))


def _first(bits: int, address: int) -> int:
    """The address of the first state that is meant; two bits for each."""
    return address + ((bits & -bits).bit_length() - 1) // 2
