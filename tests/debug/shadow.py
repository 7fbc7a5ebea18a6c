"""The truth about callers: kept by watching every call and return, without a look at the stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emu.process.binding import CODE, Hook
from emu.process.disassembly import mnemonics
from emu.process.process import Process

NAMES = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
"""In DWARF's order."""
_WORD = 8
_LONGEST = 15


@dataclass(frozen=True)
class Called:
    """A call that has not returned: where to, and the caller's registers just before it."""

    returns_to: int
    registers: Mapping[str, int]


See = Callable[[int, Mapping[str, int], list[Called]], None]
"""see(address, registers, callers), before each instruction; callers from the innermost on."""


class Shadow:
    """Watches a process from its way in to its way out."""

    def __init__(self, process: Process, see: See) -> None:
        self._process, self._see = process, see
        self._calls: list[Called] = []
        self._last: tuple[int, str, int, Mapping[str, int]] | None = None
        self._known: dict[int, tuple[str, int]] = {}
        engine = process.cpu._engine
        self._registers = engine.batch(NAMES)
        engine.hook(Hook.CODE, CODE(self._step))

    def _step(self, _: int, address: int, __: int, ___: int) -> None:
        registers = dict(zip(NAMES, self._registers.read(), strict=True))
        if address == self._process._enter_at:
            self._calls.clear()
        elif self._last:
            self._follow(*self._last)
        self._last = (address, *self._instruction(address), registers)
        if address < self._process._enter_at:
            self._see(address, registers, self._calls[::-1])

    def _follow(self, address: int, name: str, end: int, before: Mapping[str, int]) -> None:
        if address == self._process._enter_at:  # it enters as a call from the way out would
            rsp = before["rsp"] + 2 * _WORD
            self._calls.append(Called(self._process._leave, {**before, "rsp": rsp}))
        elif name == "call":
            self._calls.append(Called(end, before))
        elif name.startswith("ret"):
            self._calls.pop()

    def _instruction(self, address: int) -> tuple[str, int]:
        """Its mnemonic, and where it ends."""
        if address not in self._known:
            code = self._process.memory.read(address, _LONGEST)
            (_, name), *rest = mnemonics(code, address)
            self._known[address] = name, rest[0][0] if rest else address
        return self._known[address]
