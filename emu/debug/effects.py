"""What an instruction does to what is known of registers and of the stack.

Assumed, as every debugger does: a called function keeps the System V ABI's promise, and writes
through other pointers than rsp's and its copies miss what was saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asm.dwarf.frame import WORD
from emu.debug.state import CFA, NUMBER, State, Value
from emu.process.disassembly import Operand, Step

_CALLER_SAVED = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")
_KERNEL_WRITES = ("rax", "rcx", "r11")
_RED_ZONE = 128
"""Bytes below rsp that a function may use (System V ABI, 3.2.2)."""
_NARROW = 2
_CLEARING = 4
"""Bytes of a register that are written so that the rest of it becomes 0."""
_OPERAND_SIZE = 0x66
_CS_AC_WRITE = 2
_CALLED_READERS = {"cmpxchg", "cmpxchg8b", "cmpxchg16b", "movhps", "movq"}
"""Instructions that write memory of which capstone may say that they read it."""


def after(step: Step, state: State) -> State:
    """The state behind an instruction, where it does not jump."""
    now = _Machine(dict(state.registers), dict(state.slots))
    _EFFECTS.get(step.name, _Machine.other)(now, step)
    now.trim()
    return State(now.registers, now.slots)


def calls_next(step: Step) -> bool:
    """Whether it is a call of the instruction behind it: code that asks where it is."""
    return step.name == "call" and step.operands[0] == step.end


@dataclass
class _Machine:
    """A state that is being changed."""

    registers: dict[str, Value]
    slots: dict[int, Value]

    # Values

    def value(self, operand: str | int | Operand, size: int) -> Value:
        if isinstance(operand, int):
            return NUMBER, operand
        if size != WORD:
            return None
        if isinstance(operand, str):
            return self.registers.get(operand)
        place = self.place(operand)
        return None if place is None else self.slots.get(place)

    def place(self, operand: Operand) -> int | None:
        """Distance from the CFA of an address; None where it is elsewhere, or not known."""
        base = self.registers.get(operand.base)
        if base is None or base[0] != CFA or operand.index or operand.segment:
            return None
        return base[1] + operand.displacement

    def assign(self, operand: str | int | Operand, size: int, value: Value) -> None:
        if isinstance(operand, str):
            number = value is not None and value[0] == NUMBER and size >= _CLEARING
            self.forget(whole(operand))
            if operand in self.registers or number:
                self.registers[whole(operand)] = value
        elif isinstance(operand, Operand) and (place := self.place(operand)) is not None:
            self.store(place, size, value if size == WORD else None)

    def store(self, place: int, size: int, value: Value) -> None:
        for at in [at for at in self.slots if place - WORD < at < place + size]:
            del self.slots[at]
        if value is not None:
            self.slots[place] = value

    def move(self, distance: int) -> None:
        """rsp += distance."""
        self.registers["rsp"] = _plus(self.registers["rsp"], distance)

    def trim(self) -> None:
        """What is below rsp and its red zone may change at any time."""
        rsp = self.registers["rsp"]
        if rsp and rsp[0] == CFA:
            self.slots = {at: v for at, v in self.slots.items() if at >= rsp[1] - _RED_ZONE}

    # Instructions

    def push(self, step: Step) -> None:
        value = self.value(step.operands[0], step.sizes[0]) if step.operands else None
        self.pushed(value, _NARROW if _is_narrow(step) else WORD)

    def pushed(self, value: Value, size: int = WORD) -> None:
        self.move(-size)
        if (rsp := self.registers["rsp"]) and rsp[0] == CFA:
            self.store(rsp[1], size, value if size == WORD else None)

    def pop(self, step: Step) -> None:
        size = _NARROW if _is_narrow(step) else WORD
        rsp = self.registers["rsp"]
        value = self.slots.get(rsp[1]) if rsp and rsp[0] == CFA and size == WORD else None
        self.move(size)
        if step.operands:
            self.assign(step.operands[0], size, value)

    def mov(self, step: Step) -> None:
        (target, source), (size, from_size) = step.operands, step.sizes
        self.assign(target, size, self.value(source, from_size))

    def lea(self, step: Step) -> None:
        target, source = step.operands
        place = self.place(source) if isinstance(source, Operand) else None
        self.assign(target, step.sizes[0], None if place is None else (CFA, place))

    def add(self, step: Step) -> None:
        target, source = step.operands
        sign = -1 if step.name == "sub" else 1
        value = self.value(target, step.sizes[0]) if isinstance(target, str) else None
        known = _plus(value, sign * source) if isinstance(source, int) else None
        self.assign(target, step.sizes[0], known)

    def leave(self, step: Step) -> None:
        self.registers["rsp"] = self.registers["rbp"]
        rsp = self.registers["rsp"]
        self.registers["rbp"] = self.slots.get(rsp[1]) if rsp and rsp[0] == CFA else None
        self.move(WORD)

    def enter(self, step: Step) -> None:
        room, levels = step.operands
        self.pushed(self.registers["rbp"])
        self.registers["rbp"] = self.registers["rsp"]
        if isinstance(room, int) and levels == 0:
            self.move(-room)
        else:
            self.registers["rsp"] = None

    def call(self, step: Step) -> None:
        if calls_next(step):
            self.pushed(None)
            return
        if (rsp := self.registers["rsp"]) and rsp[0] == CFA:
            self.slots = {at: v for at, v in self.slots.items() if at >= rsp[1]}
        self.forget(*_CALLER_SAVED)

    def syscall(self, step: Step) -> None:
        self.forget(*_KERNEL_WRITES)

    def other(self, step: Step) -> None:
        """What nothing is known of but which registers it writes, and where."""
        written = step.written
        if written is None:
            written = frozenset(o for o in step.operands if isinstance(o, str)) | {*_CALLER_SAVED}
        self.forget(*map(whole, written))
        for operand, size, detail in zip(
            step.operands, step.sizes, step.detail.operands, strict=True
        ):
            writes = detail.access & _CS_AC_WRITE or step.name in _CALLED_READERS
            if isinstance(operand, Operand) and writes:
                self.assign(operand, size, None)

    def forget(self, *registers: str) -> None:
        for register in registers:
            if register in self.registers:
                self.registers[register] = None


def _plus(value: Value, distance: int) -> Value:
    """A caller's register and a number are no longer known together."""
    if value is None or value[0] not in (CFA, NUMBER):
        return None
    return value[0], value[1] + distance


