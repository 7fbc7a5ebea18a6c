"""Files: how they are opened and found, flags and modes.

Source: asm-generic/fcntl.h, linux/fcntl.h, linux/fs.h, linux/openat2.h, linux/fadvise.h,
linux/falloc.h, linux/memfd.h, linux/close_range.h, linux/xattr.h, linux/eventfd.h.
"""

from __future__ import annotations

from struct import Struct

from syscalls.text.sight import Sight, low, number, octal, pointer, signed
from syscalls.text.strings import PATH_MAX, hexadecimal_bytes
from syscalls.text.words import (
    bits,
    choice,
    fields,
    flag_words,
    flags,
    long_flags,
    names,
    numbered,
)

ACCESS = numbered("O_RDONLY O_WRONLY O_RDWR O_ACCMODE")
OPEN = names("""
    O_CREAT 0o100 O_EXCL 0o200 O_NOCTTY 0o400 O_TRUNC 0o1000 O_APPEND 0o2000 O_NONBLOCK 0o4000
    O_SYNC 0o4010000 __O_SYNC 0o4000000 O_DSYNC 0o10000 O_DIRECT 0o40000 O_LARGEFILE 0o100000
    O_NOFOLLOW 0o400000 O_NOATIME 0o1000000 O_CLOEXEC 0o2000000 O_PATH 0o10000000
    O_TMPFILE 0o20200000 __O_TMPFILE 0o20000000 O_DIRECTORY 0o200000 FASYNC 0o20000
""")
_CREATES = 0o100
_TMPFILE = 0o20000000
_AT_FDCWD = -100
_MAKEDEV = (0o20000, 0o60000)
_TYPES = names("""
    S_IFREG 0o100000 S_IFSOCK 0o140000 S_IFIFO 0o10000 S_IFLNK 0o120000 S_IFDIR 0o40000
    S_IFBLK 0o60000 S_IFCHR 0o20000
""")
_SPECIAL = names("S_ISUID 0o4000 S_ISGID 0o2000 S_ISVTX 0o1000")

AT = flags(
    names("AT_SYMLINK_NOFOLLOW 0x100 AT_REMOVEDIR 0x200 AT_SYMLINK_FOLLOW 0x400"
          " AT_NO_AUTOMOUNT 0x800 AT_EMPTY_PATH 0x1000 AT_RECURSIVE 0x8000"), "AT"
)  # fmt: skip
AT_EACCESS = flags(names("AT_SYMLINK_NOFOLLOW 0x100 AT_EACCESS 0x200 AT_EMPTY_PATH 0x1000"), "AT")
ACCESS_MODE = flags(names("F_OK 0 R_OK 4 W_OK 2 X_OK 1"), "?_OK")
WHENCE_NAMES = numbered("SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE")
WHENCE = choice(WHENCE_NAMES, "SEEK")
FADVICE = choice(
    numbered("NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED NOREUSE", "POSIX_FADV_"), "POSIX_FADV"
)
_FLOCK = names(
    "LOCK_SH 1 LOCK_EX 2 LOCK_NB 4 LOCK_UN 8 LOCK_MAND 32 LOCK_RW 192 LOCK_READ 64 LOCK_WRITE 128"
)
FALLOCATE = flags(
    bits("KEEP_SIZE PUNCH_HOLE NO_HIDE_STALE COLLAPSE_RANGE ZERO_RANGE INSERT_RANGE UNSHARE_RANGE",
         "FALLOC_FL_"), "FALLOC_FL"
)  # fmt: skip
RENAME = flags(bits("RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT"), "RENAME_??")
RWF = flags(bits("RWF_HIPRI RWF_DSYNC RWF_SYNC RWF_NOWAIT RWF_APPEND"), "RWF")
CLOSE_RANGE = flags(names("CLOSE_RANGE_UNSHARE 2 CLOSE_RANGE_CLOEXEC 4"), "CLOSE_RANGE")
EVENTFD = flags(names("EFD_SEMAPHORE 1 EFD_CLOEXEC 0o2000000 EFD_NONBLOCK 0o4000"), "EFD")
XATTR = flags(bits("XATTR_CREATE XATTR_REPLACE"), "XATTR")
SPLICE = flags(bits("MOVE NONBLOCK MORE GIFT", "SPLICE_F_"), "SPLICE_F")
SYNC_RANGE = flags(
    bits("SYNC_FILE_RANGE_WAIT_BEFORE SYNC_FILE_RANGE_WRITE SYNC_FILE_RANGE_WAIT_AFTER"),
    "SYNC_FILE_RANGE",
)
_MEMFD = bits("MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB")
_HUGE_SHIFT = 26
_RESOLVE = long_flags(
    bits("NO_XDEV NO_MAGICLINKS NO_SYMLINKS BENEATH IN_ROOT CACHED", "RESOLVE_"), "RESOLVE"
)
_HOW = Struct("<3Q")


