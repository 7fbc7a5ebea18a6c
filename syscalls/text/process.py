"""The process: its limits, identity, scheduling, and the machine it runs on.

Source: asm-generic/resource.h; linux/resource.h, sched.h, membarrier.h, personality.h, ioprio.h,
random.h, wait.h.
"""

from __future__ import annotations

from struct import Struct

from syscalls.resources import Resource
from syscalls.text.clocks import timeval_words
from syscalls.text.sight import Sight, array, at, low, number, pointer
from syscalls.text.strings import bytes_out, quoted
from syscalls.text.words import bits, choice, fields, flag_words, flags, names, numbered, one_of

RESOURCE = choice({one.value: f"RLIMIT_{one.name}" for one in Resource}, "RLIMIT")
RUSAGE_WHO = choice(
    names("RUSAGE_SELF 0 RUSAGE_CHILDREN 0xffffffff RUSAGE_BOTH 0xfffffffe RUSAGE_THREAD 1"),
    "RUSAGE",
)
_INFINITY = (1 << 64) - 1
RANDOM = flags(bits("GRND_NONBLOCK GRND_RANDOM GRND_INSECURE"), "GRND")
WAIT = flags(
    names("WNOHANG 1 WSTOPPED 2 WEXITED 4 WCONTINUED 8 WNOWAIT 0x1000000 __WNOTHREAD 0x20000000"
          " __WALL 0x40000000 __WCLONE 0x80000000"), "W"
)  # fmt: skip
_BARRIERS = bits(
    "GLOBAL GLOBAL_EXPEDITED REGISTER_GLOBAL_EXPEDITED PRIVATE_EXPEDITED"
    " REGISTER_PRIVATE_EXPEDITED PRIVATE_EXPEDITED_SYNC_CORE"
    " REGISTER_PRIVATE_EXPEDITED_SYNC_CORE PRIVATE_EXPEDITED_RSEQ"
    " REGISTER_PRIVATE_EXPEDITED_RSEQ", "MEMBARRIER_CMD_"
)  # fmt: skip
WAIT_WHICH = choice(numbered("P_ALL P_PID P_PGID P_PIDFD"), "P")
MEMBARRIER_FLAGS = flags(bits("MEMBARRIER_CMD_FLAG_CPU"), "MEMBARRIER_CMD_FLAG")
MEMBARRIER = choice({0: "MEMBARRIER_CMD_QUERY"} | _BARRIERS, "MEMBARRIER_CMD")
POLICIES = numbered("OTHER FIFO RR BATCH ISO IDLE DEADLINE", "SCHED_")
POLICY = choice(POLICIES, "SCHED")
_RESET_ON_FORK = 0x40000000
PRIORITY_WHO = choice(numbered("PRIO_PROCESS PRIO_PGRP PRIO_USER"), "PRIO")
IOPRIO_WHO = choice(numbered("PROCESS PGRP USER", "IOPRIO_WHO_", 1), "IOPRIO_WHO")
_IO_CLASSES = numbered("NONE RT BE IDLE", "IOPRIO_CLASS_")
_PERSONALITIES = numbered("LINUX - - - - - BSD - LINUX32 - - - RISCOS SOLARIS - OSF4 HPUX", "PER_")
_PERSONALITY = names("""
    UNAME26 0x20000 ADDR_NO_RANDOMIZE 0x40000 FDPIC_FUNCPTRS 0x80000 MMAP_PAGE_ZERO 0x100000
    ADDR_COMPAT_LAYOUT 0x200000 READ_IMPLIES_EXEC 0x400000 ADDR_LIMIT_32BIT 0x800000
    SHORT_INODE 0x1000000 WHOLE_SECONDS 0x2000000 STICKY_TIMEOUTS 0x4000000
    ADDR_LIMIT_3GB 0x8000000
""")
SYSLOG = numbered(
    "CLOSE OPEN READ READ_ALL READ_CLEAR CLEAR CONSOLE_OFF CONSOLE_ON CONSOLE_LEVEL SIZE_UNREAD"
    " SIZE_BUFFER", "SYSLOG_ACTION_"
)  # fmt: skip
_MOST_GROUPS = 65536
_READING = (2, 3, 4)
_SILENT_ACTIONS = (0, 1, 5, 6, 7, 9, 10)
_SYSINFO = Struct("<q3Q6QH6xQQI4x")
_RUSAGE = Struct("<qQqQ112x")


def _limit(value: int) -> str:
    if value == _INFINITY:
        return "RLIM64_INFINITY"
    return f"{value // 1024}*1024" if value > 1024 and value % 1024 == 0 else str(value)


rlimit = at("<2Q", lambda now, most: fields(rlim_cur=_limit(now), rlim_max=_limit(most)))


def rusage(value: int, sight: Sight) -> str:
    """The times; strace abbreviates the rest."""
    seen = sight.unpack(value, _RUSAGE)
    if seen is None:
        return pointer(value)
    user, system = timeval_words(*seen[:2]), timeval_words(*seen[2:])
    return fields(ru_utime=user, ru_stime=system)[:-1] + ", ...}"


