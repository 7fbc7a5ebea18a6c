"""prctl(2): the option says which arguments there are, and what they mean.

Source: linux/prctl.h.
"""

from __future__ import annotations

from collections.abc import Callable

from syscalls.signal_numbers import signal_name
from syscalls.text.capabilities import CAPABILITIES
from syscalls.text.process import pointer_out, unsigned_out
from syscalls.text.sight import (
    Sight,
    Text,
    at,
    hexadecimal,
    low,
    number,
    pointer,
    signed_decimal,
    unsigned,
)
from syscalls.text.signals import signal
from syscalls.text.strings import string, thread_name
from syscalls.text.words import bits, choice, flag_words, flags, names, numbered, one_of

_OPTIONS = numbered(
    "SET_PDEATHSIG GET_PDEATHSIG GET_DUMPABLE SET_DUMPABLE GET_UNALIGN SET_UNALIGN GET_KEEPCAPS"
    " SET_KEEPCAPS GET_FPEMU SET_FPEMU GET_FPEXC SET_FPEXC GET_TIMING SET_TIMING SET_NAME GET_NAME"
    " - - GET_ENDIAN SET_ENDIAN GET_SECCOMP SET_SECCOMP CAPBSET_READ CAPBSET_DROP GET_TSC SET_TSC"
    " GET_SECUREBITS SET_SECUREBITS SET_TIMERSLACK GET_TIMERSLACK TASK_PERF_EVENTS_DISABLE"
    " TASK_PERF_EVENTS_ENABLE MCE_KILL MCE_KILL_GET SET_MM SET_CHILD_SUBREAPER"
    " GET_CHILD_SUBREAPER SET_NO_NEW_PRIVS GET_NO_NEW_PRIVS GET_TID_ADDRESS SET_THP_DISABLE"
    " GET_THP_DISABLE MPX_ENABLE_MANAGEMENT MPX_DISABLE_MANAGEMENT SET_FP_MODE"
    " GET_FP_MODE CAP_AMBIENT - - SVE_SET_VL SVE_GET_VL GET_SPECULATION_CTRL"
    " SET_SPECULATION_CTRL PAC_RESET_KEYS SET_TAGGED_ADDR_CTRL GET_TAGGED_ADDR_CTRL"
    " SET_IO_FLUSHER GET_IO_FLUSHER SET_SYSCALL_USER_DISPATCH"
    " PAC_SET_ENABLED_KEYS PAC_GET_ENABLED_KEYS SCHED_CORE SME_SET_VL SME_GET_VL", "PR_", 1
) | names("PR_SET_VMA 0x53564d41 PR_SET_PTRACER 0x59616d61")  # fmt: skip
OPTION = choice(_OPTIONS, "PR")
_BY_NAME = {name.removeprefix("PR_"): option for option, name in _OPTIONS.items()}
_DUMPABLE = numbered("SUID_DUMP_DISABLE SUID_DUMP_USER SUID_DUMP_ROOT")
_TSC = numbered("PR_TSC_ENABLE PR_TSC_SIGSEGV", first=1)
_SECURE = bits(
    "NOROOT NOROOT_LOCKED NO_SETUID_FIXUP NO_SETUID_FIXUP_LOCKED KEEP_CAPS KEEP_CAPS_LOCKED"
    " NO_CAP_AMBIENT_RAISE NO_CAP_AMBIENT_RAISE_LOCKED", "SECBIT_"
)  # fmt: skip
_SPECULATION = numbered("STORE_BYPASS INDIRECT_BRANCH L1D_FLUSH", "PR_SPEC_")
_CONTROL = bits("PRCTL ENABLE DISABLE FORCE_DISABLE DISABLE_NOEXEC", "PR_SPEC_")
_AMBIENT = numbered("IS_SET RAISE LOWER CLEAR_ALL", "PR_CAP_AMBIENT_", 1)
_SECCOMP = numbered("SECCOMP_MODE_DISABLED SECCOMP_MODE_STRICT SECCOMP_MODE_FILTER")
_STRICT, _FILTER = 1, 2
_MM = numbered(
    "START_CODE END_CODE START_DATA END_DATA START_STACK START_BRK BRK ARG_START ARG_END ENV_START"
    " ENV_END AUXV EXE_FILE MAP MAP_SIZE", "PR_SET_MM_", 1
)  # fmt: skip


def _ulong(value: int, _: Sight) -> str:
    return str(value)


