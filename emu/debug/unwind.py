"""How to get from each instruction of an image to its caller, by following the code's flow.

A function is entered by a call, with nothing on the stack but the return address; a jump takes
what is on the stack along, also into another function. Where two ways meet with different stacks,
nothing is said rather than something wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from asm import source
from asm.dwarf.frame import ENTRY as ENTRY_CFA
from asm.dwarf.frame import Frame, Row
from asm.elf.symbols import Symbol, functions
from asm.image import Image
from emu.debug.effects import after, calls_next
from emu.debug.state import ENTRY, NUMBER, State
from emu.process.disassembly import Step, steps

_LONGEST = 15
_ENDS = {"ret", "retf", "retfq", "iretq", "ud2", "hlt"}
_NEVER_RETURN = {60, 231, 15}
"""System calls: exit, exit_group, rt_sigreturn."""


def frames(image: Image, outermost: Collection[str] = ()) -> tuple[Frame, ...]:
    """The way to the caller, for every instruction where it is known.

    outermost: functions that nothing has called, such as `_start`.
    """
    flow = _Flow(image, [f for f in functions(image) if f.name not in outermost])
    flow.follow_all()
    made: list[Frame] = []
    for function in functions(image):
        if function.name in outermost:
            row = Row(function.address, ENTRY_CFA)
            made.append(Frame(function.address, function.end, (row,), outermost=True))
        else:
            made += flow.frames(function)
    return tuple(made)


class _Flow:
    """What is known before each instruction that was reached."""

    def __init__(self, image: Image, entered: list[Symbol]) -> None:
        self._image, self._functions = image, entered
        self._states: dict[int, State] = {}
        self._steps: dict[int, Step | None] = {}
        self._changed: list[int] = []

    def follow_all(self) -> None:
        """From what is called or exported; then from what only a pointer can reach."""
        calls, jumps = self._targets()
        names = {function.name for function in self._functions}
        exported = self._image.exported & names
        if exported != names:
            calls |= {self._image.symbols[name] for name in exported}
        for entry in calls:
            self._reach(entry, ENTRY)
        self._follow()
        for function in sorted(self._functions, key=lambda f: (f.address in jumps, f.address)):
            if function.address not in self._states:
                self._reach(function.address, ENTRY)
                self._follow()

    def frames(self, function: Symbol) -> Iterator[Frame]:
        """One frame for each stretch of a function where the way is known."""
        rows: list[Row] = []
        start = end = function.address
        for address in sorted(a for a in self._states if function.address <= a < function.end):
            row, step = self._states[address].row(address), self._step(address)
            if rows and (row is None or address != end):
                yield Frame(start, end, tuple(rows))
                rows = []
            if row is None or step is None:
                continue
            if not rows:
                start = address
            if not rows or _rules(row) != _rules(rows[-1]):
                rows.append(row)
            end = step.end
        if rows:
            yield Frame(start, end, tuple(rows))

    def _targets(self) -> tuple[set[int], set[int]]:
        """What direct calls and jumps name anywhere, also in code that was not reached."""
        calls: set[int] = set()
        jumps: set[int] = set()
        for step in self._all_steps():
            if (target := _target(step)) is None or calls_next(step):
                continue
            (calls if step.name == "call" else jumps).add(target)
        return calls, jumps

    def _all_steps(self) -> Iterator[Step]:
        for line in self._image.lines:
            statement = source.statement(line.file, line.line, line.text)
            if statement and not statement.word.startswith("."):
                yield from steps(self._image.bytes_at(line.address, line.size), line.address)

    def _follow(self) -> None:
        while self._changed:
            address = self._changed.pop()
            step = self._step(address)
            if step is None:
                continue
            state = self._states[address]
            target = _target(step)
            if target is not None and not calls_next(step):
                self._reach(target, ENTRY if step.name == "call" else state)
            if not _stops(step, state):
                self._reach(step.end, after(step, state))

    def _reach(self, address: int, state: State) -> None:
        before = self._states.get(address)
        now = state if before is None else before.common(state)
        if now != before and self._step(address) is not None:
            self._states[address] = now
            self._changed.append(address)

    def _step(self, address: int) -> Step | None:
        """The instruction at an address of the image; None where there is none."""
        if address not in self._steps:
            found = steps(self._image.bytes_at(address, _LONGEST), address)
            self._steps[address] = found[0] if found else None
        return self._steps[address]


def _target(step: Step) -> int | None:
    """Where a jump or a call goes that says it itself."""
    if step.name[0] == "j" or step.name.startswith("loop") or step.name == "call":
        target = step.operands[0]
        return target if isinstance(target, int) else None
    return None


def _stops(step: Step, state: State) -> bool:
    """Whether what stands behind it does not come next."""
    if step.name == "syscall":
        number = state.registers["rax"]
        return number is not None and number[0] == NUMBER and number[1] in _NEVER_RETURN
    return step.name in _ENDS or step.name == "jmp"


def _rules(row: Row) -> tuple[object, ...]:
    return row.cfa, row.saved, row.lost
