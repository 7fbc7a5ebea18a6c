"""What a program reads and writes, found without a memory hook.

A hook in Python is called before each instruction. What memory the instruction reaches is worked
out of its operands and the registers; what it read is looked up before it, and what it wrote when
the next one begins. Of capstone only operands are believed, not which of them are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import capstone

from emu.errors import GuestDied
from emu.process import binding
from emu.process.binding import Hook
from emu.process.disassembly import Instruction, disassemble
from emu.process.process import HARNESS, Process

Seen = tuple[int, bool, int, int, int]
"""Which instruction, whether it wrote, where, how many bytes, and these."""
Place = tuple[int, int]
"""Address and size."""
_STORES = set(
    "mov movbe movups movdqu movaps movdqa movss movsd movlps movhps movlpd movhpd movq movd movnti"
    " movntdq pextrb pextrw pextrd pextrq extractps fst fstp fist fistp fisttp fnstcw fnstsw"
    " stmxcsr setb sete pop".split()
)
_CHANGES = set(
    "add sub adc sbb and or xor inc dec neg not shl shr sar rol ror rcl rcr shld shrd xchg xadd"
    " cmpxchg cmpxchg8b cmpxchg16b bts btr btc".split()
)
_UNTOUCHED = {"lea", "nop", "prefetcht0"}
_PUSHES, _POPS = {"push", "call", "pushfq"}, {"pop", "ret", "popfq"}
_BITS = {"bt", "bts", "btr", "btc"}
_MOVES, _SETS, _LOADS = {0xA4, 0xA5}, {0xAA, 0xAB}, {0xA6, 0xA7, 0xAC, 0xAD, 0xAE, 0xAF}
"""Opcodes of movs; of stos; of cmps, lods and scas."""
_FREE = {"fxsave": 512, "fxrstor": 512, "maskmovdqu": 16, "fbld": 10, "fbstp": 10}
"""Bytes; which of them are accessed, and in what pieces, is the engine's affair."""
_WORD, _LOW = (1 << 64) - 1, (1 << 32) - 1
_LONGEST = 15
"""Bytes of an instruction."""
_MOST = 8
"""Bytes of one access: what is wider is made of several."""


@dataclass(frozen=True)
class Free:
    """An instruction of _FREE, which wrote or read some of what is here."""

    writes: bool
    start: int
    before: bytes
    after: bytes


