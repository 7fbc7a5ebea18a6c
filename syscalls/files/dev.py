"""/dev: the devices that are ours, the terminal, and links to what the process has open."""

from __future__ import annotations

from collections.abc import Mapping

from syscalls.abi import ENXIO, Errno
from syscalls.files.devices import DEVICE, DeviceNode, memory_devices
from syscalls.files.file import File
from syscalls.files.node import Node
from syscalls.files.own import OwnFolder, OwnLink
from syscalls.files.place import Place
from syscalls.files.standard import StandardFile
from syscalls.random import RandomBytes

_LINKS = {
    b"fd": b"/proc/self/fd",
    b"stdin": b"/proc/self/fd/0",
    b"stdout": b"/proc/self/fd/1",
    b"stderr": b"/proc/self/fd/2",
}
_FIRST_LINK = 20


def make_dev(random: RandomBytes, standard: Mapping[int, StandardFile]) -> OwnFolder:
    """standard: the files that the process started with."""

    def make_terminal(_: Place, flags: int) -> File:
        terminal = next((file for file in standard.values() if file.is_terminal), None)
        if terminal is None:
            raise Errno(ENXIO)
        return terminal.again(flags)

    def link(ino: int, target: bytes) -> OwnLink:
        return OwnLink(DEVICE, ino, lambda: target)

    links = {name: link(_FIRST_LINK + i, to) for i, (name, to) in enumerate(_LINKS.items())}
    terminal = DeviceNode(9, 5, 0, make_terminal)
    nodes: dict[bytes, Node] = {**memory_devices(random), b"tty": terminal, **links}
    return OwnFolder(DEVICE, 1, lambda: nodes)
