"""adjtimex(2): how the clock is disciplined. Source: linux/timex.h."""

from __future__ import annotations

from syscalls.text.clocks import timeval_words
from syscalls.text.sight import Sight, at
from syscalls.text.words import bits, fields, flag_words, names

_MODES = names("""
    OFFSET_SS_READ 0xa001 OFFSET_SINGLESHOT 0x8001 OFFSET 1 FREQUENCY 2 MAXERROR 4 ESTERROR 8
    STATUS 0x10 TIMECONST 0x20 TAI 0x80 SETOFFSET 0x100 MICRO 0x1000 NANO 0x2000 TICK 0x4000
""", "ADJ_")  # fmt: skip
_STATUS = bits(
    "PLL PPSFREQ PPSTIME FLL INS DEL UNSYNC FREQHOLD PPSSIGNAL PPSJITTER PPSWANDER PPSERROR"
    " CLOCKERR NANO MODE CLK", "STA_"
)  # fmt: skip
_STATES = ("TIME_OK", "TIME_INS", "TIME_DEL", "TIME_OOP", "TIME_WAIT", "TIME_ERROR")
_LAYOUT = "<I4x4qI4x3qqQ3qi4x5qi44x"
_BEFORE_STATUS = ("offset", "freq", "maxerror", "esterror")
_BEFORE_TIME = ("constant", "precision", "tolerance")
_BEHIND = "tick ppsfreq jitter shift stabil jitcnt calcnt errcnt stbcnt tai".split()


def _timex(modes: int, *values: int) -> str:
    shown: dict[str, object] = {"modes": flag_words(modes, _MODES, "ADJ")}
    shown |= zip(_BEFORE_STATUS, values[:4], strict=True)
    shown["status"] = flag_words(values[4], _STATUS, "STA")
    shown |= zip(_BEFORE_TIME, values[5:8], strict=True)
    shown["time"] = timeval_words(*values[8:10])
    shown |= zip(_BEHIND, values[10:], strict=True)
    return fields(**shown)


timex = at(_LAYOUT, _timex)


def answer(value: int, sight: Sight) -> str | None:
    """The state of the clock; only where the structure was told."""
    state = sight.result or 0
    if not timex(value, sight).startswith("{"):
        return None
    return f"{state} ({_STATES[state]})" if state < len(_STATES) else None