@dataclass
class Witness:
    """registers: before each instruction. seen: accesses in order, but for those of `free`."""

    process: Process
    registers: list[dict[str, int]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    free: dict[int, Free] = field(default_factory=dict)
    _writes: list[Place] = field(default_factory=list)
    _began_free: tuple[bool, Place, bytes] | None = None

    def call(self, function: str) -> None:
        """Until it comes back or dies."""
        engine = self.process.cpu._engine
        hook = engine.hook(Hook.CODE, binding.CODE(self._instruction))
        try:
            self.process.call(function)
        except GuestDied:
            self._forget_fault()
        finally:
            engine.unhook(hook)

    def _forget_fault(self) -> None:
        """The last instruction began, and did not run, unless it was a jump to nowhere."""
        if self.registers[-1]["rip"] == self.process.cpu.get("rip"):
            self.registers.pop()
            self.seen = [one for one in self.seen if one[0] < len(self.registers)]
        else:
            self._finish()

    def _instruction(self, _: int, address: int, __: int, ___: int) -> None:
        self._finish()
        if address < HARNESS:
            registers = self.process.cpu.state()
            code = self._bytes(address, _LONGEST)
            self._begin(disassemble(code, address)[0], registers)
            self.registers.append(registers)

    def _begin(self, one: Instruction, registers: dict[str, int]) -> None:
        name = one.detail.insn_name()
        if name in _FREE:
            start = registers["rdi"]
            if name != "maskmovdqu":
                ((_, (start, _)),) = _operands(one, registers)
            place = start, _FREE[name]
            self._began_free = name not in ("fxrstor", "fbld"), place, self._bytes(*place)
            return
        reads, self._writes = _reached(one, registers)
        for place in reads:
            self._see(len(self.registers), False, place)

    def _finish(self) -> None:
        """The instruction before this one has run."""
        number = len(self.registers) - 1
        for place in self._writes:
            self._see(number, True, place)
        if self._began_free is not None:
            writes, place, before = self._began_free
            self.free[number] = Free(writes, place[0], before, self._bytes(*place))
        self._writes, self._began_free = [], None

    def _see(self, number: int, write: bool, place: Place) -> None:
        start, size = place
        value = int.from_bytes(self._bytes(start, size), "little")
        self.seen.append((number, write, start, size, value))

    def _bytes(self, start: int, size: int) -> bytes:
        try:
            return self.process.memory.read(start, size)
        except (IndexError, ValueError, OverflowError):
            return bytes(size)  # nothing can be there: the instruction will fault


def _reached(one: Instruction, registers: dict[str, int]) -> tuple[list[Place], list[Place]]:
    """What an instruction reads and writes, in pieces that are no wider than _MOST."""
    name, opcode = one.detail.insn_name(), one.detail.opcode[0]
    reads: list[Place] = []
    writes: list[Place] = []
    if opcode in _MOVES | _SETS | _LOADS and "xmm" not in one.text:
        idle = one.detail.prefix[0] in (0xF2, 0xF3) and not registers["rcx"]
        operands = [] if idle else _operands(one, registers)
        for _, place in operands:
            stored = opcode not in _LOADS and place[0] == registers["rdi"]
            (writes if stored else reads).append(place)
            if stored and opcode in _MOVES and registers["rsi"] == registers["rdi"]:
                return [place], [place]
    elif name == "enter":
        reads, writes = _entered(one, registers)
    elif name not in _UNTOUCHED:
        for number, place in _operands(one, registers):
            changed = name in _CHANGES and (number == 0 or name == "xchg")
            stored = name in _STORES and number == 0
            if not stored:
                reads.append(place)
            if changed or stored:
                writes.append(place)
    reads += _popped(name, registers)
    if name in _PUSHES:
        writes.append((registers["rsp"] - 8 & _WORD, 8))
    return _in_pieces(reads), _in_pieces(writes)


def _popped(name: str, registers: dict[str, int]) -> list[Place]:
    if name in _POPS:
        return [(registers["rsp"], 8)]
    if name == "leave":
        return [(registers["rbp"], 8)]
    if name == "xlatb":
        return [(registers["rbx"] + (registers["rax"] & 0xFF), 1)]
    return []


def _entered(one: Instruction, registers: dict[str, int]) -> tuple[list[Place], list[Place]]:
    """enter: rbp is pushed, level - 1 frames are copied, and the new frame is pushed."""
    level = one.detail.operands[1].imm % 32
    copied = range(1, level)
    reads = [(registers["rbp"] - 8 * number, 8) for number in copied]
    pushed = level + 1 if level else 1
    return reads, [(registers["rsp"] - 8 * (number + 1), 8) for number in range(pushed)]


def _operands(one: Instruction, registers: dict[str, int]) -> list[tuple[int, Place]]:
    """The memory operands: which operand, and where it is."""
    return [
        (number, (_address(one, operand, registers), operand.size))
        for number, operand in enumerate(one.detail.operands)
        if operand.type == capstone.x86.X86_OP_MEM
    ]


def _address(one: Instruction, operand: Any, registers: dict[str, int]) -> int:
    name, place = one.detail.reg_name, operand.mem
    address = place.disp + (one.end if name(place.base) == "rip" else 0)
    for register, scale in ((place.base, 1), (place.index, place.scale)):
        address += scale * _full(name(register) or "", registers)
    mnemonic = one.detail.insn_name()
    if mnemonic == "pop" and name(place.base) == "rsp":
        address += 8  # it is popped before it is used
    other = one.detail.operands[-1]
    if mnemonic in _BITS and other.type == capstone.x86.X86_OP_REG:
        address += _bits_away(_full(name(other.reg), registers), operand.size)
    return address & (_LOW if one.detail.addr_size == 4 else _WORD)


def _bits_away(number: int, size: int) -> int:
    """Bytes from an operand of `size` bytes to the one that has a bit."""
    bits = 8 * size
    signed = (number & (1 << bits) - 1 ^ 1 << bits - 1) - (1 << bits - 1)
    return (signed // bits) * size


def _full(register: str, registers: dict[str, int]) -> int:
    """A general register, of which a part is named."""
    if register in ("", "rip", "riz", "eiz"):
        return 0
    if register in registers:
        return registers[register]
    if register[0] == "r":
        return registers[register[:-1]]  # r10d
    return registers["r" + register[-2:]]  # ecx, cx


def _in_pieces(places: list[Place]) -> list[Place]:
    return [
        (start + done, min(_MOST, size - done))
        for start, size in places
        for done in range(0, size, _MOST)
    ]