def dirfd(value: int, _: Sight) -> str:
    return "AT_FDCWD" if value == _AT_FDCWD else str(value)


def open_words(value: int) -> str:
    """The way of access, and what else open was told."""
    rest = flag_words(value & ~3, OPEN, "O").removesuffix(" /* O_??? */")
    return ACCESS[value & 3] + (f"|{rest}" if value & ~3 else "")


def open_flags(value: int, _: Sight) -> str:
    return open_words(low(value))


def lone_flags(value: int, _: Sight) -> str:
    """Flags of open where there is no way of access: dup3, pipe2."""
    return flag_words(low(value), OPEN, "O")


def mode(value: int, _: Sight) -> str:
    return octal(value & 0xFFFF)


def creates_nothing(opened: int) -> bool:
    """The mode counts only where open creates a file."""
    return not opened & (_CREATES | _TMPFILE)


def is_no_device(made: int) -> bool:
    """The device counts only where mknod makes one."""
    return made & 0o170000 not in _MAKEDEV


def type_and_mode(value: int) -> str:
    """S_IFREG|0644; octal where there is no such type."""
    kind = _TYPES.get(value & 0o170000)
    if kind is None and value & 0o170000:
        return octal(value)
    special = [name for bit, name in _SPECIAL.items() if value & bit]
    first = [kind] if kind else []
    return "|".join([*first, *special, octal(value & ~0o177000)])


def node_mode(value: int, _: Sight) -> str:
    return type_and_mode(value & 0xFFFF)


def device(value: int) -> str:
    """A device's two numbers, as they are packed into one."""
    major = (value >> 8 & 0xFFF) | (value >> 32 & 0xFFFFF000)
    minor = (value & 0xFF) | (value >> 12 & 0xFFFFFF00)
    return f"makedev({number(major & 0xFFFFFFFF)}, {number(minor & 0xFFFFFFFF)})"


def node_device(value: int, _: Sight) -> str:
    return device(low(value))


def unshown(_: int, __: Sight) -> None:
    """What strace says nothing of."""


def flock_operation(value: int, _: Sight) -> str:
    return flag_words(low(value), _FLOCK, "LOCK")


def memfd_flags(value: int, _: Sight) -> str:
    """Flags, and the logarithm of the size of huge pages."""
    value = low(value)
    huge, rest = value >> _HUGE_SHIFT, value & (1 << _HUGE_SHIFT) - 1
    words = [flag_words(rest, _MEMFD, "MFD")] if rest or not huge else []
    return "|".join([*words, f"{huge}<<MFD_HUGE_SHIFT"] if huge else words)


def open_how(value: int, sight: Sight) -> str:
    """openat2's structure; the mode only where a file is created."""
    size = sight.arg(1)
    size = min(size, PATH_MAX)
    data = sight.read(value, _HOW.size) if value and size >= _HOW.size else None
    if data is None:
        return pointer(value)
    opened, created, resolve = _HOW.unpack(data)
    shown = {"flags": open_words(opened)}
    if opened & (_CREATES | _TMPFILE) or created:
        shown["mode"] = octal(created)
    return fields(**shown, resolve=_RESOLVE(resolve, sight))[:-1] + _more(value, size, sight) + "}"


def _more(value: int, size: int, sight: Sight) -> str:
    """What a later Linux may understand: bytes behind the structure that are not zero."""
    data = sight.read(value + _HOW.size, size - _HOW.size) or b""
    if not any(data):
        return ""
    most = sight.string_length
    shown = hexadecimal_bytes(data[:most], len(data) > most)
    return f", /* bytes {_HOW.size}..{size - 1} */ {shown}"


def new_offset(value: int, sight: Sight) -> str:
    """sendfile: where it has come to."""
    came = sendfile_offset(value, sight) if (sight.result or 0) > 0 else ""
    return f" => {came}" if came.startswith("[") else ""


def sendfile_offset(value: int, sight: Sight) -> str:
    """A pointer to an offset, taken for unsigned."""
    data = sight.read(value, 8) if value else None
    return pointer(value) if data is None else f"[{int.from_bytes(data, 'little')}]"


def offset_at(value: int, sight: Sight) -> str:
    """A pointer to an offset, which the call reads and writes."""
    data = sight.read(value, 8) if value else None
    return pointer(value) if data is None else f"[{signed(int.from_bytes(data, 'little'))}]"


def length(value: int, _: Sight) -> str:
    """truncate's length, which strace takes for unsigned."""
    return str(value & (1 << 64) - 1)
