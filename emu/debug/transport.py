"""Where the packets come from: a socket of this machine, or a pipe; and whose turn it is.

A thread reads, so that Ctrl-C is seen while the target runs. Everything else is in one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from emu.debug.packets import Decoder, Mark, framed
from emu.debug.replies import MALFORMED
from emu.debug.session import Leaving, Session
from emu.debug.target import Target
from emu.errors import InputError

HOST = "127.0.0.1"
_AT_ONCE = 1 << 16
_MOST_WAITING = 1024
"""Packets that came while another was answered. gdb sends one at a time."""


class _Flood(Exception):
    """The client does not wait for answers."""


class Channel(Protocol):
    """Bytes in both directions. OSError where the other side is gone."""

    def read(self) -> bytes:
        """Some that came; b"" at the end."""

    def write(self, data: bytes) -> None:
        """All of it."""

    def hang_up(self) -> None:
        """Whoever reads or writes here, in any thread, is done."""


class _Socket:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self) -> bytes:
        return self._socket.recv(_AT_ONCE)

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hang_up(self) -> None:
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)


class _Pipe:
    def __init__(self, given: int, taken: int) -> None:
        self._given, self._taken = given, taken

    def read(self) -> bytes:
        return os.read(self._given, _AT_ONCE)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._taken, data) :]

    def hang_up(self) -> None:
        """gdb closes the pipe when it has read the last answer."""


def serve(target: Target, port: int = 0, ready: Callable[[int], None] = lambda port: None) -> None:
    """Serves one client after the other on this machine, until one kills the program.

    port: 0 for one that is free; ready is told which. InputError where it cannot be had.
    A program that has ended is still there for the next client, who may go back in it.
    """
    with _listening(port) as listener:
        ready(listener.getsockname()[1])
        leaving = None
        while leaving is not Leaving.KILLED:
            connected, _ = listener.accept()
            with connected:
                leaving = _Conversation(target, _Socket(connected)).hold()


def serve_pipe(target: Target, given: int = 0, taken: int = 1) -> None:
    """Serves one client through descriptors: `gdb -ex 'target remote | ...'`."""
    _Conversation(target, _Pipe(given, taken)).hold()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot listen: {reason}", f"{HOST}:{port}") from None
    return listener


class _Conversation:
    """One client, from its first packet to its last."""

    def __init__(self, target: Target, channel: Channel) -> None:
        self._channel = channel
        self._session = Session(target)
        self._waiting: SimpleQueue[bytes | Mark | BaseException | None] = SimpleQueue()
        self._sent: list[bytes] = []
        self._gone = False

    def hold(self) -> Leaving | None:
        """How the client left: None where it hung up."""
        Thread(target=self._listen, name="gdb's packets", daemon=True).start()
        try:
            for item in self._items():
                self._take(item)
                if self._session.leaving is not None or self._gone:
                    break
        finally:
            self._session.close()
            self._channel.hang_up()
        return self._session.leaving

    def _take(self, item: bytes | Mark) -> None:
        if item is Mark.INTERRUPT:
            self._session.seen_interrupt()
        elif item is Mark.GARBLED:
            self._refuse()
        elif item is Mark.NAK and self._session.acknowledging:
            self._send(self._sent)
        elif isinstance(item, bytes):
            if self._session.acknowledging:
                self._write(Mark.ACK.value)
            self._sent = self._session.answers(item)
            self._send(self._sent)

    def _refuse(self) -> None:
        """gdb sends it again, or, where nothing is acknowledged, has to be told that it failed."""
        if self._session.acknowledging:
            self._write(Mark.NAK.value)
        else:
            self._send([MALFORMED])

    def _send(self, answers: list[bytes]) -> None:
        self._write(b"".join(map(framed, answers)))

    def _write(self, data: bytes) -> None:
        """Who has gone does not hear it; what he has said is still done."""
        try:
            self._channel.write(data)
        except OSError:
            self._gone = True

    def _items(self) -> Iterator[bytes | Mark]:
        """What the reader has read, to the end. Whatever was wrong there is raised here."""
        while True:
            item = self._waiting.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    # In the thread that reads

    def _listen(self) -> None:
        last: BaseException | None = None
        try:
            decoder = Decoder()
            while data := self._channel.read():
                for item in decoder.feed(data):
                    self._hear(item)
        except OSError:  # gone
            pass
        except _Flood:
            self._channel.hang_up()
        except BaseException as error:  # noqa: BLE001 - raised by the other thread
            last = error
        self._session.interrupted()
        self._waiting.put(last)

    def _hear(self, item: bytes | Mark) -> None:
        if self._waiting.qsize() > _MOST_WAITING:
            raise _Flood
        if item is Mark.INTERRUPT:
            self._session.interrupted()
        self._waiting.put(item)
