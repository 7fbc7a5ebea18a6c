"""Time: clocks, moments and durations.

Source: linux/time.h, linux/time_types.h, linux/timerfd.h.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import Struct

from syscalls.text.restarts import RESTARTS
from syscalls.text.sight import Sight, at, low, pointer, signed
from syscalls.text.words import bits, choice, fields, flags, names, numbered

CLOCK = choice(
    numbered("REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW"
             " REALTIME_COARSE MONOTONIC_COARSE BOOTTIME REALTIME_ALARM BOOTTIME_ALARM"
             " SGI_CYCLE TAI", "CLOCK_"), "CLOCK"
)  # fmt: skip
CLOCK_FLAGS = flags(bits("TIMER_ABSTIME"), "TIMER")
ITIMER = choice(numbered("ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF"), "ITIMER")
TIMERFD = flags(
    names(
        "TFD_TIMER_ABSTIME 1 TFD_TIMER_CANCEL_ON_SET 2 TFD_CLOEXEC 0o2000000 TFD_NONBLOCK 0o4000"
    ),
    "TFD",
)
_UTIME = {(1 << 30) - 1: "UTIME_NOW", (1 << 30) - 2: "UTIME_OMIT"}
_PAIR = Struct("<qQ")
_PAIRS = Struct("<qQqQ")
_TICKS = 100
_TIMER_ABSTIME = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timespec_words(seconds: int, nanoseconds: int) -> str:
    return fields(tv_sec=seconds, tv_nsec=nanoseconds)


def timeval_words(seconds: int, microseconds: int) -> str:
    return fields(tv_sec=seconds, tv_usec=microseconds)


def _moment(seconds: int, fraction: str = "") -> str:
    """A moment for people; nothing for one that no calendar holds."""
    try:
        when = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    if not seconds and not fraction:
        return ""
    return f" /* {when:%Y-%m-%dT%H:%M:%S}{fraction}+0000 */"


timespec = at("<qQ", timespec_words)
timeval = at("<qQ", timeval_words)


def remaining(value: int, sight: Sight) -> str:
    """What was left of a sleep: only where a signal came, and not of one until a moment."""
    until = len(sight.args) == 4 and low(sight.args[1]) & _TIMER_ABSTIME
    if until or -(sight.result or 0) not in RESTARTS:
        return pointer(value)
    data = sight.read(value, _PAIR.size) if value else None
    return pointer(value) if data is None else timespec_words(*_PAIR.unpack(data))


def itimerval(words_of: str, value: int, sight: Sight) -> str:
    seen = sight.unpack(value, _PAIRS)
    if seen is None:
        return pointer(value)
    spell = timespec_words if words_of == "timespec" else timeval_words
    return fields(it_interval=spell(*seen[:2]), it_value=spell(*seen[2:]))


def itimer(value: int, sight: Sight) -> str:
    return itimerval("timeval", value, sight)


def itimerspec(value: int, sight: Sight) -> str:
    return itimerval("timespec", value, sight)


timezone = at("<2i", lambda west, dst: fields(tz_minuteswest=west, tz_dsttime=dst))


def time_out(value: int, sight: Sight) -> str:
    """time: seconds since 1970, where the answer was stored."""
    seen = sight.unpack(value, Struct("<q"))
    return pointer(value) if seen is None else f"[{seen[0]}{_moment(seen[0])}]"


def time_answer(value: int, _: Sight) -> str:
    """time: its answer is a moment too."""
    moment = _moment(value).removeprefix(" /* ").removesuffix(" */")
    return f"{value} ({moment})" if moment else str(value)


def _file_time(seconds: int, nanoseconds: int) -> str:
    if nanoseconds in _UTIME:
        return _UTIME[nanoseconds]
    return timespec_words(seconds, nanoseconds) + _fraction(seconds, nanoseconds, 9)


def _fraction(seconds: int, part: int, digits: int) -> str:
    if not 0 <= part < 10**digits:
        return ""
    return _moment(seconds, f".{part:0{digits}d}" if part else "")


def file_times(value: int, sight: Sight) -> str:
    """utimensat: when it was read, when it was written."""
    seen = sight.unpack(value, _PAIRS)
    if seen is None:
        return pointer(value)
    return f"[{_file_time(*seen[:2])}, {_file_time(*seen[2:])}]"


def _file_timeval(seconds: int, microseconds: int) -> str:
    return timeval_words(seconds, microseconds) + _fraction(seconds, microseconds, 6)


def file_timevals(value: int, sight: Sight) -> str:
    """utimes."""
    seen = sight.unpack(value, _PAIRS)
    if seen is None:
        return pointer(value)
    return f"[{_file_timeval(*seen[:2])}, {_file_timeval(*seen[2:])}]"


def file_seconds(value: int, sight: Sight) -> str:
    """utime."""
    seen = sight.unpack(value, _PAIR)
    if seen is None:
        return pointer(value)
    read, written = map(signed, seen)
    return fields(actime=f"{read}{_moment(read)}", modtime=f"{written}{_moment(written)}")


def _ticks(value: int) -> str:
    return f"{value} /* {value / _TICKS:.2f} s */" if value else "0"


def _tms(user: int, system: int, child_user: int, child_system: int) -> str:
    return fields(
        tms_utime=_ticks(user),
        tms_stime=_ticks(system),
        tms_cutime=_ticks(child_user),
        tms_cstime=_ticks(child_system),
    )


tms = at("<4q", _tms)
