"""One engine of Unicorn's: its hooks, its memory, its registers.

Driven directly: that is 3 to 50 times faster than the binding's wrappers, and leaves no reference
cycles that would keep a closed engine's memory.
"""

from __future__ import annotations

import ctypes
import mmap
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from emu.errors import InternalError
from emu.process import binding
from emu.process.batch import Batch
from emu.process.binding import (
    INTERRUPT,
    PERMISSIONS,
    POINTER,
    U64,
    WALK,
    Control,
    Hook,
    check,
    library,
    register_number,
)
from syscalls.abi import PAGE

_BOOT_PAGE = 1 << 50
"""Beyond every address that a process may have."""
_SYSRETQ, _HLT = bytes.fromhex("480f07"), bytes.fromhex("f4")
_NO_EXCEPTION = -1
_EFER, _STAR = 0xC000_0080, 0xC000_0081
_EFER_LONG_MODE = 0x501
_SELECTORS = 0x23 << 48
"""sysret makes cs 0x33 and ss 0x2b of it: Linux's."""
_NUMERIC_ERROR = 1 << 5
"""CR0.NE: x87 errors are exceptions."""
_TIME_STAMP_DISABLE = 1 << 2
"""CR4.TSD: rdtsc is for the kernel alone, here."""
_BEGIN_AT, _END_AT, _CALLBACK_AT, _USER_DATA_AT = 24, 32, 40, 48
"""Where Unicorn keeps the range of a hook, its function and its word: struct hook, uc_priv.h."""
_NOWHERE = 1
_USER_RING = 3


@cache
def _boot_page(code: bytes) -> mmap.mmap:
    page = mmap.mmap(-1, PAGE)
    page[: len(code)] = code
    return page


@WALK  # type: ignore[untyped-decorator]
def _boot_walk(_: int, page: int, __: int, entry: Any, ___: int) -> bool:
    entry[0].paddr = page
    entry[0].perms = PERMISSIONS["r"] | PERMISSIONS["x"]
    return True


@cache
def _pending_exception() -> int:
    """Where in a saved state the last exception stands: found by raising one."""
    engine = Engine()
    engine.hook(Hook.INTERRUPT, _ignored)
    before = engine.saved()
    engine.boot(_HLT)
    after = engine.saved()
    none, one = (value.to_bytes(4, "little", signed=True) for value in (_NO_EXCEPTION, 13))
    places = [
        at
        for at in range(0, len(before) - 3, 4)
        if before[at : at + 4] == none and after[at : at + 4] == one
    ]
    if len(places) != 1:
        raise InternalError("the engine's last exception was not found in its saved state")
    return places[0]


@INTERRUPT  # type: ignore[untyped-decorator]
def _ignored(engine: int, _: int, __: int) -> None:
    library.uc_emu_stop(POINTER(engine))


