"""A program that its own start-up has brought to `main`, where its functions can be called.

Its loader, its libc and its constructors have run as they do anywhere; `main` has not. What is
called then finds the stack below main's frame, and everything else as main would.
"""

from __future__ import annotations

import ctypes
from functools import cached_property
from typing import Self

from emu.errors import GuestDied, GuestExited, GuestFailed, InternalError
from emu.process import autopsy, link_map
from emu.process.autopsy import Place
from emu.process.convention import CANARY
from emu.process.cpu import WAY_OUT
from emu.process.objects import LoadedObject, Objects
from emu.process.process import CallableProcess
from emu.process.program import Program
from emu.process.sources import Sources, of_images, together
from emu.process.stop import Stop
from syscalls import ProcessExit
from syscalls.abi import PAGE, Errno
from syscalls.ending import Killed

MAIN, _CALLS_MAIN = "main", "__libc_start_main"
_STOP = bytes((0xCD, WAY_OUT))
"""int WAY_OUT: ends a run."""
_STACK_ALIGNMENT = 16
_WORD = 8
_INT = 0xFFFF_FFFF
_MOST_SAID = 1000
"""Bytes of what it wrote that its report tells."""


class NoMain(Exception):
    """Nobody knows where a program's main is."""


class StartedProgram(CallableProcess, Program):
    """`load` it, then `start` it; then `call` what it has."""

    _remembered = None
    _caller_frame = bytes(_WORD) + CANARY
    """A debugger takes the first word for the way out's return address, and stops at 0."""
    _objects: Objects | None = None

    def start(self) -> None:
        """Runs it to main's first instruction. The system calls so far are forgotten.

        GuestDied where it does not get there; NoMain where there is no such place.
        """
        assert self.loaded is not None
        self._doing = f"{self.path}, before main"
        if len(self.loaded.objects) > 1:  # what else there is, its loader knows
            self._run_to(self.objects.first.entry)
            self._learn_objects()
        self._run_to(self._main())
        self.heap_start = self.kernel.space.heap_start
        self._stack_pointer = self.cpu.get("rsp") - PAGE & -_STACK_ALIGNMENT
        self._surround()
        self.kernel.calls = []

    def initialize(self, function: str, *, answers: bool = True) -> None:
        """Calls a function that must be called first. GuestFailed where it does not answer 0.

        answers: whether it answers at all.
        """
        returned = self.call(function)
        self.violations += tuple(f"{function}: {one.message}" for one in returned.violations)
        answer = ctypes.c_int32(returned.result & _INT).value
        if answer and answers:
            self.died = True
            scene = autopsy.scene(self, Stop.HALTED, f"{function}()", 0, self._known)
            raise GuestFailed(f"{function}() answered {answer}, and not 0{self._after_said}", scene)

    def address_of(self, name: str) -> int | None:
        return self.objects.address_of(name)

    @property
    def objects(self) -> Objects:
        """The files in it, in the order in which symbols are looked for."""
        if self._objects is None:
            self._objects = super().objects
        return self._objects

    @property
    def sources(self) -> Sources:
        return self._sources

    @cached_property
    def _sources(self) -> Sources:
        return together((self.objects.sources, of_images((self._harness,))))

    def fork(self) -> Self:
        new = type(self)(limits=self.limits, budget=self.budget)
        new.path, new.argv, new.loaded = self.path, self.argv, self.loaded
        new._objects, new.heap_start = self.objects, self.heap_start
        new._stack_pointer, new.violations = self._stack_pointer, self.violations
        try:
            new._surround()
            new.become(self)
        except BaseException:
            new.close()
            raise
        return new

    def _place_of(self, address: int) -> Place:
        return self.objects.place_of(address)

    # Starting

    def _main(self) -> int:
        """Where main is. Of a stripped program, what its start-up hands to the libc."""
        main = self.objects.first.address_of(MAIN)
        if main is not None:
            return main
        caller = self.address_of(_CALLS_MAIN)
        if caller is None:
            raise NoMain(f"it has no symbol `{MAIN}`")
        self._run_to(caller)
        return self.cpu.get("rdi")

    def _run_to(self, address: int) -> None:
        """Until it is about to run what is at an address: an interrupt lies there meanwhile."""
        try:
            self.kernel.space.touch(address, len(_STOP), "r")
        except Errno:
            raise NoMain(f"it has no code at {address:#x}") from None
        code = self.memory.read(address, len(_STOP))
        self.memory.write(address, _STOP)
        self.way_out = address + len(_STOP)
        stop = self.run(self.cpu.get("rip"), self.budget)
        if stop is not Stop.HALTED or self.cpu.get("rip") != self.way_out:
            self.died = True
            raise self._early_death(stop)
        self.memory.write(address, code)
        self.cpu.set("rip", address)

    def _early_death(self, stop: Stop) -> GuestDied | InternalError:
        end = self.ending
        if isinstance(end, Killed):
            return self._death(end, stop)
        if not isinstance(end, ProcessExit):
            return self._limit(stop)
        scene = autopsy.scene(self, stop, self._doing, 0, self._known)
        what = f"the process ended itself with exit status {end.status}"
        return GuestExited(f"{what}{self._after_said}", scene, end.status)

    @property
    def said(self) -> str:
        """What it has written so far, for a report."""
        said = (self.kernel.output(1) + self.kernel.output(2)).strip()[:_MOST_SAID]
        return said.decode(errors="backslashreplace")

    @property
    def _after_said(self) -> str:
        return f": {self.said}" if self.said else ""

    def _learn_objects(self) -> None:
        assert self.loaded is not None
        known = {one.path: one for one in self.objects}
        program = self.objects.first
        found = [program]
        for bias, path in link_map.loaded(self.kernel.read, program.data, program.bias):
            if path:
                found.append(known.get(path) or self._object(bias, path))
        self._objects = Objects(found)

    def _object(self, bias: int, path: str) -> LoadedObject:
        try:
            data = self.kernel.context.filesystem.contents(path)
        except Errno:
            data = b""  # gone: nothing is known of it
        return LoadedObject(bias, path, data)
