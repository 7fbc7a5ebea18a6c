"""What a register means: how it is decoded to an int, and how it is shown.

A kind knows three things: `decode` (the register as the handler's int), `shown` (for JSON and for
reports of heaps: numbers, lists of names) and `strace` (the text that strace prints).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol

from syscalls.abi import MAP_TYPE_MASK, Map, MapType, Prot

Argument = int | list[str]


class Sight(Protocol):
    """A system call as a kind sees it while it is printed."""

    args: tuple[int, ...]
    """All arguments, decoded."""
    result: int | None
    """The answer, negative for an errno; None before the call."""

    def read(self, address: int, size: int) -> bytes | None:
        """Bytes of the guest's memory; None where they cannot all be read."""


def _hex(value: int, _: Sight) -> str:
    return f"{value:#x}" if value else "NULL"


def _decimal(value: int, _: Sight) -> str:
    return str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One meaning of a register.

    bits: how many of the register count, if signed; 0 for all 64, unsigned. names: a list of
    names for JSON. text: what strace prints. late: whether that is known only after the call.
    """

    name: str
    bits: int = 0
    names: Callable[[int], list[str]] | None = None
    text: Callable[[int, Sight], str] = _decimal
    late: bool = False

    def decode(self, register: int) -> int:
        """A register of 64 bits as the handler's int."""
        if not self.bits:
            return register
        low = register & (1 << self.bits) - 1
        return low - (1 << self.bits) if low >> (self.bits - 1) else low

    def shown(self, value: int) -> Argument:
        """A decoded argument for people: flags by name."""
        return self.names(value) if self.names else value

    def strace(self, value: int, sight: Sight) -> str:
        """A decoded argument as strace prints it."""
        return self.text(value, sight)

    def __repr__(self) -> str:
        return f"<Kind {self.name}>"


def flag_names(value: int, flags: type[IntFlag]) -> list[str]:
    """The flags of a word by name; what has no name last, in hexadecimal."""
    names = [flag.name for flag in flags if value & flag and flag.name]
    rest = value & ~sum(flags)
    return [*names, f"{rest:#x}"] if rest else names


def _prot(value: int) -> list[str]:
    return flag_names(value, Prot) or ["PROT_NONE"]


def _map_flags(value: int) -> list[str]:
    kind = value & MAP_TYPE_MASK
    first = MapType(kind).name if kind in tuple(MapType) else f"{kind:#x}"
    return [first, *flag_names(value & ~MAP_TYPE_MASK, Map)]


def _joined(names: Callable[[int], list[str]]) -> Callable[[int, Sight], str]:
    return lambda value, _: "|".join(names(value))


ADDRESS = Kind("address", text=_hex)
SIZE = Kind("size")
INT = Kind("int", bits=32)
LONG = Kind("long", bits=64)
OFFSET = Kind("offset")
PROT = Kind("prot", names=_prot, text=_joined(_prot))
MAP_FLAGS = Kind("flags", names=_map_flags, text=_joined(_map_flags))

