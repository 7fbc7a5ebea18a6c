"""The culprit: which instruction of a recorded failure did it, as far as a trace can tell.

bytes of a block             who wrote them in the last call; else who wrote to the block last,
                             and stopped too early
a block in a wrong place     who wrote the header that says so; else who gave the answer
osmem's blocks               who wrote the first field that is not as the contract has it
a product that wraps         who multiplied
a system call                who asked for it
the calling convention       who changed the register last
a block in use               who touched it
an answer                    the last decision of the call
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emu.judge.failure import Found
from emu.judge.lockstep import Lockstep
from emu.judge.player import Player
from emu.process.event import SystemCalled
from emu.process.process import STACK_SIZE, STACK_TOP
from emu.trace.blocks import Places
from emu.trace.questions import by_instruction, last_write
from emu.trace.trace import Span, Trace
from emu.trace.where import Where
from emu.view.blocks import HEADER
from emu.view.invariants import CHECKS

_HEADER = 48
"""Bytes before a payload in which allocators keep what they know of it."""
_SMALLEST = 8
_GIVES = re.compile(r"(?!cmp|test|push)\w+ [re]?ax\b")
"""An instruction whose first operand is rax, or a part of it, and is written."""


def culprit(trace: Trace, found: Found, player: Player) -> int | None:
    """The moment of the instruction. None where nothing was recorded that could have done it."""
    if not trace.calls:
        return None
    return _Search(trace, trace.calls[-1], found, player).look()


def with_source(trace: Trace, moment: int) -> Where:
    """The instruction, or who called what it is in, the nearest whose source is known."""
    where = trace.where(moment)
    call = trace.call_at(moment)
    if where.line is not None or call is None:
        return where
    numbers = trace.numbers(call.first, moment)
    inside = 0
    for number in numbers[_is_call_or_return(trace, numbers)][::-1].tolist():
        one = trace.listing[number]
        if one.text.startswith("ret"):
            inside += 1
        elif inside:
            inside -= 1
        elif one.line is not None:
            return one
    return where


def _is_call_or_return(trace: Trace, numbers: Places) -> NDArray[np.bool_]:
    different, at = np.unique(numbers, return_inverse=True)
    texts = (trace.listing[number].text for number in different.tolist())
    matters = np.array([text.startswith(("call", "ret")) for text in texts], np.bool_)
    found: NDArray[np.bool_] = matters[at]
    return found


class _Search:
    def __init__(self, trace: Trace, call: Span, found: Found, player: Player) -> None:
        self.trace, self.call, self.found, self.player = trace, call, found, player

    def look(self) -> int | None:
        """By what kind of rule it is; in the end, the last decision."""
        rule, address = self.found.rule, self.found.address
        if rule in ("contents-changed", "realloc-contents", "calloc-not-zero"):
            found = _first(self._wrote(address), self._wrote_last(self._block()))
        elif rule == "calloc-overflow":
            found = _first(self._multiplied(), self._said_so(self._result()))
        elif rule in ("overlap", "outside", "misaligned"):
            found = _first(self._said_so(self._result()), self._answered(), self._wrote_last())
        elif rule in CHECKS or rule in ("blocks", "result"):
            found = _first(self._wrong_field(self.player.model), self._wrote_last())
        elif rule == "allocator-touches-live":
            found = self._touched(address)
        elif rule == "syscalls":
            found = self._asked()
        elif rule == "convention":
            found = self._changed_register(self.found.detail)
        else:
            found = None
        return _first(found, self._decided())

    # Writes

    def _wrote(self, address: int | None) -> int | None:
        """Who wrote a byte in the last call."""
        if address is None:
            return None
        write = last_write(self.trace, address)
        return write.moment if write and write.where and write.moment >= self.call.first else None

    def _wrote_last(self, within: tuple[int, int] | None = None) -> int | None:
        """The last write of the last call to memory that is not its stack."""
        trace = self.trace
        accesses = trace.accesses_within(self.call.first, self.call.last)
        made = trace.recorded_accesses[accesses]
        low, high = within or (0, STACK_TOP - STACK_SIZE)
        hits = made["write"] & (made["address"] >= low) & (made["address"] < high)
        numbers = hits.nonzero()[0]
        if not len(numbers):
            return None
        return by_instruction(trace, int(numbers[-1]) + accesses.start).moment

    def _block(self) -> tuple[int, int] | None:
        """The block that the last call gave."""
        start = self._result()
        promise = self.player.heap.ledger.live.get(start)
        return (start, promise.end) if promise else None

    def _result(self) -> int:
        return self.call.returned.result if self.call.returned else 0

    def _said_so(self, payload: int) -> int | None:
        """Who wrote the size before a payload: of the writes, the last that may be one."""
        trace = self.trace
        among = trace.touching(payload - _HEADER, payload, write=True)
        for number in reversed(among.tolist()):
            write = by_instruction(trace, number)
            size = (write.value or 0) & ~0xF
            if write.call and _SMALLEST <= size < payload and write.size == _SMALLEST:
                return write.moment
        return by_instruction(trace, int(among[-1])).moment if len(among) else None

    def _touched(self, address: int | None) -> int | None:
        """Who first read, or wrote, a byte of a block that is somebody's."""
        if address is None:
            return None
        made = self.trace.accesses_within(self.call.first, self.call.last)
        touching = self.trace.touching(address, address + 1).tolist()
        first = next((number for number in touching if made.start <= number < made.stop), None)
        return None if first is None else by_instruction(self.trace, first).moment

    # osmem's blocks

    def _wrong_field(self, lockstep: Lockstep) -> int | None:
        """Who wrote the first field of a header that is not as it should be."""
        for address in self._wrong_fields(lockstep):
            if (found := self._wrote(address)) is not None:
                return found
        return None

    def _wrong_fields(self, lockstep: Lockstep) -> Iterator[int]:
        memory = self.player.heap.process.memory
        headers = list(lockstep.model.headers())
        offsets = (0, 8, 16, 24)
        for header, wanted in headers:
            fields = HEADER.unpack(memory.read(header, HEADER.size))
            for offset, field, want in zip(offsets, fields, wanted, strict=True):
                if field != want:
                    yield header + offset

    # What is not written

    def _multiplied(self) -> int | None:
        """The first multiplication: of the count and the size."""
        for moment in range(self.call.first, self.call.last):
            if self.trace.instruction(moment).text.startswith(("mul", "imul")):
                return moment
        return None

    def _asked(self) -> int | None:
        """Who called what made the last system call of the call: the wrapper's caller."""
        moments = [
            event.at for event in self.trace.of_kind(SystemCalled) if event.at > self.call.first
        ]
        if not moments:
            return None
        depth = 0
        for moment in range(moments[-1] - 1, self.call.first - 1, -1):
            text = self.trace.instruction(moment).text
            if text.startswith("ret"):
                depth += 1
            elif text.startswith("call"):
                if not depth:
                    return moment
                depth -= 1
        return moments[-1] - 1

    def _answered(self) -> int | None:
        """Who wrote rax last."""
        for moment in range(self.call.last - 1, self.call.first - 1, -1):
            if _GIVES.match(self.trace.instruction(moment).text):
                return moment
        return None

    def _changed_register(self, name: str) -> int | None:
        trace = self.trace
        column = {"DF": "rflags"}.get(name, name)
        registers = trace.recorded_registers
        if column not in (registers.dtype.names or ()):
            return self._wrote_last((STACK_TOP - STACK_SIZE, STACK_TOP))
        values = registers[column][self.call.first : self.call.last].tolist()
        mask = 0x400 if name == "DF" else (1 << 64) - 1
        for at in range(len(values) - 1, 0, -1):
            if (values[at] ^ values[at - 1]) & mask:
                return self.call.first + at - 1
        return None

    def _decided(self) -> int | None:
        """The last conditional jump of the call, or repetition; else its last instruction."""
        last = self.call.last - 1
        for moment in range(last, self.call.first - 1, -1):
            text = self.trace.instruction(moment).text
            if text.startswith(("j", "rep")) and not text.startswith("jmp"):
                return moment
        return last if last >= self.call.first else None


def _first(*moments: int | None) -> int | None:
    return next((moment for moment in moments if moment is not None), None)
