"""What files and folders are: stat, statx, statfs, getdents. strace abbreviates, so do we.

Source: asm/stat.h, linux/stat.h, asm-generic/statfs.h, linux/dirent.h, include/linux/statfs.h.
"""

from __future__ import annotations

from syscalls.text.files import device, type_and_mode
from syscalls.text.sight import Sight, at, low, number, pointer
from syscalls.text.words import bits, fields, flag_words, flags, names

_STATX_MASK = {
    0xFFF: "STATX_ALL",
    0x7FF: "STATX_BASIC_STATS",
} | bits(
    "TYPE MODE NLINK UID GID ATIME MTIME CTIME INO SIZE BLOCKS BTIME MNT_ID DIOALIGN", "STATX_"
)
_STATX_ATTRIBUTES = names("""
    COMPRESSED 4 IMMUTABLE 0x10 APPEND 0x20 NODUMP 0x40 ENCRYPTED 0x800 AUTOMOUNT 0x1000
    MOUNT_ROOT 0x2000 VERITY 0x100000 DAX 0x200000
""", "STATX_ATTR_")  # fmt: skip
_SYNC = 0x6000
_SYNC_TYPES = names("""
    AT_STATX_SYNC_AS_STAT 0 AT_STATX_FORCE_SYNC 0x2000 AT_STATX_DONT_SYNC 0x4000
    AT_STATX_FORCE_SYNC|AT_STATX_DONT_SYNC 0x6000
""")
_AT = names("""
    AT_SYMLINK_NOFOLLOW 0x100 AT_REMOVEDIR 0x200 AT_SYMLINK_FOLLOW 0x400 AT_NO_AUTOMOUNT 0x800
    AT_EMPTY_PATH 0x1000 AT_RECURSIVE 0x8000
""")
_FILESYSTEMS = names("""
    TMPFS_MAGIC 0x1021994 EXT2_SUPER_MAGIC 0xef53 PROC_SUPER_MAGIC 0x9fa0 SYSFS_MAGIC 0x62656572
    OVERLAYFS_SUPER_MAGIC 0x794c7630 BTRFS_SUPER_MAGIC 0x9123683e XFS_SUPER_MAGIC 0x58465342
    DEVPTS_SUPER_MAGIC 0x1cd1 RAMFS_MAGIC 0x858458f6 NFS_SUPER_MAGIC 0x6969 PIPEFS_MAGIC 0x50495045
    ANON_INODE_FS_MAGIC 0x9041934 SQUASHFS_MAGIC 0x73717368 FUSE_SUPER_MAGIC 0x65735546
    HUGETLBFS_MAGIC 0x958458f6 CGROUP2_SUPER_MAGIC 0x63677270
""")
_ST_VALID = 0x20
_MOUNT_FLAGS = names("""
    ST_VALID 0x20 ST_RDONLY 1 ST_NOSUID 2 ST_NODEV 4 ST_NOEXEC 8 ST_SYNCHRONOUS 0x10
    ST_MANDLOCK 0x40 ST_NOATIME 0x400 ST_NODIRATIME 0x800 ST_RELATIME 0x1000 ST_NOSYMFOLLOW 0x2000
""")
_STATX = "<2I4x4xQ3IH2xQQQ"

statx_mask = flags(_STATX_MASK, "STATX")


def statx_flags(value: int, _: Sight) -> str:
    """How fresh the answer shall be comes first, whether it was said or not."""
    value = low(value)
    first, rest = _SYNC_TYPES[value & _SYNC], value & ~_SYNC
    if not rest:
        return first
    return f"{first}|{flag_words(rest, _AT, 'AT').removesuffix(' /* AT_??? */')}"


def _stat(mode: int, rdev: int, size: int) -> str:
    shown = {"st_mode": type_and_mode(mode)}
    if mode & 0o170000 in (0o20000, 0o60000):
        return fields(**shown, st_rdev=device(rdev))[:-1] + ", ...}"
    return fields(**shown, st_size=size)[:-1] + ", ...}"


stat = at("<24xI12xQQ88x", _stat)


def _statx(mask: int, attributes: int, mode: int, size: int) -> str:
    shown: dict[str, object] = {
        "stx_mask": flag_words(mask, _STATX_MASK, "STATX"),
        "stx_attributes": flag_words(attributes, _STATX_ATTRIBUTES, "STATX_ATTR"),
    }
    if mask & 3:
        shown["stx_mode"] = type_and_mode(mode)
    if mask & 0x200:
        shown["stx_size"] = size
    return fields(**shown)[:-1] + ", ...}"


statx = at("<I4xQ12xH10xQ208x", _statx)


def _statfs(kind: int, *rest: int) -> str:
    size, blocks, free, available, files, free_files, low_id, high_id, name, fragment, mount = rest
    shown: dict[str, object] = {
        "f_type": _FILESYSTEMS.get(kind, number(kind)),
        "f_bsize": size, "f_blocks": blocks, "f_bfree": free, "f_bavail": available,
        "f_files": files, "f_ffree": free_files,
        "f_fsid": f"{{val=[{number(low_id)}, {number(high_id)}]}}",
        "f_namelen": name, "f_frsize": fragment,
    }  # fmt: skip
    if mount & _ST_VALID:
        shown["f_flags"] = flag_words(mount, _MOUNT_FLAGS, "ST")
    return fields(**shown)


statfs = at("<7Q2I3Q32x", _statfs)


def _entries(value: int, sight: Sight, smallest: int) -> str:
    """Folders are not printed: only how many entries were read."""
    size = sight.result or 0
    if sight.failed or size > low(sight.arg(1)):
        return pointer(value)
    data = sight.read(value, size) or b""
    count = position = 0
    while len(data) - position >= smallest:
        position += max(int.from_bytes(data[position + 16 : position + 18], "little"), smallest)
        count += 1
    cut = "+" * (position < size)
    return f"{pointer(value)} /* {count}{cut} entries */"


def entries(value: int, sight: Sight) -> str:
    """getdents."""
    return _entries(value, sight, 19)


def entries64(value: int, sight: Sight) -> str:
    """getdents64."""
    return _entries(value, sight, 20)
