"""/proc (proc(5)), as far as programs look at themselves, and what of /sys they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from syscalls.abi import ENOENT, Errno
from syscalls.files import proc_texts as texts
from syscalls.files.node import Node
from syscalls.files.own import OwnFolder, OwnLink, OwnText, place_of
from syscalls.files.place import Place
from syscalls.identity import PID

if TYPE_CHECKING:
    from syscalls.address_space import AddressSpace
    from syscalls.descriptors import Descriptors
    from syscalls.files.filesystem import Filesystem

_PROC, _SYS = 21, 22


@dataclass
class Program:
    """What runs: who loads it, says so here. auxiliary: the auxiliary vector's bytes."""

    executable: bytes = b""
    arguments: tuple[bytes, ...] = ()
    environment: tuple[bytes, ...] = ()
    auxiliary: bytes = b""
    name: bytes | None = None
    """What prctl(PR_SET_NAME) set; None for the executable's."""

    @property
    def command(self) -> bytes:
        """At most 15 bytes, as `comm` has it."""
        own = self.executable.rpartition(b"/")[2] or b"emu"
        return (own if self.name is None else self.name)[:15]


class _Once:
    """Asks when it is first asked, and never again."""

    def __init__(self, make: Callable[[], Mapping[bytes, Node]]) -> None:
        self._make = make
        self._made: Mapping[bytes, Node] | None = None

    def __call__(self) -> Mapping[bytes, Node]:
        if self._made is None:
            self._made = self._make()
        return self._made


def make_proc(filesystem: Filesystem, files: Descriptors, space: AddressSpace) -> OwnFolder:
    """/proc."""
    own = _folder(_PROC, b"%d" % PID, _Once(lambda: _process(filesystem, files, space)))
    nodes: dict[bytes, Node] = {
        b"%d" % PID: own,
        b"self": OwnLink(_PROC, 2, lambda: b"%d" % PID),
        b"cpuinfo": _text(b"cpuinfo", lambda: texts.CPUINFO),
        b"meminfo": _text(b"meminfo", lambda: texts.meminfo(space)),
    }
    return OwnFolder(_PROC, 1, lambda: nodes)


def make_sys() -> OwnFolder:
    """/sys, where the C library counts the processors."""
    one = {name: OwnText(_SYS, _ino(name), lambda: b"0\n") for name in (b"online", b"possible")}
    cpu = _folder(_SYS, b"cpu", lambda: one)
    system = _folder(_SYS, b"system", lambda: {b"cpu": cpu})
    devices = _folder(_SYS, b"devices", lambda: {b"system": system})
    return OwnFolder(_SYS, 1, lambda: {b"devices": devices})


def _process(filesystem: Filesystem, files: Descriptors, space: AddressSpace) -> dict[bytes, Node]:
    program = filesystem.program
    made: dict[str, Callable[[], bytes]] = {
        "auxv": lambda: program.auxiliary,
        "cmdline": lambda: b"".join(word + b"\0" for word in program.arguments),
        "comm": lambda: program.command + b"\n",
        "environ": lambda: b"".join(word + b"\0" for word in program.environment),
        "maps": lambda: texts.maps(space),
        "stat": lambda: texts.stat(program.command, space),
        "statm": lambda: texts.statm(space),
        "status": lambda: texts.status(program.command, space, filesystem.umask, files.capacity),
    }
    return {
        **{name.encode(): _text(name.encode(), make) for name, make in made.items()},
        b"cwd": _link(b"cwd", lambda: filesystem.folder),
        b"exe": _link(b"exe", filesystem.executable),
        b"root": _link(b"root", lambda: filesystem.root),
        b"fd": _folder(_PROC, b"fd", lambda: _open_files(files)),
    }


def _open_files(files: Descriptors) -> Mapping[bytes, Node]:
    return {b"%d" % fd: _open_file(files, fd) for fd in files.numbers()}


def _open_file(files: Descriptors, fd: int) -> Node:
    def leads() -> Place:
        return place_of(files.at(fd, path_too=True))

    return OwnLink(_PROC, 1000 + fd, lambda: files.at(fd, path_too=True).name, leads)


def _folder(device: int, name: bytes, children: Callable[[], Mapping[bytes, Node]]) -> OwnFolder:
    return OwnFolder(device, _ino(name), children)


def _text(name: bytes, make: Callable[[], bytes]) -> OwnText:
    return OwnText(_PROC, _ino(name), make)


def _link(name: bytes, leads: Callable[[], Place | None]) -> OwnLink:
    def there() -> Place:
        place = leads()
        if place is None:
            raise Errno(ENOENT)
        return place

    return OwnLink(_PROC, _ino(name), lambda: there().spelled, there)


def _ino(name: bytes) -> int:
    """Always the same for the same name."""
    return 1 << 20 | crc32(name)
