"""One client's session: from a packet to its answers, by a table.

Debugging with GDB, appendix E "Remote Serial Protocol", says what each packet means.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from emu.debug import memory, monitor, packets, register_packets
from emu.debug.breakpoints import Breakpoints
from emu.debug.files import Files
from emu.debug.replies import MALFORMED, OK, UNKNOWN, Malformed
from emu.debug.running import Running
from emu.debug.target import Target
from emu.debug.transfers import Transfers
from emu.errors import EmuError, InternalError

Answer = bytes | list[bytes]
"""One packet, or any number."""
Handler = Callable[[bytes], Answer]
"""From what follows the packet's name to the answer."""

_EXEC = 2
"""e_type of an ELF file that runs where it was linked (elf(5): ET_EXEC)."""
_TYPE_AT = slice(16, 18)
_THREADS = (b"0", b"1", b"-1")
"""Any, the only one, and all."""


class Leaving(Enum):
    """How a client ends the session."""

    DETACHED = "detached"
    KILLED = "killed"


class Session:
    """leaving: None for as long as the session lasts. acknowledging: until gdb asks for silence."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._breakpoints = Breakpoints(target)
        self._running = Running(target, self._breakpoints)
        self._transfers = Transfers(target)
        self.interrupted, self.seen_interrupt = self._running.ask, self._running.seen
        self.leaving: Leaving | None = None
        self.acknowledging = True
        self._exact = self._exact_packets()
        self._prefixed = self._prefixed_packets()
        self._lengths = sorted({len(prefix) for prefix in self._prefixed}, reverse=True)

    def _exact_packets(self) -> dict[bytes, Callable[[], Answer]]:
        target, running = self._target, self._running
        return {
            b"?": running.why,
            b"g": lambda: register_packets.read_all(target),
            b"c": lambda: running.forward(b"c"),
            b"s": lambda: running.forward(b"s"),
            b"bc": running.back,
            b"bs": running.step_back,
            b"k": self._kill_silently,
            b"D": self._detach,
            b"qAttached": lambda: b"1",
            b"qC": lambda: b"QC1",
            b"qfThreadInfo": lambda: b"m1",
            b"qsThreadInfo": lambda: b"l",
            b"qOffsets": self._offsets,
            b"QStartNoAckMode": self._be_silent,
            b"vCont?": lambda: b"vCont;c;C;s;S",
        }

    def _prefixed_packets(self) -> dict[bytes, Handler]:
        target, running = self._target, self._running
        return {
            b"G": lambda data: register_packets.write_all(target, data),
            b"p": lambda data: register_packets.read_one(target, data),
            b"P": lambda data: register_packets.write_one(target, data),
            b"m": lambda data: memory.read(target, data),
            b"M": lambda data: memory.write_hex(target, data),
            b"X": lambda data: memory.write_binary(target, data),
            b"Z": self._breakpoints.insert,
            b"z": self._breakpoints.remove,
            b"c": running.continue_at,
            b"s": running.step_at,
            b"C": running.continue_with,
            b"S": running.step_with,
            b"vCont;": running.by_thread,
            b"vKill;": lambda _: self._kill(),
            b"vFile:": Files(target).answer,
            b"H": _thread_chosen,
            b"T": lambda data: OK if data in _THREADS else MALFORMED,
            b"D;": lambda _: self._detach(),
            b"qSupported": self._supported,
            b"qXfer:": self._transfers.answer,
            b"qThreadExtraInfo,": self._thread_shown,
            b"qSymbol:": lambda _: OK,
            b"qRcmd,": lambda data: list(monitor.answers(target, data)),
        }

    def answers(self, packet: bytes) -> list[bytes]:
        """What to send, one packet each. InternalError where we or the target are wrong."""
        try:
            answer = self._answer(packet)
            return [answer] if isinstance(answer, bytes) else answer
        except Malformed:
            return [MALFORMED]
        except EmuError:
            raise
        except Exception as error:
            raise InternalError(f"packet {packet[:80]!r}: {error!r}") from error

    def _answer(self, packet: bytes) -> Answer:
        if packet in self._exact:
            return self._exact[packet]()
        for length in self._lengths:
            handler = self._prefixed.get(packet[:length])
            if handler is not None:
                return handler(packet[length:])
        return UNKNOWN

    def close(self) -> None:
        """Nothing is left of what this client had set."""
        self._breakpoints.clear()

    # What concerns the session itself

    def _supported(self, data: bytes) -> bytes:
        if data[:1] not in (b"", b":"):
            return UNKNOWN
        self._running.tell_breakpoints(data[1:].split(b";"))
        return b";".join([
            b"PacketSize=%x" % packets.MOST, b"QStartNoAckMode+", *self._transfers.features(),
            b"swbreak+", b"hwbreak+", b"vContSupported+", b"ReverseStep+", b"ReverseContinue+",
        ])  # fmt: skip

    def _be_silent(self) -> bytes:
        self.acknowledging = False
        return OK

    def _kill(self) -> bytes:
        self.leaving = Leaving.KILLED
        return OK

    def _kill_silently(self) -> list[bytes]:
        self._kill()
        return []

    def _detach(self) -> bytes:
        self.leaving = Leaving.DETACHED
        return OK

    def _thread_shown(self, _: bytes) -> bytes:
        return self._target.moment().encode(errors="replace").hex().encode()

    def _offsets(self) -> bytes:
        """Of a program that may lie anywhere, gdb finds them by the auxiliary vector."""
        _, file = self._target.executable()
        placed = int.from_bytes(file[_TYPE_AT], "little") == _EXEC
        return b"Text=0;Data=0;Bss=0" if placed else UNKNOWN


def _thread_chosen(data: bytes) -> bytes:
    return OK if data[:1] in (b"g", b"c") and data[1:] in _THREADS else MALFORMED
