"""Exceptions of the CPU as Linux tells them to a program: arch/x86/kernel/traps.c, mm/fault.c."""

from __future__ import annotations

from emu.process.cpu import Cpu
from emu.process.disassembly import Instruction
from emu.process.fault import fault_address, instruction_at
from emu.process.mmu import Mmu
from emu.process.screening import FIRST_SOFTWARE_INTERRUPT, GENERAL_PROTECTION, INVALID_OPCODE
from emu.process.stop import Access, Stop
from syscalls import AddressSpace
from syscalls.frame import Trap
from syscalls.region import Rights
from syscalls.signal_numbers import Code, Signal
from syscalls.signals import SignalInfo

_DIVISION, _DEBUG, _BREAKPOINT, _OVERFLOW, _STACK_FAULT, _PAGE_FAULT = 0, 1, 3, 4, 12, 14
_X87, _ALIGNMENT, _SIMD = 16, 17, 19
_ILL_ILLOPN, _FPE_INTDIV, _TRAP_TRACE = 2, 1, 2
_SEGV_MAPERR, _SEGV_ACCERR, _BUS_ADRALN, _BUS_ADRERR = 1, 2, 1, 2
_SIGNALS = {
    _DIVISION: (Signal.SIGFPE, _FPE_INTDIV),
    _DEBUG: (Signal.SIGTRAP, _TRAP_TRACE),
    _BREAKPOINT: (Signal.SIGTRAP, Code.SI_KERNEL),
    _OVERFLOW: (Signal.SIGSEGV, Code.SI_KERNEL),
    INVALID_OPCODE: (Signal.SIGILL, _ILL_ILLOPN),
    GENERAL_PROTECTION: (Signal.SIGSEGV, Code.SI_KERNEL),
    _ALIGNMENT: (Signal.SIGBUS, _BUS_ADRALN),
}
"""Signal and si_code."""
_AT_INSTRUCTION = (_DIVISION, INVALID_OPCODE, _X87, _SIMD, _DEBUG)
"""Exceptions whose si_addr is the instruction."""
_USER, _FETCH, _WRITE, _PRESENT = 4, 16, 2, 1
"""Bits of a page fault's error code (Intel SDM, volume 3, 4.7)."""
_INT_LENGTH = 2
_IDT = 2
"""In the error code of #GP: the selector is a gate's."""
_USER_END, _KERNEL_START = 1 << 47, (1 << 64) - (1 << 47)
"""Between them, no address is canonical."""
_FPE = ((1, 7), (4, 3), (8, 4), (16, 5), (2, 5), (32, 6))
"""Bits of the floating point status, in Linux's order, and their si_code (fpu__exception_code)."""


def signal_of(
    cpu: Cpu, space: AddressSpace, memory: Mmu, stop: Stop, last: Trap
) -> tuple[SignalInfo, Trap]:
    """The signal for an exception that stopped the CPU. last: the exception before."""
    if stop is Stop.PAGE_FAULT and cpu.fault:
        rip = cpu.get("rip")
        address = fault_address(cpu, space, memory, rip, cpu.state())
        if _USER_END <= address < _KERNEL_START:
            return _not_canonical(instruction_at(space, memory, rip), last)
        return _page_fault(space, memory, *cpu.fault, address)
    number = _number(cpu, stop)
    if number >= FIRST_SOFTWARE_INTERRUPT:  # `int`, at a gate that is the kernel's alone
        cpu.set("rip", cpu.get("rip") - _INT_LENGTH)
        trap = Trap(GENERAL_PROTECTION, number << 3 | _IDT, last.address)
        return _fault(Signal.SIGSEGV, Code.SI_KERNEL, 0), trap
    signal, code = _SIGNALS.get(number, (Signal.SIGSEGV, int(Code.SI_KERNEL)))
    if number in (_X87, _SIMD):
        signal, code = Signal.SIGFPE, _floating_code(cpu, number)
    address = cpu.get("rip") if number in _AT_INSTRUCTION else 0
    return SignalInfo(signal, code, address=address), Trap(number, 0, last.address)


def _number(cpu: Cpu, stop: Stop) -> int:
    if stop is Stop.REFUSED and cpu.refused:
        return cpu.refused.exception
    if stop is Stop.INVALID or cpu.interrupt is None:
        return INVALID_OPCODE
    return cpu.interrupt


def _floating_code(cpu: Cpu, number: int) -> int:
    """si_code of SIGFPE: the first exception that is raised and not masked."""
    if number == _SIMD:
        status = cpu.get("mxcsr")
        raised = status & ~(status >> 7)
    else:
        raised = cpu.get("fpsw") & ~cpu.get("fpcw")
    return next((code for bit, code in _FPE if raised & bit), 0)


def _not_canonical(code: list[Instruction], last: Trap) -> tuple[SignalInfo, Trap]:
    """An address that cannot be: #GP, or #SS through the stack; neither tells the place."""
    if code and code[0].through_stack:
        return _fault(Signal.SIGBUS, Code.SI_KERNEL, 0), Trap(_STACK_FAULT, 0, last.address)
    return _fault(Signal.SIGSEGV, Code.SI_KERNEL, 0), Trap(GENERAL_PROTECTION, 0, last.address)


def _page_fault(
    space: AddressSpace, memory: Mmu, page: int, access: int, address: int
) -> tuple[SignalInfo, Trap]:
    error = _USER | {Access.EXECUTE: _FETCH, Access.WRITE: _WRITE}.get(Access(access), 0)
    region = space.at(page)
    if address >= _KERNEL_START or (region and region.rights.readable and memory.has_seen(page)):
        error |= _PRESENT  # of the kernel's pages Linux always says so
    trap = Trap(_PAGE_FAULT, error, address)
    if region is not None and not _allowed(region.rights, access):
        return _fault(Signal.SIGSEGV, _SEGV_ACCERR, address), trap
    if space.beyond_file(page):
        return _fault(Signal.SIGBUS, _BUS_ADRERR, address), trap
    return _fault(Signal.SIGSEGV, _SEGV_MAPERR, address), trap  # nothing, or a guard page


def _allowed(rights: Rights, access: int) -> bool:
    asked = {Access.WRITE: rights.write, Access.EXECUTE: rights.execute}
    return asked.get(Access(access), rights.readable)


def _fault(signal: Signal, code: int, address: int) -> SignalInfo:
    return SignalInfo(signal, code, address=address)
