"""Who wrote it: the writes to an address, by instructions and by the kernel, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from emu.process.event import (
    Discarded,
    Effect,
    Event,
    Interrupted,
    Moved,
    PageFaulted,
    Refilled,
    Shown,
    SystemCalled,
    Wrote,
)
from emu.trace.blocks import Places
from emu.trace.shown import effects_of
from emu.trace.trace import Trace
from emu.trace.where import Where
from syscalls.abi import PAGE


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes were replaced by an instruction, or by the kernel.

    moment: of the instruction; of the kernel's, how many had been executed. data: what was
    written, from `address` on; None for what pages had elsewhere before they were moved. call:
    the index of the call within which it was; None outside. where: the instruction. kernel: what
    of the kernel's did it, where no instruction did: "read", "page fault".
    """

    moment: int
    address: int
    size: int
    data: bytes | None
    call: int | None
    where: Where | None
    kernel: str | None = None

    @property
    def value(self) -> int | None:
        """The bytes as a number, the lowest first."""
        return None if self.data is None else int.from_bytes(self.data, "little")


class Writes(Sequence[Write]):
    """Writes in order; each is looked up when it is asked for."""

    def __init__(self, trace: Trace, accesses: Places, kernels: list[tuple[int, Effect]]) -> None:
        """kernels: the index of the event, and what it did."""
        self._trace, self._accesses, self._kernels = trace, accesses, kernels
        before = [trace.events[index].accesses for index, _ in kernels]
        keys = np.concatenate((accesses * 2 + 1, np.array(before, np.int64) * 2))
        self._order = np.argsort(keys, kind="stable")

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Write: ...
    @overload
    def __getitem__(self, index: slice) -> list[Write]: ...
    def __getitem__(self, index: int | slice) -> Write | list[Write]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        which = int(self._order[index])
        if which < len(self._accesses):
            return by_instruction(self._trace, int(self._accesses[which]))
        event, effect = self._kernels[which - len(self._accesses)]
        return _by_kernel(self._trace, self._trace.events[event], effect)


def writes(trace: Trace, start: int, end: int, before: int | None = None) -> Writes:
    """Everything that wrote to a byte of [start, end), in order; before: until that moment."""
    found = trace.touching(start, end, write=True)
    kernels = list(kernel_writes(trace, start, end))
    if before is not None:
        found = found[trace.moments_of(trace.recorded_accesses[found]) < before]
        kernels = [one for one in kernels if trace.events[one[0]].at <= before]
    return Writes(trace, found, kernels)


def last_write(trace: Trace, address: int, before: int | None = None) -> Write | None:
    """What a byte has, or had before the instruction of a moment, was put there by this."""
    found = writes(trace, address, address + 1, before)
    return found[-1] if found else None


def by_instruction(trace: Trace, access: int) -> Write:
    """The write that an access is, by its number."""
    one = trace.recorded_accesses[access : access + 1]
    size = int(one["size"][0])
    moment = int(trace.moments_of(one)[0])
    call = trace.call_at(moment)
    return Write(
        moment,
        trace.shown.virtual(int(one["address"][0]), access),
        size,
        (int(one["value"][0]) & (1 << 8 * size) - 1).to_bytes(size, "little"),
        call.index if call else None,
        trace.listing[int(trace.numbers_of(one)[0])],
    )


def kernel_writes(trace: Trace, start: int, end: int) -> Iterator[tuple[int, Effect]]:
    """What the kernel did to a byte of [start, end): the index of the event, and the effect."""
    for index, event in enumerate(trace.events):
        for effect in effects_of(event):
            if any(low < end and start < high for low, high in _ranges(trace, event, effect)):
                yield index, effect


def _ranges(trace: Trace, event: Event, effect: Effect) -> list[tuple[int, int]]:
    """What an effect gave other bytes."""
    match effect:
        case Wrote(address, data):
            return [(address, address + len(data))]
        case Discarded(start, end):
            return [(start, end)]
        case Moved(start, end, to):
            return [(start, end), (to, to + end - start)]
        case Shown(page):
            return [(page, page + PAGE)]
        case Refilled(frame, data):
            pages = trace.shown.showing(frame, event.accesses)
            return [(page, page + len(data)) for page in pages]
    return []


def _by_kernel(trace: Trace, event: Event, effect: Effect) -> Write:
    start, end = _ranges(trace, event, effect)[-1]
    call = trace.call_at(event.at)
    return Write(
        event.at, start, end - start, _data(effect), call.index if call else None, None,
        kernel_of(event),
    )  # fmt: skip


def _data(effect: Effect) -> bytes | None:
    match effect:
        case Wrote(_, data) | Shown(_, _, data) | Refilled(_, data):
            return data
        case Discarded(start, end):
            return bytes(end - start)
    return None


def kernel_of(event: Event) -> str:
    """What of the kernel's an event is: the name of a system call, or what else it did."""
    match event:
        case SystemCalled(call=call):
            return call.name
        case PageFaulted():
            return "page fault"
        case Interrupted():
            return "between instructions"
    return type(event).__name__.lower()
