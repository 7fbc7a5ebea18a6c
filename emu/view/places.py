"""Addresses by names that stay the same when the layout moves: heap+0x20, map1+0x20.

heap counts from the first break; map1 from the result of the run's first mmap, map2 from the
second's, and so on. Anything else is a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syscalls import SystemCall, kinds
from syscalls.abi import page_up
from syscalls.kernel import strace_line
from syscalls.kind import Kind


@dataclass(frozen=True, slots=True)
class NamedSyscall:
    """A system call whose addresses are places: what a report shows."""

    name: str
    args: tuple[Any, ...]
    result: int | str | None
    errno: str | None

    @property
    def asked(self) -> str:
        """Its name and its arguments."""
        return str(self).rsplit(") = ", 1)[0] + ")"

    def __str__(self) -> str:
        """As strace prints it."""
        return strace_line(self.name, self.args, self.result, self.errno)


class Places:
    """Learns from system calls what lies where, in the order in which they happen."""

    def __init__(self, heap_start: int) -> None:
        self.heap_start = heap_start
        self.heap_end = heap_start
        self._maps: list[tuple[int, int, int]] = []

    def saved(self) -> tuple[int, list[tuple[int, int, int]]]:
        """All that it has learned."""
        return self.heap_end, list(self._maps)

    def put_back(self, saved: tuple[int, list[tuple[int, int, int]]]) -> None:
        """What `saved` gave."""
        self.heap_end, maps = saved
        self._maps = list(maps)

    @property
    def mappings(self) -> int:
        """How many it has learned of."""
        return len(self._maps)

    def place(self, address: int, mappings: int | None = None) -> str | int:
        """An address as a place; the number itself where it is in nothing known.

        mappings: as it was when there had been so many.
        """
        for start, end, number in reversed(self._maps[:mappings]):
            if start <= address < end:
                return f"map{number}+{address - start:#x}"
        if self.heap_start <= address < self.heap_end:
            return self._in_heap(address)
        return address

    def spelled(self, address: int) -> str:
        """An address for people: its place, or the number in hexadecimal."""
        place = self.place(address)
        return place if isinstance(place, str) else f"{place:#x}"

    def pointer(self, address: int) -> str | int | None:
        """The same, but None for a null pointer."""
        return self.place(address) if address else None

    def address(self, base: str, offset: int) -> int | None:
        """The address of a place; None while there is no such mapping."""
        if base == "heap":
            return self.heap_start + offset
        starts = {f"map{number}": start for start, _, number in self._maps}
        return starts[base] + offset if base in starts else None

    def learn(self, call: SystemCall) -> NamedSyscall:
        """Takes note of what a system call did, and names its addresses."""
        args = tuple(
            self._argument(call, kind, value)
            for kind, value in zip(call.kinds, call.args, strict=False)
        )
        if call.name == "brk" and call.result is not None:
            self.heap_end = max(self.heap_end, call.result)
        if call.name == "mmap" and call.errno is None and call.result is not None:
            self._maps.append(
                (call.result, call.result + page_up(call.args[1]), len(self._maps) + 1)
            )
        return NamedSyscall(call.name, args, self._result(call), call.errno)

    def _argument(self, call: SystemCall, kind: Kind, value: int) -> Any:
        if kind is kinds.ADDRESS and value:
            return self._address_of(call, value)
        return kind.shown(value)

    def _result(self, call: SystemCall) -> int | str | None:
        if call.result is None or call.errno or call.result_kind is not kinds.ADDRESS:
            return call.result
        return self._address_of(call, call.result)

    def _address_of(self, call: SystemCall, value: int) -> int | str:
        """What brk is asked for counts from the heap's start, however far away it is."""
        if call.name == "brk" and value >= self.heap_start:
            return self._in_heap(value)
        return self.place(value)

    def _in_heap(self, address: int) -> str:
        return f"heap+{address - self.heap_start:#x}"
