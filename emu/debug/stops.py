"""Stop replies: why the target stopped, as gdb wants to be told."""

from __future__ import annotations

from emu.debug.registers import NUMBERS, REGISTERS, encoded
from emu.debug.signals import number_for_gdb
from emu.debug.target import Kind, Reason, Stopped
from syscalls.signal_numbers import Signal

_NAMES: dict[Kind, bytes] = {"write": b"watch", "read": b"rwatch", "access": b"awatch"}
_SHOWN = [NUMBERS[name] for name in ("rbp", "rsp", "rip")]
"""What gdb asks for after every stop, and so is told without being asked."""
_ENDS = {Reason.EXITED: b"W", Reason.KILLED: b"X"}


def ended(stopped: Stopped) -> bool:
    """Whether the program is gone."""
    return stopped.reason in _ENDS


def signal_number(stopped: Stopped) -> int:
    """gdb's number of the signal that it takes the stop for."""
    if stopped.reason in (Reason.SIGNAL, Reason.KILLED):
        return number_for_gdb(stopped.number)
    return Signal.SIGINT if stopped.reason is Reason.INTERRUPTED else Signal.SIGTRAP


def stop_reply(stopped: Stopped, registers: dict[str, int], breakpoint_: bytes) -> bytes:
    """breakpoint_: "swbreak" or "hwbreak", whichever is hit there, or "" for an older gdb."""
    if ended(stopped):
        number = signal_number(stopped) if stopped.reason is Reason.KILLED else stopped.number
        return b"%b%02x" % (_ENDS[stopped.reason], number & 0xFF)
    shown = b"".join(
        b"%02x:%b;" % (number, encoded(REGISTERS[number], registers).hex().encode())
        for number in _SHOWN
    )
    why = _why(stopped, breakpoint_)
    return b"T%02x%b%bthread:1;" % (signal_number(stopped), why, shown)


def _why(stopped: Stopped, breakpoint_: bytes) -> bytes:
    if stopped.watch is not None:
        return b"%b:%x;" % (_NAMES[stopped.watch.kind], stopped.address)
    if stopped.reason is Reason.BREAKPOINT and breakpoint_:
        return b"%b:;" % breakpoint_
    if stopped.reason is Reason.BEGIN:
        return b"replaylog:begin;"
    return b"replaylog:end;" if stopped.reason is Reason.END else b""