# Files
FD = Kind("file descriptor", bits=32)
DIRFD = Kind("file descriptor of a folder", bits=32)
PATH = Kind("path", text=_hex)
PATH_OUT = Kind("path, answered", text=_hex, late=True)
BYTES_IN = Kind("bytes", text=_hex)
BYTES_OUT = Kind("bytes, answered", text=_hex, late=True)
IOVEC_IN = Kind("vector of bytes", text=_hex)
IOVEC_OUT = Kind("vector of bytes, answered", text=_hex, late=True)
MODE = Kind("mode")
OPEN_FLAGS = Kind("flags of open", bits=32)
ACCESS_MODE = Kind("mode of access", bits=32)
AT_FLAGS = Kind("flags of the ...at calls", bits=32)
WHENCE = Kind("whence", bits=32)
STAT_OUT = Kind("struct stat", text=_hex, late=True)
STATX_FLAGS = Kind("flags of statx", bits=32)
STATX_MASK = Kind("mask of statx")
STATX_OUT = Kind("struct statx", text=_hex, late=True)
STATFS_OUT = Kind("struct statfs", text=_hex, late=True)
FCNTL_COMMAND = Kind("command of fcntl", bits=32)
FCNTL_ARGUMENT = Kind("argument of fcntl")
IOCTL_REQUEST = Kind("request of ioctl")
IOCTL_ARGUMENT = Kind("argument of ioctl", late=True)
DIRENTS_OUT = Kind("struct linux_dirent64", text=_hex, late=True)
POLLFDS = Kind("struct pollfd", text=_hex, late=True)
FADVICE = Kind("advice of fadvise64", bits=32)
CLOSE_RANGE_FLAGS = Kind("flags of close_range", bits=32)
EVENTFD_FLAGS = Kind("flags of eventfd2", bits=32)
FACCESSAT_FLAGS = Kind("flags of faccessat2", bits=32)
FALLOCATE_MODE = Kind("mode of fallocate", bits=32)
FD_PAIR_OUT = Kind("two file descriptors", text=_hex, late=True)
FD_SET = Kind("fd_set", text=_hex)
FLOCK = Kind("operation of flock", bits=32)
LENGTH = Kind("length of truncate", bits=64)
LONE_OPEN_FLAGS = Kind("flags of dup3, pipe2", bits=32)
MEMFD_FLAGS = Kind("flags of memfd_create", bits=32)
NODE_DEVICE = Kind("device of mknod")
NODE_MODE = Kind("mode of mknod")
OFFSET_AT = Kind("offset, changed", text=_hex)
OFFSET_HIGH = Kind("high half of an offset")
OLD_DIRENTS_OUT = Kind("struct linux_dirent", text=_hex, late=True)
OPEN_HOW = Kind("struct open_how", text=_hex)
OWNER = Kind("user or group", bits=32)
RENAME_FLAGS = Kind("flags of renameat2", bits=32)
RWF_FLAGS = Kind("flags of preadv2", bits=32)
SELECT_COUNT = Kind("descriptors of select", bits=32)
SELECT_MASK = Kind("mask of pselect6", text=_hex)
SENDFILE_OFFSET = Kind("offset of sendfile", text=_hex)
STRING = Kind("string", text=_hex)
TIMEVAL_IN = Kind("struct timeval", text=_hex)
UMASK = Kind("mask of umask", bits=32)
UNSIGNED = Kind("unsigned int", bits=32)
UTIMEVALS_IN = Kind("two struct timeval", text=_hex)
UTIME_IN = Kind("struct utimbuf", text=_hex)
XATTR_FLAGS = Kind("flags of setxattr", bits=32)
XATTR_IN = Kind("value of setxattr", text=_hex)
XATTR_LIST_OUT = Kind("names of attributes", text=_hex, late=True)
XATTR_OUT = Kind("value of getxattr", text=_hex, late=True)

# Memory
MREMAP_FLAGS = Kind("flags of mremap")
MADVICE = Kind("advice of madvise", bits=32)
MSYNC_FLAGS = Kind("flags of msync", bits=32)
MLOCK2_FLAGS = Kind("flags of mlock2", bits=32)
MLOCKALL_FLAGS = Kind("flags of mlockall", bits=32)
MINCORE_OUT = Kind("vector of mincore", text=_hex, late=True)

# Signals
SIGNAL = Kind("signal", bits=32)
SIGACTION_IN = Kind("struct sigaction", text=_hex)
SIGACTION_OUT = Kind("struct sigaction, answered", text=_hex, late=True)
SIGMASK_HOW = Kind("how of sigprocmask", bits=32)
SIGSET_IN = Kind("sigset_t", text=_hex)
SIGSET_OUT = Kind("sigset_t, answered", text=_hex, late=True)
STACK_IN = Kind("stack_t", text=_hex)
STACK_OUT = Kind("stack_t, answered", text=_hex, late=True)

# Time
CLOCK = Kind("clock", bits=32)
TIMESPEC_IN = Kind("struct timespec", text=_hex)
TIMESPEC_OUT = Kind("struct timespec, answered", text=_hex, late=True)
TIMEVAL_OUT = Kind("struct timeval, answered", text=_hex, late=True)
TIMEZONE_OUT = Kind("struct timezone, answered", text=_hex, late=True)
TIME_OUT = Kind("time_t, answered", text=_hex, late=True)
TMS_OUT = Kind("struct tms, answered", text=_hex, late=True)
CLOCK_FLAGS = Kind("flags of clock_nanosleep", bits=32)
UTIMES_IN = Kind("two struct timespec", text=_hex)

# The process
RESOURCE = Kind("resource", bits=32)
RLIMIT_IN = Kind("struct rlimit", text=_hex)
RLIMIT_OUT = Kind("struct rlimit, answered", text=_hex, late=True)
RUSAGE_WHO = Kind("who of getrusage", bits=32)
RUSAGE_OUT = Kind("struct rusage", text=_hex, late=True)
SYSINFO_OUT = Kind("struct sysinfo", text=_hex, late=True)
UTSNAME_OUT = Kind("struct utsname", text=_hex, late=True)
ARCH_CODE = Kind("code of arch_prctl", bits=32)
ARCH_ADDRESS = Kind("address of arch_prctl", text=_hex)
PRCTL_OPTION = Kind("option of prctl", bits=32)
FUTEX_OP = Kind("operation on a futex", bits=32)
RANDOM_FLAGS = Kind("flags of getrandom")
CPUSET_OUT = Kind("cpu_set_t", text=_hex, late=True)
