"""A core file of a stopped process, as Linux would write it: registers and the top of the stack."""

from __future__ import annotations

import struct

from emu.process.process import STACK_TOP, Process
from syscalls.abi import PAGE

_ORDER = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi rax rip cs rflags rsp ss".split()
)
"""Of struct user_regs_struct; six segment registers follow."""
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_ET_CORE, _EM_X86_64, _PT_LOAD, _PT_NOTE, _NT_PRSTATUS = 4, 62, 1, 4, 1
_SIGTRAP = 5
_STACK = 4 * PAGE


def core(process: Process) -> bytes:
    state = process.cpu.state() | {"cs": 0x33, "ss": 0x2B}
    registers = struct.pack("<27Q", *(state[name] for name in _ORDER), *[0] * 6)
    status = struct.pack("<3ih2x2Q4i8Q", _SIGTRAP, 0, 0, _SIGTRAP, 0, 0, 1, 0, 0, 0, *[0] * 8)
    status += registers + bytes(8)
    note = struct.pack("<3I8s", 5, len(status), _NT_PRSTATUS, b"CORE") + status
    stack = process.memory.read(STACK_TOP - _STACK, _STACK)
    note_at = _HEADER.size + 2 * _PROGRAM_HEADER.size
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return b"".join(
        [
            _HEADER.pack(ident, _ET_CORE, _EM_X86_64, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0),
            _PROGRAM_HEADER.pack(_PT_NOTE, 4, note_at, 0, 0, len(note), 0, 4),
            _PROGRAM_HEADER.pack(
                _PT_LOAD, 6, note_at + len(note), STACK_TOP - _STACK, 0, _STACK, _STACK, 1
            ),
            note,
            stack,
        ]
    )