def sysinfo(value: int, sight: Sight) -> str:
    seen = sight.unpack(value, _SYSINFO)
    if seen is None:
        return pointer(value)
    uptime, load1, load5, load15, *memory, procs, total_high, free_high, unit = seen
    ram = dict(
        zip(("totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap"), memory,
            strict=True)
    )  # fmt: skip
    return fields(
        uptime=uptime & _INFINITY,
        loads=f"[{load1}, {load5}, {load15}]",
        **ram,
        procs=procs,
        totalhigh=total_high,
        freehigh=free_high,
        mem_unit=unit,
    )


def _utsname(system: bytes, node: bytes) -> str:
    return fields(sysname=_name(system), nodename=_name(node))[:-1] + ", ...}"


def _name(field: bytes) -> str:
    return quoted(field.split(b"\0")[0])


utsname = at("<65s65s260x", _utsname)


def cpu_set(value: int, sight: Sight) -> str:
    """sched_getaffinity answers how many bytes it wrote; setaffinity is told how many there are."""
    return _cpus(value, sight.result or 0, sight)


def cpu_set_in(value: int, sight: Sight) -> str:
    return _cpus(value, low(sight.arg(-1)), sight)


def _cpus(value: int, size: int, sight: Sight) -> str:
    if not value or sight.failed:
        return pointer(value)
    data = sight.read(value, min(size, 1024)) if size else b""
    if data is None:
        return pointer(value)
    word = int.from_bytes(data, "little")
    return f"[{' '.join(str(cpu) for cpu in range(word.bit_length()) if word >> cpu & 1)}]"


def policy_answer(_: int, sight: Sight) -> str:
    """sched_getscheduler."""
    policy = sight.result or 0
    known = policy & ~_RESET_ON_FORK in POLICIES
    return f"{policy} ({scheduler(policy, sight)})" if known else str(policy)


def scheduler(value: int, _: Sight) -> str:
    """A policy, and whether children start without it."""
    value = low(value)
    if value & ~_RESET_ON_FORK not in POLICIES:
        return one_of(value, POLICIES, "SCHED")
    plain = POLICIES[value & ~_RESET_ON_FORK]
    return f"{plain}|SCHED_RESET_ON_FORK" if value & _RESET_ON_FORK else plain


int_out = at("<i", "[{}]".format)
unsigned_out = at("<I", "[{}]".format)
size_out = at("<Q", "[{}]".format)
pointer_out = at("<Q", lambda value: f"[{pointer(value)}]")


def groups(value: int, sight: Sight) -> str:
    """setgroups: as many as the argument before says."""
    count = low(sight.arg(-1))
    return pointer(value) if count > _MOST_GROUPS else _ids(value, count, sight)


def groups_out(value: int, sight: Sight) -> str:
    """getgroups: as many as it answers."""
    return _ids(value, sight.result or 0, sight)


def _ids(value: int, count: int, sight: Sight) -> str:
    return array(value, count, 4, sight, _id)


def _id(data: bytes) -> str:
    value = int.from_bytes(data, "little")
    return "-1" if value == low(-1) else str(value)


def personality(value: int, _: Sight) -> str:
    return "0xffffffff" if low(value) == low(-1) else _persona(low(value))


def _persona(value: int) -> str:
    kind, word = value & 0xFF, value & ~0xFF
    first = one_of(kind, _PERSONALITIES, "PER")
    if not word:
        return first
    return f"{first}|{flag_words(word, _PERSONALITY, 'PER').removesuffix(' /* PER_??? */')}"


def personality_answer(_: int, sight: Sight) -> str:
    return f"{number(sight.result or 0)} ({_persona(low(sight.result or 0))})"


def io_priority(value: int, _: Sight) -> str:
    value = low(value)
    kind = one_of(value >> 13, _IO_CLASSES, "IOPRIO_CLASS")
    return f"IOPRIO_PRIO_VALUE({kind}, {value & 0x1FFF})"


def io_priority_answer(_: int, sight: Sight) -> str:
    return f"{sight.result} ({io_priority(sight.result or 0, sight)})"


def membarrier_answer(value: int, sight: Sight) -> str | None:
    """A query answers which commands there are."""
    if value or not sight.result:
        return None
    return f"{sight.result:#x} ({flag_words(sight.result, _BARRIERS, 'MEMBARRIER_CMD')})"


def syslog_action(value: int, _: Sight) -> str:
    return f"{value} /* {SYSLOG.get(value, 'SYSLOG_ACTION_???')} */"


def syslog_size(value: int, sight: Sight) -> str | None:
    """None for the actions that need none."""
    return None if sight.args[0] in _SILENT_ACTIONS else str(value)


def needs_no_cpu(word: int) -> bool:
    """membarrier names a processor only with its flag."""
    return not word & 1


def syslog_bytes(value: int, sight: Sight) -> str | None:
    """What was read, by the actions that read."""
    if sight.args[0] in _SILENT_ACTIONS:
        return None
    return bytes_out(value, sight) if sight.args[0] in _READING else pointer(value)
