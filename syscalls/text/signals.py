"""Signals: their names, sets, actions and stacks.

Source: asm/signal.h, asm-generic/signal-defs.h.
"""

from __future__ import annotations

from struct import Struct

from syscalls.signal_numbers import LAST, signal_name
from syscalls.text.sight import Sight, at, number, pointer
from syscalls.text.words import choice, fields, flag_words, flags, names, numbered

_SIGNALS = {number: signal_name(number).removeprefix("SIG") for number in range(1, LAST + 1)}
_ALL = (1 << 64) - 1
_MANY = 64 * 2 // 3
"""From so many signals on, a set is told by what is not in it."""
_FLAGS = names("""
    SA_RESTORER 0x4000000 SA_ONSTACK 0x8000000 SA_RESTART 0x10000000 SA_INTERRUPT 0x20000000
    SA_NODEFER 0x40000000 SA_RESETHAND 0x80000000 SA_SIGINFO 4 SA_NOCLDSTOP 1 SA_NOCLDWAIT 2
""")
_RESTORER = 0x4000000
_ACTION = Struct("<4Q")
_MASK_IN_FRAME = 8 + 8 + 24 + 256
"""Behind uc_flags, uc_link, uc_stack and uc_mcontext."""
_HANDLERS = {0: "SIG_DFL", 1: "SIG_IGN", _ALL: "SIG_ERR"}
_STACK_FLAGS = names("SS_ONSTACK 1 SS_DISABLE 2 SS_AUTODISARM 0x80000000")
MASK_HOW = choice(numbered("SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"), "SIG")
SIGNALFD = flags(names("SFD_CLOEXEC 0o2000000 SFD_NONBLOCK 0o4000"), "SFD")


def signal(value: int, _: Sight) -> str:
    return signal_name(value)


def signal_set(mask: int) -> str:
    """[HUP INT]; ~[KILL] for a set of nearly all."""
    inverted = mask.bit_count() >= _MANY
    told = mask ^ _ALL if inverted else mask
    words = " ".join(name for value, name in _SIGNALS.items() if told >> value - 1 & 1)
    return f"{'~' * inverted}[{words}]"


sigset = at("<Q", signal_set)


def sigset_sized(value: int, sight: Sight) -> str:
    """A set; its size, which is 8 or wrong, is the last argument."""
    return sigset(value, sight) if sight.args[-1] == 8 else pointer(value)


def pending(value: int, sight: Sight) -> str:
    """rt_sigpending: as much of a set as was asked for."""
    size = sight.arg(1)
    seen = value and 0 < size <= 8 and not sight.failed
    data = sight.read(value, size) if seen else None
    return pointer(value) if data is None else signal_set(int.from_bytes(data, "little"))


def sigset_before_size(value: int, sight: Sight) -> str:
    """signalfd4: the size stands right behind the set."""
    return sigset(value, sight) if sight.arg(1) == 8 else pointer(value)


def returns(sight: Sight) -> str:
    """rt_sigreturn: the mask that comes back from the frame on the stack (asm/ucontext.h)."""
    where = sight.stack + _MASK_IN_FRAME
    data = sight.read(where, 8)
    mask = pointer(where) if data is None else signal_set(int.from_bytes(data, "little"))
    return f"{{mask={mask}}}"


def action(value: int, sight: Sight) -> str:
    """struct sigaction, as the kernel has it."""
    seen = sight.unpack(value, _ACTION)
    if seen is None:
        return pointer(value)
    handler, word, restorer, mask = seen
    shown = {
        "sa_handler": _HANDLERS.get(handler, number(handler)),
        "sa_mask": signal_set(mask),
        "sa_flags": flag_words(word, _FLAGS, "SA"),
    }
    if word & _RESTORER:
        shown["sa_restorer"] = pointer(restorer)
    return fields(**shown)


def _stack(start: int, word: int, size: int) -> str:
    return fields(ss_sp=pointer(start), ss_flags=flag_words(word, _STACK_FLAGS, "SS"), ss_size=size)


stack = at("<QI4xQ", _stack)