_capability = choice(CAPABILITIES, "CAP")
_SHAPES: dict[str, list[Text]] = {
    "SET_PDEATHSIG": [signal],
    "GET_PDEATHSIG": [at("<i", lambda value: f"[{signal_name(value)}]")],
    "SET_DUMPABLE": [lambda value, _: one_of(value, _DUMPABLE, "SUID_DUMP")],
    "SET_KEEPCAPS": [_ulong], "SET_TIMERSLACK": [signed_decimal],
    "SET_CHILD_SUBREAPER": [_ulong], "GET_CHILD_SUBREAPER": [unsigned_out],
    "SET_NAME": [thread_name], "GET_NAME": [thread_name],
    "SET_FPEMU": [unsigned], "SET_FPEXC": [unsigned], "SET_TIMING": [unsigned],
    "SET_ENDIAN": [unsigned], "GET_FPEMU": [unsigned_out], "GET_FPEXC": [unsigned_out],
    "GET_ENDIAN": [unsigned_out],
    "SET_SECCOMP": [choice(_SECCOMP, "SECCOMP_MODE"), hexadecimal, hexadecimal, hexadecimal],
    "CAPBSET_READ": [_capability], "CAPBSET_DROP": [_capability],
    "SET_TSC": [choice(_TSC, "PR_TSC")],
    "GET_TSC": [at("<I", lambda value: f"[{one_of(value, _TSC, 'PR_TSC')}]")],
    "SET_SECUREBITS": [flags(_SECURE, "SECBIT")],
    "SET_NO_NEW_PRIVS": [_ulong, hexadecimal, hexadecimal, hexadecimal],
    "GET_NO_NEW_PRIVS": [hexadecimal] * 4,
    "SET_THP_DISABLE": [_ulong, hexadecimal, hexadecimal, hexadecimal],
    "GET_THP_DISABLE": [hexadecimal] * 4,
    "GET_TID_ADDRESS": [pointer_out],
    "CAP_AMBIENT": [choice(_AMBIENT, "PR_CAP_AMBIENT"), _capability, hexadecimal, hexadecimal],
    "GET_SPECULATION_CTRL": [choice(_SPECULATION, "PR_SPEC")],
    "SET_SPECULATION_CTRL": [choice(_SPECULATION, "PR_SPEC"), choice(_CONTROL, "PR_SPEC")],
    "SET_MM": [choice(_MM, "PR_SET_MM"), hexadecimal, hexadecimal, hexadecimal],
    "SET_VMA": [
        choice({0: "PR_SET_VMA_ANON_NAME"}, "PR_SET_VMA"), lambda value, _: pointer(value),
        _ulong, string,
    ],
    "SET_PTRACER": [signed_decimal],
}  # fmt: skip
_SILENT = (
    "GET_DUMPABLE GET_KEEPCAPS GET_SECUREBITS GET_TIMERSLACK GET_SECCOMP GET_TIMING"
    " TASK_PERF_EVENTS_DISABLE TASK_PERF_EVENTS_ENABLE"
)
_SHAPES |= {name: [] for name in _SILENT.split()}
_BY_OPTION = {_BY_NAME[name]: shape for name, shape in _SHAPES.items()}
_UNKNOWN: list[Text] = [hexadecimal] * 4
_SET_SECCOMP, _SET_VMA, _AMBIENT_OPTION = 22, 0x53564D41, 47
_LOWER = 3
_OUT = {
    _BY_NAME[name]
    for name in (
        "GET_PDEATHSIG GET_CHILD_SUBREAPER GET_NAME GET_TSC GET_TID_ADDRESS GET_FPEMU GET_FPEXC"
        " GET_ENDIAN"
    ).split()
}


def argument(value: int, sight: Sight) -> str | None:
    """One of the arguments behind the option."""
    shape = _shape(*sight.args[:2])
    position = sight.index - 1
    return shape[position](value, sight) if position < len(shape) else None


def _shape(option: int, first: int) -> list[Text]:
    shape = _BY_OPTION.get(low(option), _UNKNOWN)
    if low(option) == _SET_SECCOMP and low(first) == _STRICT:
        return shape[:1]
    if low(option) == _SET_SECCOMP and low(first) == _FILTER:
        return [shape[0], lambda value, _: pointer(value)]
    if (low(option) == _SET_VMA and first) or (low(option) == _AMBIENT_OPTION and first > _LOWER):
        return [shape[0], hexadecimal, hexadecimal, hexadecimal]
    return shape


def is_late(sight: Sight) -> bool:
    """Whether what follows the option is known only after the call."""
    return low(sight.args[0]) in _OUT


def answer(value: int, sight: Sight) -> str | None:
    """What the answer of an option means, where it is more than a number."""
    name = _OPTIONS.get(low(value), "").removeprefix("PR_")
    spell = _ANSWERS.get(name)
    return None if spell is None else spell(sight.result or 0)


def _dumpable(result: int) -> str:
    return f"{result} ({_DUMPABLE[result]})" if result in _DUMPABLE else str(result)


def _secure(result: int) -> str:
    return f"{result:#x} ({flag_words(result, _SECURE, 'SECBIT')})" if result else "0"


def _speculation(result: int) -> str:
    words = flag_words(result, _CONTROL, "PR_SPEC", "PR_SPEC_NOT_AFFECTED")
    return f"{number(result)} ({words})"


_ANSWERS: dict[str, Callable[[int], str]] = {
    "GET_DUMPABLE": _dumpable,
    "GET_SECUREBITS": _secure,
    "GET_SPECULATION_CTRL": _speculation,
}
