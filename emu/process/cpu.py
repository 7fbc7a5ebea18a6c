"""The CPU: Unicorn in virtual TLB mode. The only import of unicorn.

It is driven through the C interface. That is 3 to 50 times faster than the binding's wrappers,
and leaves no reference cycles that would keep a closed engine's memory.

What Unicorn does wrong for Linux is put right here: start values of MXCSR, FPCW and RFLAGS; rcx
and r11 after `syscall`; exceptions raised inside callbacks, which it would lose.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections.abc import Callable
from enum import Enum, IntEnum
from types import TracebackType
from typing import Any

from unicorn import unicorn_const as uc
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

from emu.errors import InternalError
from emu.process.counter import Counter, make_counter
from emu.process.disassembly import first_avx

GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags".split()
CONTROL = ["mxcsr", "fpcw", "fpsw", "fptag"]
XMM = [f"xmm{number}" for number in range(16)]

MXCSR, FPCW, RFLAGS = 0x1F80, 0x037F, 0x202
"""What Linux gives a new process."""

_FPSW, _FPTAG = 0, 0xFFFF
"""An x87 stack with nothing on it."""

SLICE = 200_000_000
"""Instructions between two looks at pending signals, so that Ctrl-C works."""

_MANY_FILLS = 2048
"""Walks after which the TLB is flushed: only then does Unicorn make it larger, and it begins with
256 entries."""

_SYSCALL_LENGTH = 2
_NEVER = 1 << 62
"""The length of a block that no budget pays for."""


class Access(IntEnum):
    """What the page-table walk is asked for; Unicorn's numbers."""

    READ = 16
    WRITE = 17
    EXECUTE = 18

    def __str__(self) -> str:
        return self.name.lower()


class Stop(Enum):
    """Why the CPU stopped."""

    HALTED = "halted"
    BUDGET = "budget spent"
    PAGE_FAULT = "page fault"
    INVALID = "invalid instruction"
    REFUSED = "an instruction that would compute wrong results"
    EXCEPTION = "exception"
    ASKED = "asked to"
    MEMORY = "memory spent"


class _Entry(ctypes.Structure):
    _fields_ = (("paddr", ctypes.c_uint64), ("perms", ctypes.c_uint32))


class _Block(ctypes.Structure):
    _fields_ = (("pc", ctypes.c_uint64), ("icount", ctypes.c_uint16), ("size", ctypes.c_uint16))


_U64 = ctypes.c_uint64
_PTR = ctypes.c_void_p
_WALK = ctypes.CFUNCTYPE(
    ctypes.c_bool, _PTR, _U64, ctypes.c_int, ctypes.POINTER(_Entry), _PTR
)  # fmt: skip
_SYSCALL = ctypes.CFUNCTYPE(None, _PTR, _PTR)
_INTERRUPT = ctypes.CFUNCTYPE(None, _PTR, ctypes.c_uint32, _PTR)
_TRANSLATED = ctypes.CFUNCTYPE(None, _PTR, ctypes.POINTER(_Block), _PTR, _PTR)

_PERMS = {"r": uc.UC_PROT_READ, "w": uc.UC_PROT_WRITE, "x": uc.UC_PROT_EXEC}


Walk = Callable[[int, int], str]
OnSyscall = Callable[[int, tuple[int, ...]], int | None]


class _Batch:
    """A fixed list of registers, read or written in one call of the engine."""

    def __init__(self, names: list[str], words: int = 1) -> None:
        count = len(names)
        numbers = [getattr(x86, f"UC_X86_REG_{name.upper()}") for name in names]
        self.names = tuple(names)
        self.count = count
        self.values = (_U64 * (count * words))()
        self._numbers = (ctypes.c_int32 * count)(*numbers)
        start = ctypes.addressof(self.values)
        self._pointers = (_PTR * count)(*(start + 8 * words * i for i in range(count)))

    def read(self, engine: ctypes.c_void_p) -> list[int]:
        _ok(uclib.uc_reg_read_batch(engine, self._numbers, self._pointers, self.count))
        return list(self.values)

    def write(self, engine: ctypes.c_void_p, values: list[int]) -> None:
        self.values[:] = values  # type: ignore[assignment]
        _ok(uclib.uc_reg_write_batch(engine, self._numbers, self._pointers, self.count))


def _ok(status: int) -> None:
    if status != uc.UC_ERR_OK:
        raise InternalError(f"Unicorn: {uclib.uc_strerror(status).decode()}")


def _release(engine: _PTR, hooks: list[ctypes.c_size_t]) -> None:
    """Knows no Cpu, so that one that nobody closed can go, and its engine with it."""
    for hook in hooks:
        uclib.uc_hook_del(engine, hook)
    _ok(uclib.uc_close(engine))


