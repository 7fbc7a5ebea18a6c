"""Functions for strings and memory in a program: found, and judged where they are entered.

They are known by their names. In a stripped library, the loader tells which they are: it calls the
functions that choose them (STT_GNU_IFUNC), and what those answer is looked at. Machine code of ours
lets pass what is sound (asm/probe/entry.s); of the rest, strings.py says what is read.
"""

from __future__ import annotations

from collections.abc import Callable

from emu.process.program import Program
from emu.process.residues import REGISTERS
from emu.process.shadow_probe import FRAME, Judged
from emu.sanitizer.objects import Object
from emu.sanitizer.strings import Reader, reader
from emu.sanitizer.watch import HeapWatch

_RSP = REGISTERS.index("rsp")


class Readers:
    """Of one program. Membership: addresses of functions that are judged.

    hooks: what is done where an address is entered; more are put there. is_inside: whether the
    allocator runs, which may read what it likes.
    """

    def __init__(
        self,
        process: Program,
        heap: HeapWatch,
        hooks: dict[int, Callable[[int], None]],
        is_inside: Callable[[], bool],
    ) -> None:
        self._cpu, self._memory, self._heap = process.cpu, process.memory, heap
        self._hooks, self._is_inside = hooks, is_inside
        self._readers: dict[int, Reader] = {}
        self._choosers: dict[int, list[str]] = {}
        self._chosen: tuple[int, list[str]] = 0, []
        """Of the chooser that runs: where it returns to, and its names."""

    def __contains__(self, address: int) -> bool:
        return address in self._readers

    def add(self, mapped: Object) -> None:
        """A file is mapped."""
        self._choosers.update(mapped.choosers)
        self._hooks.update(dict.fromkeys(mapped.choosers, self._chooses))
        for address, name in mapped.functions:
            function = reader(name)
            if function is not None:
                self._read_by(address, function)

    def is_judged(self) -> bool:
        """Whether a function runs that was judged when it was entered, or what that calls."""
        at, back, _ = self._heap.probe.judged
        return 0 <= at - self._cpu.general()[_RSP] <= FRAME and self._word(at) == back

    def _chooses(self, address: int) -> None:
        back = self._word(self._cpu.general()[_RSP])
        self._chosen = back, self._choosers[address]
        self._hooks.setdefault(back, self._chose)

    def _chose(self, address: int) -> None:
        back, names = self._chosen
        self._chosen = 0, []
        if back != address:
            return
        chosen = self._cpu.general()[0]
        for found in filter(None, map(reader, names)):
            self._read_by(chosen, found)
        if not any("memset" in name for name in names):
            self._hooks.setdefault(chosen, self._may_read_ahead)

    def _may_read_ahead(self, _: int) -> None:
        """A function that is not judged is entered: what it reads is not, either."""
        if not self.is_judged():
            self._judge(self._cpu.general()[_RSP], 0)

    def _judge(self, rsp: int, function: int) -> None:
        self._heap.probe.judged = Judged(rsp, self._word(rsp), function)
        self._heap.shadow.see_stack(self._memory.windows.at(rsp))

    def _read_by(self, address: int, function: Reader) -> None:
        if address not in self._hooks:
            self._readers[address], self._hooks[address] = function, self._reads
            if function.shape is not None:
                self._heap.probe.let_read(address, function.shape)

    def _reads(self, address: int) -> None:
        _, _, rdx, _, rsp, _, rsi, rdi, *_ = self._cpu.general()
        shadow = self._heap.shadow
        if not (shadow.watches(rdi) or shadow.watches(rsi)):
            return
        if self._is_inside():
            return
        last = self._heap.probe.judged
        again = (last.at, last.function) == (rsp, address)
        if not again and self.is_judged():
            return  # one calls another, or jumps to it at its end
        self._judge(rsp, address)
        function = self._readers[address]
        for start, size in function.parts(self._memory.read, (rdi, rsi, rdx)):
            self._heap.reads(start, size, function.name, decides=function.decides)

    def _word(self, address: int) -> int:
        return int.from_bytes(self._memory.read(address, 8), "little")
