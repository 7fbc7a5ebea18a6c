"""Whether what an instruction reads decides anything, told by the code that follows it.

Bytes that nobody wrote may be copied: padding, or the rest of a buffer. They must not decide where
to go, be an address, or be handed to a function or the kernel. The value is followed in registers
and on the stack, along all ways that the code may take, and it counts as used where it is on each
of them. What is not certain is no use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from emu.process.disassembly import Operand, Step, steps

_LONGEST = 15
_MOST = 256
"""Instructions that are looked at."""
_FLAGS = "rflags"
_ARGUMENTS = {"rdi", "rsi", "rdx", "rcx", "r8", "r9", *(f"xmm{n}" for n in range(8))}
_KEPT = {"rbx", "rbp", "rsp", "r12", "r13", "r14", "r15"}
_RESULTS = {"rax", "xmm0"}
_ASKED = {"rdi", "rsi", "rdx", "r10", "r8", "r9"}
_ENDS = {"ud2", "hlt", "int3", "int"}
_NO_READ = {"lea", "nop", "endbr64", "prefetcht0", "prefetchnta"}
_NO_WRITE = {"cmp", "test", "bt", "call", "jmp", "push"}
_COMPARING, _COPYING = {0xA6, 0xA7, 0xAE, 0xAF}, {0xA4, 0xA5, 0xAA, 0xAB, 0xAC, 0xAD}
"""Opcodes of cmps and scas; of movs, stos and lods."""
_CLEARING = {"xor", "sub", "pxor", "xorps", "xorpd"}

Read = Callable[[int, int], bytes]
Slot = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Traced:
    """Where the value is: registers and the flags, places on the stack; stored: elsewhere too."""

    registers: frozenset[str] = frozenset()
    slots: frozenset[Slot] = frozenset()
    stored: bool = False

    @property
    def gone(self) -> bool:
        return not self.registers and not self.slots


@dataclass(slots=True)
class Uses:
    """Of one program. read: its code, by address. What was found out is remembered."""

    read: Read
    _known: dict[int, bool] = field(default_factory=dict)

    def used(self, address: int) -> bool:
        """Whether the value that the instruction there reads from memory is used."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = _Follow(self.read).begin(address)
        return known


