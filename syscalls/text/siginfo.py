"""siginfo_t: why a signal came. Source: asm-generic/siginfo.h."""

from __future__ import annotations

from errno import errorcode as errno_names
from struct import Struct

from syscalls.signal_numbers import signal_name
from syscalls.text.sight import Sight, low, number, pointer
from syscalls.text.words import fields, names, numbered

SIZE = 128
_HEAD = Struct("<iIi4x")
_SENDER = Struct("<iIQ")
_TIMER = Struct("<IiQ")
_CHILD = Struct("<iIi4xqq")
_ADDRESS = Struct("<Q")
_BAND = Struct("<qi")
_ILL, _TRAP, _BUS, _FPE, _SEGV, _CHLD = 4, 5, 7, 8, 11, 17
_CODES = {
    _ILL: numbered("ILLOPC ILLOPN ILLADR ILLTRP PRVOPC PRVREG COPROC BADSTK", "ILL_", 1),
    _TRAP: numbered("BRKPT TRACE BRANCH HWBKPT UNK PERF", "TRAP_", 1),
    _BUS: numbered("ADRALN ADRERR OBJERR MCEERR_AR MCEERR_AO", "BUS_", 1),
    _FPE: numbered("INTDIV INTOVF FLTDIV FLTOVF FLTUND FLTRES FLTINV FLTSUB", "FPE_", 1),
    _SEGV: numbered("MAPERR ACCERR BNDERR PKUERR", "SEGV_", 1),
    _CHLD: numbered("EXITED KILLED DUMPED TRAPPED STOPPED CONTINUED", "CLD_", 1),
}
_ANY = names("""
    SI_USER 0 SI_KERNEL 0x80 SI_QUEUE 0xffffffff SI_TIMER 0xfffffffe SI_MESGQ 0xfffffffd
    SI_ASYNCIO 0xfffffffc SI_SIGIO 0xfffffffb SI_TKILL 0xfffffffa SI_DETHREAD 0xfffffff9
    SI_ASYNCNL 0xffffffc4
""")
_CLD_EXITED = 1
_SI_USER, _SI_TKILL, _SI_TIMER, _SI_SIGIO = 0, -6, -2, -5


def siginfo_words(data: bytes) -> str:
    """128 bytes of siginfo_t as a structure."""
    signo, error, code = _HEAD.unpack_from(data)
    if not signo:
        return "{}"
    known = _CODES.get(signo, {}).get(code) or _ANY.get(low(code))
    shown: dict[str, object] = {
        "si_signo": signal_name(signo),
        "si_code": known or number(low(code)),
    }
    if error:
        shown["si_errno"] = errno_names.get(error, error)
    return fields(**shown, **_cause(signo, code, data[16:]))


def _cause(signo: int, code: int, data: bytes) -> dict[str, object]:
    if signo == _CHLD and code > 0:
        return _child(code, data)
    by_code = _BY_CODE.get(code)
    by_signal = _BY_SIGNAL.get(signo) if code > 0 else None
    return (by_code or by_signal or (_sent if code < 0 else _by_kernel))(data)


def _user(data: bytes) -> dict[str, object]:
    pid, uid, _ = _SENDER.unpack_from(data)
    return {"si_pid": pid, "si_uid": uid}


def _sent(data: bytes) -> dict[str, object]:
    return _user(data) | (_value(data) if _SENDER.unpack_from(data)[2] else {})


def _by_kernel(data: bytes) -> dict[str, object]:
    """What is 0 was not said."""
    pid, uid, value = _SENDER.unpack_from(data)
    return (_user(data) if pid or uid else {}) | (_value(data) if value else {})


def _value(data: bytes) -> dict[str, object]:
    value = _SENDER.unpack_from(data)[2]
    word = low(value)
    return {"si_int": word - (word >> 31 << 32), "si_ptr": pointer(value)}


def _timer(data: bytes) -> dict[str, object]:
    timer, overrun, _ = _TIMER.unpack_from(data)
    return {"si_timerid": number(timer), "si_overrun": overrun, **_value(data)}


def _named(layout: Struct, names_: str, data: bytes) -> dict[str, object]:
    return dict(zip(names_.split(), layout.unpack_from(data), strict=True))


def _band(data: bytes) -> dict[str, object]:
    return _named(_BAND, "si_band si_fd", data)


def _child(code: int, data: bytes) -> dict[str, object]:
    shown = _named(_CHILD, "si_pid si_uid si_status si_utime si_stime", data)
    if code != _CLD_EXITED:
        shown["si_status"] = signal_name(_CHILD.unpack_from(data)[2])
    return shown


def _fault(data: bytes) -> dict[str, object]:
    return {"si_addr": pointer(_ADDRESS.unpack_from(data)[0])}


_BY_CODE = {
    _SI_USER: _user,
    _SI_TKILL: _user,
    _SI_TIMER: _timer,
    _SI_SIGIO: _band,
}
_BY_SIGNAL = dict.fromkeys((_ILL, _TRAP, _BUS, _FPE, _SEGV), _fault)


def received(_: int, sight: Sight) -> str | None:
    """rt_sigtimedwait answers the number of the signal that came."""
    return f"{sight.result} ({signal_name(sight.result)})" if sight.result else None


def siginfo(value: int, sight: Sight) -> str:
    """A pointer to one."""
    data = sight.read(value, SIZE) if value and not sight.failed else None
    return pointer(value) if data is None else siginfo_words(data)
