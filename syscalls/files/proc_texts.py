"""The texts of /proc, each in the form that proc(5) gives."""

from __future__ import annotations

from os import major, minor
from typing import TYPE_CHECKING

from syscalls.abi import PAGE
from syscalls.files.file import File
from syscalls.identity import PID, PPID

if TYPE_CHECKING:
    from syscalls.address_space import AddressSpace
    from syscalls.region import Region

_MACHINE = 64 << 30
"""What the machine has where nobody limits it."""
CPUINFO = b"""\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: emu
cpu MHz\t\t: 1000.000
cache size\t: 1024 KB
physical id\t: 0
siblings\t: 1
core id\t\t: 0
cpu cores\t: 1
clflush size\t: 64
cache_alignment\t: 64
address sizes\t: 48 bits physical, 48 bits virtual

"""
_NAME_AT = 73
_SPECIAL = {"heap": "[heap]", "stack": "[stack]"}


def maps(space: AddressSpace) -> bytes:
    """One line a region."""
    return b"".join(_map_line(space, region) for region in space.regions)


def _map_line(space: AddressSpace, region: Region) -> bytes:
    kind = "s" if region.shared else "p"
    where = f"{region.start:08x}-{region.end:08x} {region.rights}{kind} {region.offset:08x}"
    name, file = space.name_of(region), region.file
    if isinstance(file, File):
        status = file.stat()
        line = f"{where} {major(status.dev):02x}:{minor(status.dev):02x} {status.ino} "
        return line.encode().ljust(_NAME_AT) + file.name + b"\n"
    line = f"{where} 00:00 0 "
    named = _SPECIAL.get(name, name).encode("utf-8", "surrogateescape")
    return (line.encode().ljust(_NAME_AT) + named if named else line.encode()) + b"\n"


def meminfo(space: AddressSpace) -> bytes:
    total = (space.limits.ram or _MACHINE) >> 10
    free = max(0, total - (space.size >> 10))
    rows = (("MemTotal", total), ("MemFree", free), ("MemAvailable", free), ("Buffers", 0),
            ("Cached", 0), ("SwapCached", 0), ("SwapTotal", 0), ("SwapFree", 0))  # fmt: skip
    return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in rows).encode()


def status(command: bytes, space: AddressSpace, umask: int, room: int) -> bytes:
    """room: how many descriptors the table has room for."""
    size = space.size >> 10
    ids = "\t".join("0" * 4)
    rows = (("Umask", f"{umask:04o}"), ("State", "R (running)"), ("Tgid", PID), ("Ngid", 0),
            ("Pid", PID), ("PPid", PPID), ("TracerPid", 0), ("Uid", ids), ("Gid", ids),
            ("FDSize", room), ("Groups", "0 "), ("VmPeak", f"{size:8} kB"),
            ("VmSize", f"{size:8} kB"), ("VmRSS", f"{size:8} kB"), ("Threads", 1))  # fmt: skip
    lines = "".join(f"{name}:\t{value}\n" for name, value in rows)
    return b"Name:\t" + command + b"\n" + lines.encode()


def stat(command: bytes, space: AddressSpace) -> bytes:
    """52 fields, counted from 1; what nobody counts is 0."""
    fields = dict.fromkeys(range(3, 53), "0")
    told = {3: "R", 4: PPID, 5: PID, 6: PPID, 8: -1, 18: 20, 20: 1, 23: space.size,
            24: space.size // PAGE, 25: (1 << 64) - 1}  # fmt: skip
    fields |= {field: str(value) for field, value in told.items()}
    return b"%d (%s) " % (PID, command) + " ".join(fields.values()).encode() + b"\n"


def statm(space: AddressSpace) -> bytes:
    pages = space.size // PAGE
    return b"%d %d 0 0 0 %d 0\n" % (pages, pages, pages)