class _Follow:
    """One value, from where it is read."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = _MOST
        self._seen: set[tuple[int, _Traced]] = set()

    def begin(self, address: int) -> bool:
        step = self._step(address)
        if step is None:
            return False
        opcode = step.detail.opcode[0]
        if step.name in ("call", "jmp", "ret") or opcode in _COMPARING:
            return True
        if opcode in _COPYING or step.name == "push" or _writes_memory(step):
            return False
        if _memory(step) is None:
            return False
        after = _Traced(frozenset(_written(step)) - {"rsp"})
        return bool(self._follow(step.end, after))

    def _follow(self, address: int, traced: _Traced) -> bool | None:
        """None where it has been before."""
        while not traced.gone:
            if (address, traced) in self._seen:
                return None
            self._seen.add((address, traced))
            self._left -= 1
            step = self._step(address) if self._left > 0 else None
            if step is None or step.name in _ENDS:
                return False
            verdict = _verdict(step, traced)
            if verdict is not None:
                return verdict
            if step.name == "jmp":
                target = step.operands[0]
                if not isinstance(target, int):  # a library's function, called last
                    return _handed(traced) and _is_fixed(step)
                address = target
                continue
            if step.name[0] == "j" or step.name.startswith("loop"):
                return self._both(step, traced)
            traced = _after(step, traced)
            address = step.end
        return False

    def _both(self, step: Step, traced: _Traced) -> bool | None:
        """A branch that does not depend on the value."""
        target = step.operands[0]
        ways = [self._follow(step.end, traced)]
        if ways[0] is not False and isinstance(target, int):
            ways.append(self._follow(target, traced))
        told = [way for way in ways if way is not None]
        return all(told) if told else None

    def _step(self, address: int) -> Step | None:
        found = steps(self._read(address, _LONGEST), address)
        return found[0] if found else None


def _verdict(step: Step, traced: _Traced) -> bool | None:
    """Whether the instruction uses the value, or ends what can be known; None to go on."""
    registers = traced.registers
    if step.name not in _NO_READ and _of_address(step) & registers:
        return True
    if step.name == "call":
        through = any(isinstance(o, str) and family(o) in registers for o in step.operands)
        return True if _handed(traced) or through else None
    if step.name == "ret":
        return bool(registers & _RESULTS) and not traced.stored
    if step.name == "syscall":
        return bool(registers & (_ASKED | {"rax"}))
    if step.name[0] == "j" and (registers & _read(step)):
        return True
    return None


def _handed(traced: _Traced) -> bool:
    """Whether a function that is called now is given the value."""
    return bool(traced.registers & _ARGUMENTS) and not traced.stored


def _is_fixed(step: Step) -> bool:
    """Whether a jump goes through a word at an address that is known."""
    place = _memory(step)
    return place is not None and not place.base and not place.index


def _after(step: Step, traced: _Traced) -> _Traced:
    """Where the value is behind an instruction that does not use it."""
    if step.name == "call":
        kept = frozenset(traced.registers & _KEPT)
        return replace(traced, registers=kept, slots=_of(traced.slots, "rbp", "rsp"))
    place = _memory(step)
    slot = _slot(place)
    carries = bool(traced.registers & _read(step)) or (slot in traced.slots)
    if _clears(step) or step.name.startswith("cmov"):
        carries = False  # cmov: perhaps
    written = _written(step)
    registers = traced.registers
    if carries:
        registers |= written - {"rsp"}
    elif not _partial(step):
        registers -= written
    slots, stored = traced.slots, traced.stored
    if place is not None and _writes_memory(step):
        if slot is None:
            stored = stored or carries
        elif carries:  # it will be read from there
            slots |= {slot}
            registers -= _read(step)
        elif step.name.startswith("mov"):
            slots -= {slot}
    if "rsp" in written or step.name in ("push", "pop", "leave", "enter"):
        slots = _of(slots, "rbp")
    if "rbp" in written:
        slots = _of(slots, "rsp")
    if step.name == "push" and carries:
        stored = True
    return _Traced(frozenset(registers), frozenset(slots), stored)


def _of(slots: frozenset[Slot], *bases: str) -> frozenset[Slot]:
    return frozenset(slot for slot in slots if slot[0] in bases)


def _slot(place: Operand | None) -> Slot | None:
    """A place on the stack that is named by its offset alone."""
    if place is None or place.index or place.segment or place.base not in ("rsp", "rbp"):
        return None
    return place.base, place.displacement


def _memory(step: Step) -> Operand | None:
    return next((one for one in step.operands if isinstance(one, Operand)), None)


def _of_address(step: Step) -> frozenset[str]:
    """The registers that its address in memory is made of."""
    place = _memory(step)
    if place is None:
        return frozenset()
    return frozenset({family(place.base), family(place.index)} - {""})


def _writes_memory(step: Step) -> bool:
    """Whether its memory operand is written to, or both. capstone does not know all of them."""
    import capstone

    operands = step.detail.operands
    if step.name in _NO_WRITE or step.name in _NO_READ:
        return False
    first = len(operands) > 1 and operands[0].type == capstone.x86.X86_OP_MEM
    return first or any(
        operand.type == capstone.x86.X86_OP_MEM and operand.access & capstone.CS_AC_WRITE
        for operand in operands
    )


def _read(step: Step) -> frozenset[str]:
    """Registers and flags that it reads, but for those of an address."""
    detail = step.detail
    if step.name == "lea":
        return _of_address(step)
    found = frozenset(family(detail.reg_name(number)) for number in detail.regs_access()[0])
    return found - (_of_address(step) - _named_registers(step))


def _named_registers(step: Step) -> set[str]:
    return {family(one) for one in step.operands if isinstance(one, str)}


def _written(step: Step) -> frozenset[str]:
    written = step.written
    if written is None:  # push, pop, xchg and their like
        named = {one for one in step.operands[:1] if isinstance(one, str)}
        written = frozenset(named if step.name != "push" else ())
    return frozenset(family(one) for one in written)


def _clears(step: Step) -> bool:
    """xor eax, eax."""
    return (
        step.name in _CLEARING
        and len(step.operands) == 2
        and isinstance(step.operands[0], str)
        and step.operands[0] == step.operands[1]
    )


def _partial(step: Step) -> bool:
    """Whether it leaves the rest of its register as it was."""
    return bool(step.sizes) and isinstance(step.operands[0], str) and step.sizes[0] < 4


_WHOLE = {
    **{part: f"r{name}" for name in ("si", "di", "bp", "sp") for part in (name, f"{name}l")},
    **{f"{letter}{end}": f"r{letter}x" for letter in "abcd" for end in "xlh"},
    **{f"e{name}": f"r{name}" for name in "ax bx cx dx si di bp sp".split()},
    **{f"r{number}{end}": f"r{number}" for number in range(8, 16) for end in "dwb"},
    "eflags": _FLAGS,
}


def family(name: str | None) -> str:
    """The whole of which a register is a part: "rax" for "al"."""
    return _WHOLE.get(name or "", name or "")
