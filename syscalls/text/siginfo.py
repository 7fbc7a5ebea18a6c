"""siginfo_t: why a signal came. Source: asm-generic/siginfo.h."""

from __future__ import annotations

from struct import Struct

from syscalls.text.sight import Sight, low, number, pointer
from syscalls.text.signals import signal_name
from syscalls.text.words import fields, names, numbered

SIZE = 128
_HEAD = Struct("<iiI4x")
_SENDER = Struct("<iIQ")
_TIMER = Struct("<IiQ")
_CHILD = Struct("<iIi4xqq")
_ADDRESS = Struct("<Q")
_ILL, _TRAP, _BUS, _FPE, _SEGV, _CHLD = 4, 5, 7, 8, 11, 17
_CODES = {
    _ILL: numbered("OPC OPN ADR TRP PRV REG COP BADSTK BADIADDR BREAK BNDMOD", "ILL_", 1),
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
_SI_USER, _SI_TKILL, _SI_TIMER = 0, -6, -2


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
        shown["si_errno"] = low(error)
    return fields(**shown, **_cause(signo, code, data[16:]))


def _cause(signo: int, code: int, data: bytes) -> dict[str, object]:
    if code == _SI_TIMER:
        timer, overrun, _ = _TIMER.unpack_from(data)
        return {"si_timerid": number(timer), "si_overrun": overrun, **_value(data, always=True)}
    if code > 0 and signo in (_ILL, _BUS, _FPE, _SEGV, _TRAP):
        return {"si_addr": pointer(_ADDRESS.unpack_from(data)[0])}
    if code > 0 and signo == _CHLD:
        return _child(data)
    pid, uid, _ = _SENDER.unpack_from(data)
    sender = {"si_pid": pid, "si_uid": uid}
    if code in (_SI_USER, _SI_TKILL):
        return sender
    if code < 0:
        return sender | _value(data, always=True)
    return (sender if pid or uid else {}) | _value(data, always=False)


def _value(data: bytes, *, always: bool) -> dict[str, object]:
    value = _SENDER.unpack_from(data)[2]
    if not value and not always:
        return {}
    word = low(value)
    return {"si_int": word - (word >> 31 << 32), "si_ptr": pointer(value)}


def _child(data: bytes) -> dict[str, object]:
    pid, uid, status, user, system = _CHILD.unpack_from(data)
    return {
        "si_pid": pid,
        "si_uid": uid,
        "si_status": status,
        "si_utime": user,
        "si_stime": system,
    }


def received(_: int, sight: Sight) -> str | None:
    """rt_sigtimedwait answers the number of the signal that came."""
    return f"{sight.result} ({signal_name(sight.result)})" if sight.result else None


def siginfo(value: int, sight: Sight) -> str:
    """A pointer to one."""
    data = sight.read(value, SIZE) if value and not sight.failed else None
    return pointer(value) if data is None else siginfo_words(data)
