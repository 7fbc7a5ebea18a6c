"""The packets that let the target run, in both directions, and what they answer when it stops."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from emu.debug import stops
from emu.debug.breakpoints import Breakpoints
from emu.debug.register_packets import set_registers
from emu.debug.replies import NUMBER, OK, Malformed, groups, numbers, pattern
from emu.debug.target import Reason, Stopped, Target

_AT = pattern(NUMBER)
_WITH = pattern(rb"([0-9a-fA-F]{2})", rb"(?:;", NUMBER, rb")?")
_ACTION = pattern(rb"([csCS])((?:[0-9a-fA-F]{2})?)", rb"(?::(-1|0|1))?")
_OTHER_SIGNAL = b"E.the program gets the signals of its own run, and no others"


class Running:
    """last: why the target stopped. Interrupts come from another thread; the rest is in one."""

    def __init__(self, target: Target, breakpoints: Breakpoints) -> None:
        self._target, self._breakpoints = target, breakpoints
        self._last = Stopped(Reason.STEPPED)
        self._told: set[bytes] = set()
        self._lock = Lock()
        self._under_way = False
        self._asked = 0

    def tell_breakpoints(self, features: list[bytes]) -> None:
        """What gdb said of itself: whether it knows swbreak and hwbreak."""
        self._told = {b"swbreak", b"hwbreak"} & {name.removesuffix(b"+") for name in features}

    # Packets

    def why(self) -> bytes:
        """?"""
        return self._reply(self._last)

    def forward(self, action: bytes) -> bytes:
        """c or s."""
        return self._ran(self._target.step if action == b"s" else self._resume)

    def back(self) -> bytes:
        """bc"""
        return self._ran(lambda: self._until_stop(self._target.resume_back))

    def step_back(self) -> bytes:
        """bs"""
        return self._ran(self._target.step_back)

    def continue_at(self, data: bytes) -> bytes:
        """c address."""
        return self._at(b"c", numbers(_AT, data)[0])

    def step_at(self, data: bytes) -> bytes:
        """s address."""
        return self._at(b"s", numbers(_AT, data)[0])

    def continue_with(self, data: bytes) -> bytes:
        """C signal;address."""
        return self._with(b"c", *groups(_WITH, data))

    def step_with(self, data: bytes) -> bytes:
        """S signal;address."""
        return self._with(b"s", *groups(_WITH, data))

    def by_thread(self, data: bytes) -> bytes:
        """vCont;action:thread;...: the first action, for there is one thread."""
        actions = [groups(_ACTION, action) for action in data.split(b";")]
        name, signal, _ = actions[0]
        if bool(signal) != name.isupper():
            raise Malformed
        return self._with(name.lower(), signal, b"") if signal else self.forward(name)

    def _at(self, action: bytes, address: int) -> bytes:
        moved = set_registers(self._target, {"rip": address})
        return self.forward(action) if moved == OK else moved

    def _with(self, action: bytes, signal: bytes, address: bytes) -> bytes:
        """Passing on the signal that it stopped with is what happens anyway."""
        if int(signal, 16) not in (0, stops.signal_number(self._last)):
            return _OTHER_SIGNAL
        return self._at(action, int(address, 16)) if address else self.forward(action)

    # Interrupts

    def ask(self) -> None:
        """From another thread: Ctrl-C has come, behind all packets that came before."""
        with self._lock:
            self._asked += 1
            if self._under_way:
                self._target.interrupt()

    def seen(self) -> None:
        """It is its turn: what it was to interrupt has stopped."""
        with self._lock:
            self._asked -= 1

    # Running

    def _ran(self, run: Callable[[], Stopped]) -> bytes:
        if not stops.ended(self._last):
            self._last = run()
        return self._reply(self._last)

    def _resume(self) -> Stopped:
        """A breakpoint where it stands stops it, as on a CPU: gdb takes away what it steps over."""
        if self._target.registers()["rip"] in self._target.breakpoints:
            return Stopped(Reason.BREAKPOINT)
        return self._until_stop(self._target.resume)

    def _until_stop(self, resume: Callable[[], Stopped]) -> Stopped:
        while True:
            with self._lock:
                self._under_way = True
                if self._asked:
                    self._target.interrupt()
            try:
                stopped = resume()
            finally:
                with self._lock:
                    self._under_way = False
                    asked = self._asked
            if asked or stopped.reason is not Reason.INTERRUPTED:  # else it came too late, before
                return stopped

    def _reply(self, stopped: Stopped) -> bytes:
        registers = {} if stops.ended(stopped) else self._target.registers()
        kind = b""
        if stopped.reason is Reason.BREAKPOINT:
            hardware = self._breakpoints.hardware_at(registers["rip"])
            kind = b"hwbreak" if hardware else b"swbreak"
        return stops.stop_reply(stopped, registers, kind if kind in self._told else b"")