class Engine:
    """One x86-64 engine in virtual TLB mode. Gone when it is closed, or when nobody holds it."""

    def __init__(self) -> None:
        self._handle = binding.new_handle()
        self._callbacks: list[Any] = []
        self._hooks: list[ctypes.c_size_t] = []
        self._release = weakref.finalize(self, _release, self._handle, self._hooks)
        self._control(Control.TLB_TYPE, binding.VIRTUAL_TLB)
        self._enter_user_mode()

    def _enter_user_mode(self) -> None:
        """The CPU starts in ring 0; a sysret takes it to ring 3, for good."""
        for register, value in ((_EFER, _EFER_LONG_MODE), (_STAR, _SELECTORS)):
            binding.write_msr(self._handle, register, value)
        self.set("cr0", self.get("cr0") | _NUMERIC_ERROR)
        self.set("cr4", self.get("cr4") | _TIME_STAMP_DISABLE)
        self.set("rcx", _BOOT_PAGE + len(_SYSRETQ))
        self.boot(_SYSRETQ)
        if self.get("cs") & 3 != _USER_RING:
            raise InternalError("the CPU did not enter user mode")

    def boot(self, code: bytes) -> None:
        """Runs one instruction on a page of its own, which is gone afterwards."""
        page = (ctypes.c_char * PAGE).from_buffer(_boot_page(code))
        self.map_window(_BOOT_PAGE, PAGE, ctypes.addressof(page))
        hook = self.hook(Hook.WALK, _boot_walk)
        check(self.run(_BOOT_PAGE, _BOOT_PAGE + len(code)))
        self.unhook(hook)
        self.forget_all_code()
        check(library.uc_mem_unmap(self._handle, U64(_BOOT_PAGE), U64(PAGE)))
        self.flush_tlb()

    @property
    def address(self) -> int:
        """Of Unicorn's own structure."""
        return self._handle.value or 0

    def close(self) -> None:
        """Gives the engine back; the second time does nothing."""
        self._release()
        self._handle = POINTER()
        self._callbacks.clear()

    def hook(
        self, kind: Hook, callback: Any, *extra: int, user: int | None = None
    ) -> ctypes.c_size_t:
        """Calls a C function, everywhere. extra: the instruction, for Hook.INSTRUCTION."""
        return self._hook(kind, callback, (1, 0), extra, user)  # begin > end: everywhere

    def hook_nowhere(self, kind: Hook, callback: Any, user: int | None = None) -> ctypes.c_size_t:
        """Calls a C function only from code that is translated within `ranging`."""
        return self._hook(kind, callback, (_NOWHERE, _NOWHERE), (), user)

    def _hook(
        self,
        kind: Hook,
        callback: Any,
        place: tuple[int, int],
        extra: tuple[int, ...],
        user: int | None,
    ) -> ctypes.c_size_t:
        handle = ctypes.c_size_t()
        self._callbacks.append(callback)
        pointer = ctypes.cast(callback, POINTER)
        arguments = [*map(U64, place), *map(ctypes.c_int, extra)]  # the rest is variadic
        made = ctypes.byref(handle)
        check(library.uc_hook_add(self._handle, made, int(kind), pointer, user, *arguments))
        self._hooks.append(handle)
        return handle

    def user_data(self, hook: ctypes.c_size_t) -> ctypes.c_uint64:
        """The word that a hook is passed. For a block, it is read when the block is translated.

        That is so as long as the hook is the only one of its kind.
        """
        return _word_of(hook, _USER_DATA_AT)

    def unhook(self, hook: ctypes.c_size_t) -> None:
        """The function is called no more."""
        check(library.uc_hook_del(self._handle, hook))
        self._hooks.remove(hook)

    def redirect(self, hook: ctypes.c_size_t, callback: Any) -> None:
        """The hook calls another C function, from code that is translated from now on.

        That is so as long as the hook is the only one of its kind.
        """
        self._callbacks.append(callback)
        _word_of(hook, _CALLBACK_AT).value = ctypes.cast(callback, POINTER).value or 0

    # Unicorn looks at a hook when it translates. So what is set for one translation leaves other
    # code as fast as it was.

    @contextmanager
    def ranging(self, hook: ctypes.c_size_t, first: int, last: int) -> Iterator[None]:
        """A hook of `hook_nowhere` is on the instructions from `first` to `last`."""
        begin, end = (_word_of(hook, at) for at in (_BEGIN_AT, _END_AT))
        begin.value, end.value = first, last
        try:
            yield
        finally:
            begin.value = end.value = _NOWHERE

    @contextmanager
    def calling(
        self, hook: ctypes.c_size_t, routine: int, user: int | None = None
    ) -> Iterator[None]:
        """A hook calls another C function, as long as it is the only one of its kind.

        user: the word that it is passed, if it is another one.
        """
        callback, word = _word_of(hook, _CALLBACK_AT), self.user_data(hook)
        before = callback.value, word.value
        callback.value, word.value = routine, word.value if user is None else user
        try:
            yield
        finally:
            callback.value, word.value = before

    def translate(self, block: int) -> None:
        """Translates a block anew."""
        self.forget_code(block, block + 1)
        binding.translate(self._handle, block)

    # Memory

    def map_window(self, address: int, size: int, host_address: int) -> None:
        """Physical [address, address + size) is host memory, which must outlive the engine."""
        binding.map_memory(self._handle, address, size, host_address)

    def read(self, address: int, size: int) -> bytes:
        """Bytes by physical address."""
        data = ctypes.create_string_buffer(size)
        check(library.uc_mem_read(self._handle, U64(address), data, U64(size)))
        return data.raw

    def flush_tlb(self) -> None:
        """The walk is asked again, for every page."""
        self._control(Control.FLUSH_TLB)

    def forget_code(self, start: int, end: int) -> None:
        """Code in the range is translated again."""
        self._control(Control.FORGET_CODE, start, end)

    def forget_all_code(self) -> None:
        """All code is translated again: also what a changed `until` or hook had cut."""
        self._control(Control.FORGET_ALL_CODE)

    # Registers

    def get(self, name: str) -> int:
        """A register by its name in small letters."""
        value = U64()
        check(library.uc_reg_read(self._handle, register_number(name), ctypes.byref(value)))
        return value.value

    def set(self, name: str, value: int) -> None:
        check(library.uc_reg_write(self._handle, register_number(name), ctypes.byref(U64(value))))

    def batch(self, names: list[str]) -> Batch:
        """A list of registers for reading and writing together."""
        return Batch(self._handle, names)

    def forget_exception(self) -> None:
        """After an exception that nobody in the guest handled: the next is no double fault.

        Unicorn has no call for that, but lets the CPU's state be saved, and restored.
        """
        with self._saved_state() as state:
            place = state + _pending_exception()
            ctypes.c_int32.from_address(place).value = _NO_EXCEPTION
            check(library.uc_context_restore(self._handle, POINTER(state)))

    def saved(self) -> bytes:
        """Everything that the CPU remembers, but for memory and code."""
        with self._saved_state() as state:
            return ctypes.string_at(state, library.uc_context_size(self._handle))

    def put_back(self, saved: bytes) -> None:
        """What `saved` gave, be it of another engine."""
        check(library.uc_context_restore(self._handle, saved))

    @contextmanager
    def _saved_state(self) -> Iterator[int]:
        """Where the CPU's state is saved, for as long as that is needed."""
        context = POINTER()
        check(library.uc_context_alloc(self._handle, ctypes.byref(context)))
        try:
            check(library.uc_context_save(self._handle, context))
            yield context.value or 0
        finally:
            check(library.uc_context_free(context))

    # Running

    def run(self, address: int, until: int = 0) -> int:
        """Until `hlt`, `stop`, a fault, or `until`; how it ended is a Status, or an error."""
        status: int = library.uc_emu_start(self._handle, address, until, 0, 0)
        return status

    def stop(self) -> None:
        """From inside a callback: ends the run."""
        library.uc_emu_stop(self._handle)

    def _control(self, what: Control, *values: int) -> None:
        binding.control(self._handle, what, *values)


def _word_of(hook: ctypes.c_size_t, at: int) -> ctypes.c_uint64:
    return U64.from_address((hook.value or 0) + at)


def _release(engine: ctypes.c_void_p, hooks: list[ctypes.c_size_t]) -> None:
    """Knows no Engine, so that one that nobody closed can go."""
    for hook in hooks:
        library.uc_hook_del(engine, hook)
    check(library.uc_close(engine))
