"""The probes of an engine: what is recorded of its blocks, accesses and instructions, if anything.

Code that nobody watches is as fast as it was.
"""

from __future__ import annotations

import ctypes

from emu.process.access_probe import AccessProbe, OnAccesses, make_access_probe
from emu.process.counter import Counter
from emu.process.engine import Engine
from emu.process.journal import Journal
from emu.process.step_probe import OnSteps, StepProbe, make_step_probe


class Probes:
    """Of one engine. blocks: its hook on blocks. accesses, steps: the probes, while they watch."""

    def __init__(self, engine: Engine, counter: Counter, blocks: ctypes.c_size_t) -> None:
        self._engine, self._counter, self._blocks = engine, counter, blocks
        self.accesses: AccessProbe | None = None
        self.steps: StepProbe | None = None

    def record(
        self, journal: Journal | None, on_accesses: OnAccesses | None, on_steps: OnSteps | None
    ) -> None:
        """From now on they are told, or nobody is. All code must be forgotten then."""
        counter = self._counter
        counter.drain()
        for probe in (self.accesses, self.steps):
            if probe is not None:
                probe.close()
        self.accesses = self.steps = None
        counter.record(journal, in_line=on_accesses is None and on_steps is None)
        self._engine.redirect(self._blocks, counter.callback)
        if on_accesses is not None:
            self.accesses = make_access_probe(self._engine, counter, on_accesses)
        if on_steps is not None:
            self.steps = make_step_probe(self._engine, counter, on_steps)
        counter.before_drain = self._drain

    def _drain(self) -> None:
        for probe in (self.accesses, self.steps):
            if probe is not None:
                probe.drain()
