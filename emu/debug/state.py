"""What is known of registers and of the stack before an instruction.

All of it is told in terms of the function's entry: the canonical frame address (CFA; what rsp was
before the call), the caller's registers, and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asm.dwarf.frame import NUMBERS, RETURN_ADDRESS, WORD, Row

Value = tuple[str, int] | None
"""(CFA, distance), (register of the caller, 0), (NUMBER, number); None for what is not known."""
CFA, NUMBER = "cfa", ""

GENERAL = tuple(name for name in NUMBERS if name != RETURN_ADDRESS)


@dataclass(frozen=True, slots=True)
class State:
    """registers: what each holds. slots: what stands in words of memory, by distance from CFA."""

    registers: Mapping[str, Value]
    slots: Mapping[int, Value]

    def common(self, other: State) -> State:
        """What holds whichever way one has come."""
        return State(
            {r: v if other.registers[r] == v else None for r, v in self.registers.items()},
            {at: v for at, v in self.slots.items() if other.slots.get(at) == v},
        )

    def row(self, address: int) -> Row | None:
        """The way to the caller; None where it is not known."""
        cfa = self._cfa()
        if cfa is None or self.slots.get(-WORD) != (RETURN_ADDRESS, 0):
            return None
        changed = [r for r in GENERAL if r != "rsp" and self.registers[r] != (r, 0)]
        places = {
            value[0]: at
            for at, value in sorted(self.slots.items())
            if value and at < 0 and at % WORD == 0
        }
        saved = {r: places[r] for r in changed if r in places}
        return Row(address, cfa, saved, frozenset(changed) - saved.keys())

    def _cfa(self) -> tuple[str, int] | None:
        for register in ("rsp", "rbp", *GENERAL):
            value = self.registers[register]
            if value is None or value[0] != CFA:
                continue
            if register == "rsp" and value[1] > -WORD:
                return None  # the return address has been taken off
            if value[1] <= 0:
                return register, -value[1]
        return None


ENTRY = State(
    {r: (r, 0) for r in GENERAL} | {"rsp": (CFA, -WORD)},
    {-WORD: (RETURN_ADDRESS, 0)},
)
"""At a function's first instruction."""
