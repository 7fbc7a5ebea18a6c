"""Who talks to the server: gdb itself, and a socket that says whatever it likes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue
from threading import Thread

from emu.debug.packets import Decoder, Mark, framed
from emu.debug.transport import HOST, serve

_PATIENCE = 60
"""Seconds."""
_PLAIN = (
    "set width 0", "set height 0", "set confirm off", "set debuginfod enabled off",
    "set style enabled off", "set disassembly-flavor intel",
)  # fmt: skip
_NOISE = ("warning: File transfers from remote targets can be slow.", "Reading ")
"""How a line begins that gdb prints as often as it likes."""


@contextmanager
def served(target: object) -> Iterator[int]:
    """The port at which a target is served; at the end it is killed, and errors come out."""
    ports: Queue[int] = Queue()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            serve(target, ready=ports.put)
        except BaseException as error:  # noqa: BLE001 - raised by the other thread
            failed.append(error)
            ports.put(0)

    thread = Thread(target=run)
    thread.start()
    port = ports.get(timeout=_PATIENCE)
    try:
        yield port
    finally:
        if thread.is_alive():
            with suppress(ConnectionError), socket.create_connection((HOST, port)) as last:
                last.sendall(framed(b"k"))  # it may be ending by itself just now
        thread.join(_PATIENCE)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


def gdb(where: int | str, *commands: str) -> str:
    """What gdb says from when it has attached. where: a port, or what `target remote` takes."""
    done = subprocess.run(
        gdb_command(where, *commands), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    return said(done.stdout)


def gdb_command(where: int | str, *commands: str) -> list[str]:
    """gdb as it is called, without anybody's settings."""
    place = where if isinstance(where, str) else f"{HOST}:{where}"
    script = [*_PLAIN, f"target remote {place}", *commands]
    return ["gdb", "-nx", "-batch", *(word for command in script for word in ("-ex", command))]


def said(output: str) -> str:
    """What gdb has printed, without the noise."""
    lines = output.splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines if not line.startswith(_NOISE))


class Raw:
    """A client by hand, which acknowledges nothing unless told to."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=_PATIENCE)
        self._decoder = Decoder()
        self._items: list[bytes | Mark] = []

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def next(self) -> bytes | Mark:
        """A packet or a mark."""
        while not self._items:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self._items += self._decoder.feed(data)
        return self._items.pop(0)

    def ask(self, packet: bytes) -> bytes:
        """The answer to a packet."""
        self.send(framed(packet))
        while not isinstance(item := self.next(), bytes):
            assert item is Mark.ACK
        return item


@contextmanager
def talking(target: object) -> Iterator[Raw]:
    """A raw client to a target that is served."""
    with served(target) as port:
        client = Raw(port)
        try:
            yield client
        finally:
            client.close()
