"""Blocks whose accesses must be aligned, translated anew so that they are checked.

Most accesses are judged where the block is entered, by the registers (residues.py): that costs a
few host instructions a block (entry_check.py). Where that finds one that is not aligned, the block
is translated once more, and each access is looked at in its place (alignment.py), so that the
fault is the instruction's. That is also the way for accesses whose address is not known at the
entry, and on hosts that cannot run our machine code.

Functions whose entry somebody wants to be told of are found in the same way: the block that begins
there is translated anew, with a hook on its first instruction.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from emu.process import binding, entry_check
from emu.process.alignment import Alignment, make_alignment
from emu.process.binding import Hook
from emu.process.counter import Counter
from emu.process.disassembly import steps
from emu.process.engine import Engine
from emu.process.entry_check import EntryChecks
from emu.process.residues import Followed, Sum
from emu.process.screening import Aligned, aligned_accesses

Screen = Callable[[int], tuple[int, int] | None]
"""Of a callback for entries, another one that calls it where an entry is news, and its word."""


@dataclass(frozen=True, slots=True)
class Block:
    """size: in bytes. at_entry: what must be 0 modulo 16. in_place: accesses not judged there."""

    address: int
    size: int
    instructions: int
    accesses: list[Aligned]
    at_entry: frozenset[Sum]
    in_place: list[Aligned]

    @property
    def minds(self) -> bool:
        """Whether there is anything to check."""
        return bool(self.at_entry or self.in_place)


def block_of(code: bytes, address: int, instructions: int, accesses: list[Aligned]) -> Block:
    """What there is to check of a block; accesses: all that must be aligned."""
    sums, unknown = judged(code, address, accesses)
    return Block(address, len(code), instructions, accesses, sums, unknown)


def judged(
    code: bytes, address: int, accesses: list[Aligned]
) -> tuple[frozenset[Sum], list[Aligned]]:
    """What the registers must be at the entry of a block, and the accesses that tells nothing of.

    Accesses that are always aligned are in neither.
    """
    minding = {access.address: access for access in accesses}
    sums, unknown = set(), []
    registers = Followed()
    for step in steps(code, address) if accesses else ():
        if step.address > accesses[-1].address:
            break
        access = minding.get(step.address)
        if access is not None:
            place = registers.address(access.operand)
            if place is None or (place.known and place.constant):
                unknown.append(access)
            elif not place.known:
                sums.add(place)
        registers.take(step)
    return frozenset(sums), unknown


class Minding:
    """Of one engine. hook: the engine's hook on blocks."""

    def __init__(self, of: Engine, counter: Counter, hook: ctypes.c_size_t) -> None:
        self._engine, self._counter, self._hook = of, counter, hook
        self._alignment: Alignment = make_alignment(binding.library)
        check = self._alignment
        self._in_place = of.hook_nowhere(Hook.CODE, check.callback, user=check.user)
        self._entry_checks = EntryChecks()
        self._blocks: dict[int, Block] = {}
        self._held: Block | None = None
        """The block last translated, if it must be translated anew to be checked."""
        self.entries: Collection[int] = ()
        """Addresses of functions: `on_entry` is told when one is entered, before it runs."""
        self.on_entry: Callable[[int], None] = lambda address: None
        self.screen: Screen = lambda on_entry: None
        self._look = binding.CODE(ctypes.cast(check.callback, ctypes.c_void_p).value or 0)
        self._entered = binding.CODE(self._at_instruction)

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def broken(self) -> bool:
        """Whether an instruction was stopped, since `forget`, whose access was not aligned."""
        return self._alignment.broken

    def forget(self) -> None:
        """A new run begins."""
        self._held = None
        self._alignment.forget()

    def holds(self, code: bytes, address: int, instructions: int) -> bool:
        """A block was translated: whether it may not be entered before `translate`."""
        accesses = aligned_accesses(code, address)
        is_entry = address in self.entries
        if not accesses and not is_entry:
            return False
        block = block_of(code, address, instructions, accesses)
        holds = block.minds or is_entry
        if holds:
            self._blocks[address] = self._held = block
        return holds

    @contextmanager
    def watching(self, code: bytes, address: int) -> Iterator[None]:
        """A block that is translated meanwhile has each access looked at, in its place."""
        accesses = aligned_accesses(code, address)
        with ExitStack() as stack:
            if accesses:
                stack.enter_context(self._in_places(accesses))
            yield

    def _in_places(self, accesses: list[Aligned]) -> AbstractContextManager[None]:
        for access in accesses:
            self._alignment.learn(access)
        first, last = accesses[0].address, accesses[-1].address
        return self._engine.ranging(self._in_place, first, last)

    def _from_entry(self, entry: int, accesses: list[Aligned]) -> AbstractContextManager[None]:
        for access in accesses:
            self._alignment.learn(access)
        last = accesses[-1].address if accesses else entry
        return self._engine.ranging(self._in_place, entry, last)

    def _telling(self, accesses: list[Aligned]) -> AbstractContextManager[None]:
        """What is called in place of what looks at these accesses, and looks at them, too."""
        on_entry = ctypes.cast(self._entered, ctypes.c_void_p).value or 0
        screened = None if accesses else self.screen(on_entry)
        return self._engine.calling(self._in_place, *(screened or (on_entry,)))

    def _at_instruction(self, handle: int, address: int, size: int, _: int) -> None:
        """Of a block at an entry: its first instruction, or another up to the last that minds."""
        if address in self.entries:
            self.on_entry(address)
        self._look(handle, address, size, self._alignment.user)

    def translate(self) -> int | None:
        """After a stop before a block that minds: translates it anew. Where to go on, then."""
        if self._held is not None:
            return self._translate(self._held, self._routine(self._held))
        if self._counter.uneven is not None:
            return self._translate(self._blocks[self._counter.uneven], None)
        return None

    def _routine(self, block: Block) -> int | None:
        if block.at_entry and entry_check.usable():
            recording = self._counter.recording
            return self._entry_checks.routine(block.at_entry, recording=recording)
        return None

    def _translate(self, block: Block, routine: int | None) -> int:
        """routine: what checks the block at its entry, if anything does."""
        settled = routine is not None or not block.at_entry
        watched = block.in_place if settled else block.accesses
        with ExitStack() as stack:
            if routine is not None:
                stack.enter_context(self._engine.calling(self._hook, routine))
            if block.address in self.entries:
                stack.enter_context(self._telling(watched))
                stack.enter_context(self._from_entry(block.address, watched))
            elif watched:
                stack.enter_context(self._in_places(watched))
            self._engine.translate(block.address)
        self._counter.learn(block.address, block.size, block.instructions)
        return block.address
