"""Memory as it was: the accesses and what the kernel did, played again over a range."""

from __future__ import annotations

import numpy as np

from emu.process.event import Discarded, Effect, Event, Moved, Refilled, Shown, Wrote
from emu.trace.shown import effects_of
from emu.trace.trace import Accesses, Trace
from syscalls.abi import PAGE

_BATCH = 1 << 20
_WIDEST = 8


class Memory:
    """Bytes of [start, end) at a moment of a trace, which only goes forward.

    Before the first write they are zeros, as memory is that the kernel gives.
    """

    def __init__(self, trace: Trace, start: int, end: int) -> None:
        self.start, self.end = start, end
        self._trace = trace
        self._bytes = np.zeros(max(0, end - start), np.uint8)
        self._accesses = self._events = 0

    def read(self, address: int, size: int) -> bytes:
        """The bytes at [address, address + size), which lie in the range."""
        return self._bytes[address - self.start : address - self.start + size].tobytes()

    def number(self, address: int, size: int = 8) -> int:
        """The same as a number, the lowest byte first."""
        return int.from_bytes(self.read(address, size), "little")

    def covers(self, address: int, size: int) -> bool:
        return self.start <= address and address + size <= self.end

    def forward(self, accesses: int, events: int) -> None:
        """To when so many accesses had been made, and so many events had happened."""
        while self._events < events:
            event = self._trace.events[self._events]
            self._play(min(event.accesses, accesses))
            self._happened(event)
            self._events += 1
        self._play(accesses)

    def to_end(self) -> None:
        """To the end of the trace."""
        self.forward(len(self._trace.recorded_accesses), len(self._trace.events))

    def _play(self, until: int) -> None:
        for part in self._trace.shown.stretches(self.start, self.end):
            low, high = max(part.first, self._accesses), min(part.last, until)
            for first in range(low, high, _BATCH):
                made = self._trace.recorded_accesses[first : min(high, first + _BATCH)]
                self._write(made, part.at, part.at + part.end - part.start, part.start - self.start)
        self._accesses = max(self._accesses, until)

    def _write(self, made: Accesses, start: int, end: int, offset: int) -> None:
        address = made["address"]
        within = made["write"] & (address < end) & (address + made["size"] > start)
        made = made[within]
        at = made["address"].astype(np.int64)[:, None] + np.arange(_WIDEST) - start
        values = np.ascontiguousarray(made["value"]).view(np.uint8).reshape(-1, _WIDEST)
        real = (np.arange(_WIDEST) < made["size"][:, None]) & (at >= 0) & (at < end - start)
        self._bytes[at[real] + offset] = values[real]  # where one repeats, the last one stays

    def _happened(self, event: Event) -> None:
        for effect in effects_of(event):
            self._apply(event, effect)

    def _apply(self, event: Event, effect: Effect) -> None:
        match effect:
            case Wrote(address, data):
                self._put(address, data)
            case Discarded(start, end):
                low, high = max(start, self.start), min(end, self.end)
                self._bytes[max(0, low - self.start) : max(0, high - self.start)] = 0
            case Moved(start, end, to):
                low, high = max(start, self.start), min(end, self.end)
                if low < high:  # what comes from beyond the range is not known
                    self._put(low - start + to, self.read(low, high - low))
                    self._bytes[low - self.start : high - self.start] = 0
            case Shown(page, _, data):
                self._put(page, data.ljust(PAGE, b"\0"))
            case Refilled(frame, data):
                for page in self._trace.shown.showing(frame, event.accesses):
                    self._put(page, data)

    def _put(self, address: int, data: bytes) -> None:
        low, high = max(address, self.start), min(address + len(data), self.end)
        if low < high:
            part = np.frombuffer(data[low - address : high - address], np.uint8)
            self._bytes[low - self.start : high - self.start] = part