def _is_narrow(step: Step) -> bool:
    return _OPERAND_SIZE in step.detail.prefix


def whole(register: str) -> str:
    """The register of 8 bytes that a part belongs to: "rax" for "eax", "ax", "al" and "ah"."""
    return _WHOLE.get(register, register)


def _parts() -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for letter in "abcd":
        names = (f"e{letter}x", f"{letter}x", f"{letter}l", f"{letter}h")
        parts |= dict.fromkeys(names, f"r{letter}x")
    for name in ("si", "di", "bp", "sp"):
        parts |= dict.fromkeys((f"e{name}", name, f"{name}l"), f"r{name}")
    for number in range(8, 16):
        parts |= dict.fromkeys((f"r{number}{end}" for end in "dwb"), f"r{number}")
    return parts


_WHOLE = _parts()

_EFFECTS: Mapping[str, Callable[[_Machine, Step], None]] = {
    "push": _Machine.push,
    "pushfq": _Machine.push,
    "pushf": _Machine.push,
    "pop": _Machine.pop,
    "popfq": _Machine.pop,
    "popf": _Machine.pop,
    "mov": _Machine.mov,
    "movabs": _Machine.mov,
    "lea": _Machine.lea,
    "add": _Machine.add,
    "sub": _Machine.add,
    "leave": _Machine.leave,
    "enter": _Machine.enter,
    "call": _Machine.call,
    "syscall": _Machine.syscall,
    "int": _Machine.syscall,
}
