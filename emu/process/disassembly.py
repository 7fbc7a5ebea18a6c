"""Machine code read back, for reports. The only import of capstone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_WORD = (1 << 64) - 1
_LOW = (1 << 32) - 1
_PUSHES = {"push", "call", "pushfq", "enter"}
_POPS = {"pop", "ret", "popfq", "iretq"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; str() is its text."""

    address: int
    size: int
    text: str
    detail: Any

    def __str__(self) -> str:
        return self.text

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def jumps(self) -> bool:
        """Whether it may go elsewhere than to the instruction behind it."""
        import capstone

        groups = (capstone.CS_GRP_JUMP, capstone.CS_GRP_CALL, capstone.CS_GRP_RET)
        return any(map(self.detail.group, groups))

    @property
    def through_stack(self) -> bool:
        """Whether it reaches memory by the stack segment: through rsp or rbp (Intel SDM, 3.7.4)."""
        import capstone

        if self.detail.insn_name() in _PUSHES | _POPS | {"leave"}:
            return True
        name = self.detail.reg_name
        return any(
            name(operand.mem.base) in ("rsp", "rbp", "esp", "ebp") and not operand.mem.segment
            for operand in self.detail.operands
            if operand.type == capstone.x86.X86_OP_MEM
        )

    def accesses(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it reads or writes, given the registers before it."""
        return self.reads(registers) + [
            place for place in self.writes(registers) if place not in self.reads(registers)
        ]

    def reads(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it reads."""
        import capstone

        found = self._operands(registers, capstone.CS_AC_READ)
        name = self.detail.insn_name()
        if name in _POPS:
            found.append((registers["rsp"], 8))
        elif name == "leave":
            found.append((registers["rbp"], 8))
        elif name == "xlatb":
            found.append((registers["rbx"] + (registers["rax"] & 0xFF) & _WORD, 1))
        return found

    def writes(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it writes."""
        import capstone

        found = self._operands(registers, capstone.CS_AC_WRITE)
        if self.detail.insn_name() in _PUSHES:
            found.append((registers["rsp"] - 8 & _WORD, 8))
        return found

    def _operands(self, registers: dict[str, int], kind: int) -> list[tuple[int, int]]:
        import capstone

        if self.detail.insn_name() in ("lea", "nop"):
            return []
        return [
            (self._address(operand.mem, registers), operand.size)
            for operand in self.detail.operands
            if operand.type == capstone.x86.X86_OP_MEM and operand.access in (kind, 0, 3)
        ]

    def _address(self, place: Any, registers: dict[str, int]) -> int:
        """Of a memory operand. Segments begin at 0."""
        base, index = (self.detail.reg_name(r) or "" for r in (place.base, place.index))
        narrow = base.startswith("e") or index.startswith("e") or (base + index).endswith("d")
        address: int = place.disp + self._value(base, registers)
        address += self._value(index, registers) * place.scale
        if self.detail.insn_name() == "pop" and base == "rsp":
            address += 8  # it is popped before it is used
        return address & (_LOW if narrow else _WORD)

    def _value(self, register: str, registers: dict[str, int]) -> int:
        if register in ("rip", "eip"):
            return self.end
        if register.startswith("e"):
            return registers.get(f"r{register[1:]}", 0)
        return registers.get(register.removesuffix("d"), 0)


@cache
def _engine() -> Any:
    import capstone

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return engine


@lru_cache(maxsize=1)  # screening looks at a block twice
def disassemble(code: bytes, address: int) -> list[Instruction]:
    """The instructions in `code`, up to the first bytes that are none."""
    return [
        Instruction(found.address, found.size, f"{found.mnemonic} {found.op_str}".strip(), found)
        for found in _engine().disasm(code, address)
    ]


def mnemonics(code: bytes, address: int) -> list[tuple[int, str]]:
    """(address, mnemonic) of the instructions in `code`: ten times as fast as all about them."""
    return [(place, name) for place, _, name, _ in _quick_engine().disasm_lite(code, address)]


def statements(code: bytes, address: int) -> list[tuple[int, int, str]]:
    """(address, size, text) of the instructions in `code`."""
    found = _quick_engine().disasm_lite(code, address)
    return [(place, size, f"{name} {rest}".rstrip()) for place, size, name, rest in found]


@cache
def _quick_engine() -> Any:
    import capstone

    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


@dataclass(frozen=True, slots=True)
class Operand:
    """An address as an instruction states it: names of registers, "" for none."""

    displacement: int
    base: str = ""
    index: str = ""
    scale: int = 1
    segment: str = ""


def wide_operands(code: bytes, address: int) -> list[tuple[int, str, Operand]]:
    """(address, mnemonic, operand) of instructions whose memory operand has 16 bytes or more."""
    import capstone

    return [
        (place.address, place.detail.insn_name(), _operand(place, operand.mem))
        for place in disassemble(code, address)
        for operand in place.detail.operands
        if operand.type == capstone.x86.X86_OP_MEM
        and (operand.size >= _WIDE or place.detail.insn_name() in _MISMEASURED)
    ]


_WIDE = 16
_MISMEASURED = {"movsldup", "movshdup", "cvttpd2pi", "cvtpd2pi"}
"""Instructions of 16 bytes of which capstone says 8."""


def _operand(instruction: Instruction, place: Any) -> Operand:
    name = instruction.detail.reg_name
    base, index = (name(number) or "" for number in (place.base, place.index))
    segment = name(place.segment) or ""
    displacement = place.disp
    if base in ("rip", "eip"):
        displacement, base = displacement + instruction.end, ""
    if index in ("riz", "eiz"):
        index = ""
    return Operand(displacement, base, index, place.scale, segment)


_UNTOLD = {"bswap", "cmpxchg", "enter", "lahf", "pop", "push", "xlatb"}
"""Instructions that write more registers than capstone says."""
_STRINGS = {*range(0xA4, 0xA8), *range(0xAA, 0xB0)}
"""Opcodes that may be repeated, which it does not always say."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an instruction does to registers. name: the mnemonic, without prefixes.

    operands: a register's name, a number, or a place in memory; sizes: their bytes.
    """

    address: int
    name: str
    operands: tuple[str | int | Operand, ...]
    sizes: tuple[int, ...]
    detail: Any

    @property
    def end(self) -> int:
        end: int = self.address + self.detail.size
        return end

    @property
    def written(self) -> frozenset[str] | None:
        """Registers that it may write; None where that is not known."""
        detail = self.detail
        if self.name in _UNTOLD or detail.prefix[0] or detail.opcode[0] in _STRINGS:
            return None
        return frozenset(map(detail.reg_name, detail.regs_access()[1]))


def steps(code: bytes, address: int) -> list[Step]:
    """The instructions in `code` as steps; it holds no AVX and nothing privileged."""
    return [_step(found) for found in disassemble(code, address)]


def _step(instruction: Instruction) -> Step:
    detail = instruction.detail
    operands = detail.operands
    return Step(
        instruction.address,
        detail.insn_name(),
        tuple(_value(instruction, operand) for operand in operands),
        tuple(operand.size for operand in operands),
        detail,
    )


def _value(instruction: Instruction, operand: Any) -> str | int | Operand:
    import capstone

    if operand.type == capstone.x86.X86_OP_REG:
        name: str = instruction.detail.reg_name(operand.reg)
        return name
    if operand.type == capstone.x86.X86_OP_IMM:
        number: int = operand.imm
        return number
    return _operand(instruction, operand.mem)
