"""Who talks to the server: gdb itself, and a socket that says whatever it likes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread

from emu.debug.packets import Decoder, Mark, framed
from emu.debug.transport import HOST, serve

_PATIENCE = 60
"""Seconds."""
QUIET = (
    "set width 0", "set height 0", "set confirm off", "set debuginfod enabled off",
    "set style enabled off", "set disassembly-flavor intel", "set startup-quietly on",
)  # fmt: skip
_SLOW = 'warning: File transfers from remote targets can be slow. Use "set sysroot"'


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
            with socket.create_connection((HOST, port)) as last:
                last.sendall(framed(b"k"))
        thread.join(_PATIENCE)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


def gdb(
    where: str, *commands: str, options: tuple[str, ...] = (), before: tuple[str, ...] = ()
) -> str:
    """What gdb says to commands after it has attached, but for what is only of its version."""
    script = [*QUIET[:-1], *before, f"target remote {where}", *commands]
    arguments = [word for command in script for word in ("-ex", command)]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", *options, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return "".join(line for line in done.stdout.splitlines(True) if not line.startswith(_SLOW))


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


Serve = Callable[..., object]