class Cpu:
    """One x86-64 CPU.

    walk(page, access) -> rights as a string of "r", "w", "x"; "" refuses. Asked on a TLB miss.
    on_syscall(number, arguments) -> what rax shall be; None stops the run.
    """

    def __init__(self, walk: Walk, on_syscall: OnSyscall) -> None:
        self._engine = _PTR()
        _ok(uclib.uc_open(uc.UC_ARCH_X86, uc.UC_MODE_64, ctypes.byref(self._engine)))
        self._walk, self._on_syscall = walk, on_syscall
        self._general = _Batch(GENERAL)
        self._control_words = _Batch(CONTROL)
        self._xmm = _Batch(XMM, words=2)
        self._asked_for = _Batch("rax rdi rsi rdx r10 r8 r9 rip rflags".split())
        self._answer = _Batch("rax rcx r11".split())
        self._raised: BaseException | None = None
        self._asked = False
        self._refused: tuple[int, int, int] | None = None
        self._cut: int | None = None
        self._fills = 0
        self.uncounted: frozenset[int] = frozenset()
        """Addresses of blocks that count as no instructions: the way in and the way out."""
        self.fault: tuple[int, int] | None = None
        """Address and access of the last page fault."""
        self.interrupt: int | None = None
        """Number of the last exception or software interrupt."""
        self.counter: Counter = make_counter(uclib)
        self._control(uc.UC_CTL_TLB_TYPE, uc.UC_TLB_VIRTUAL)
        self._keep: list[Any] = []
        self._hooks: list[ctypes.c_size_t] = []
        self._release = weakref.finalize(self, _release, self._engine, self._hooks)
        self._hook(uc.UC_HOOK_TLB_FILL, _WALK(self._fill))
        self._hook(uc.UC_HOOK_INSN, _SYSCALL(self._syscall), x86.UC_X86_INS_SYSCALL)
        self._hook(uc.UC_HOOK_INTR, _INTERRUPT(self._interrupted))
        self._hook(uc.UC_HOOK_EDGE_GENERATED, _TRANSLATED(self._translated))
        self._hook(uc.UC_HOOK_BLOCK, self.counter.callback, user=self.counter.user)
        self.reset_control()
        self.set("rflags", RFLAGS)

    def __enter__(self) -> Cpu:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the engine back; the second time does nothing."""
        self._release()
        self._engine = _PTR()
        self._keep.clear()
        self.counter.close()

    # Memory

    def map_window(self, address: int, size: int, host_address: int) -> None:
        """Guest [address, address + size) is host memory, which must outlive the engine."""
        every = uc.UC_PROT_ALL
        _ok(uclib.uc_mem_map_ptr(self._engine, address, size, every, host_address))

    def flush_tlb(self) -> None:
        """After pages lost rights: the walk is asked again."""
        self._fills = 0
        self._control(uc.UC_CTL_TLB_FLUSH)

    def forget_code(self, start: int, end: int) -> None:
        """After the host changed code: it is translated again."""
        self._control(uc.UC_CTL_TB_REMOVE_CACHE, start, end)

    # Registers

    def get(self, name: str) -> int:
        """A register by its name in small letters."""
        value = _U64()
        number = getattr(x86, f"UC_X86_REG_{name.upper()}")
        _ok(uclib.uc_reg_read(self._engine, number, ctypes.byref(value)))
        return value.value

    def set(self, name: str, value: int) -> None:
        number = getattr(x86, f"UC_X86_REG_{name.upper()}")
        _ok(uclib.uc_reg_write(self._engine, number, ctypes.byref(_U64(value))))

    def general(self) -> dict[str, int]:
        """The registers of GENERAL."""
        return dict(zip(GENERAL, self._general.read(self._engine), strict=True))

    def set_general(self, values: list[int]) -> None:
        """All the registers of GENERAL at once, in that order."""
        self._general.write(self._engine, values)

    def control(self) -> tuple[int, int]:
        """MXCSR and the x87 control word."""
        mxcsr, fpcw, *_ = self._control_words.read(self._engine)
        return mxcsr, fpcw

    def reset_control(self) -> None:
        """MXCSR and the x87 as a new process has them."""
        self._control_words.write(self._engine, [MXCSR, FPCW, _FPSW, _FPTAG])

    def set_xmm(self, values: list[int]) -> None:
        """xmm0 to xmm15, two words of 64 bits each, the low one first."""
        self._xmm.write(self._engine, values)

    # Running

    def run(self, start: int, budget: int) -> Stop:
        """Runs from `start` until `hlt`, a fault, or until `budget` instructions are spent."""
        if self._fills > _MANY_FILLS:
            self.flush_tlb()
        counter = self.counter
        end = counter.count + budget
        address = start
        self._forget_last_run()
        while True:
            counter.arm(min(end, counter.count + SLICE))
            status = self._emulate(address)
            if self._refused is not None:
                return self._run_up_to(*self._refused)
            stop = self._why(status)
            if stop is not Stop.BUDGET or counter.limit == end:
                return stop
            address = self.get("rip")

    def _forget_last_run(self) -> None:
        self.fault = self.interrupt = None
        self._asked = False
        self._refused = self._cut = None

    def _run_up_to(self, block: int, end: int, instructions: int) -> Stop:
        """Runs what stands before a refused instruction in its block."""
        if block == end:
            return Stop.REFUSED
        self._refused, self._cut = None, block
        self.counter.arm(self.counter.count + instructions)
        self._control(uc.UC_CTL_TB_FLUSH)
        stop = self._why(self._emulate(block, end))
        return Stop.REFUSED if stop is Stop.HALTED else stop

    def _emulate(self, address: int, until: int = 0) -> int:
        hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            status: int = uclib.uc_emu_start(self._engine, address, until, 0, 0)
        finally:
            sys.unraisablehook = hook
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if self.counter.misses:
            raise InternalError(f"{self.counter.misses} blocks were not counted")
        return status

    def _why(self, status: int) -> Stop:
        if self._asked:
            return Stop.ASKED
        if self.interrupt is not None:
            return Stop.EXCEPTION
        if status == uc.UC_ERR_INSN_INVALID:
            return Stop.INVALID
        if status == uc.UC_ERR_EXCEPTION:
            return Stop.PAGE_FAULT if self.fault else Stop.EXCEPTION
        _ok(status)
        return Stop.BUDGET if self.counter.spent else Stop.HALTED

    # Callbacks. Nothing may escape from them: Unicorn would lose it.

    def _fill(self, _: int, page: int, access: int, entry: Any, __: int) -> bool:
        try:
            rights = self._walk(page, access)
            if not rights:
                self.fault = (page, access)
                return False
            self._fills += 1
            entry[0].paddr = page
            entry[0].perms = sum(map(_PERMS.__getitem__, rights))
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)
            return False
        return True

    def _syscall(self, _: int, __: int) -> None:
        try:
            number, *args, rip, rflags = self._asked_for.read(self._engine)
            result = self._on_syscall(number, tuple(args))
            if result is None:
                self._asked = True
                uclib.uc_emu_stop(self._engine)
            else:
                self._answer.write(self._engine, [result, rip + _SYSCALL_LENGTH, rflags])
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _interrupted(self, _: int, number: int, __: int) -> None:
        self.interrupt = number
        uclib.uc_emu_stop(self._engine)

    def _translated(self, _: int, block: Any, __: int, ___: int) -> None:
        try:
            address, size = block[0].pc, block[0].size
            instructions = 0 if address in self.uncounted else block[0].icount
            instructions -= address == self._cut  # its end is no instruction of the guest's
            avx = first_avx(self._read(address, size), address)
            if avx is not None:
                self._refused = (address, *avx)
                instructions = _NEVER
            self.counter.learn(address, size, instructions)
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _unraisable(self, lost: Any) -> None:
        """Ctrl-C strikes where a callback is entered, before its `try`: ctypes would only print."""
        if "ctypes callback" in (lost.err_msg or ""):
            self._fail(lost.exc_value)
        else:
            sys.__unraisablehook__(lost)

    def _fail(self, error: BaseException) -> None:
        if self._raised is None:
            self._raised = error
        uclib.uc_emu_stop(self._engine)

    def _read(self, address: int, size: int) -> bytes:
        data = ctypes.create_string_buffer(size)
        _ok(uclib.uc_mem_read(self._engine, _U64(address), data, _U64(size)))
        return data.raw

    def _hook(self, kind: int, callback: Any, *extra: int, user: int | None = None) -> None:
        handle = ctypes.c_size_t()
        self._keep.append(callback)
        pointer = ctypes.cast(callback, _PTR)
        # begin > end: everywhere. The instruction's number is a variadic int.
        arguments = [_U64(1), _U64(0), *(ctypes.c_int(value) for value in extra)]
        status = uclib.uc_hook_add(
            self._engine, ctypes.byref(handle), kind, pointer, user, *arguments
        )
        _ok(status)
        self._hooks.append(handle)

    def _control(self, what: int, *values: int) -> None:
        code = what | len(values) << 26 | uc.UC_CTL_IO_WRITE << 30
        _ok(uclib.uc_ctl(self._engine, code, *(_U64(value) for value in values)))
