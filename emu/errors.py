"""What can go wrong, and whose fault it is.

    EmuError
    ├── InputError              what we were given is wrong: file, line, what was expected  exit 2
    │   ├── ScenarioError           a line of a scenario
    │   └── AllocatorError          no such allocator, or not one
    ├── GuestDied               the program under test is dead; the report says how         exit 3
    │   ├── GuestFault              it touched what it may not touch, or ran what it may not run
    │   ├── BudgetSpent             it did not return
    │   ├── MemorySpent             it wrote to more memory than it may have
    │   ├── OutputSpent             it wrote more to files than it may
    │   ├── Deadlocked              it waits for what cannot happen
    │   ├── GuestFailed             its initialization says that it failed
    │   └── GuestExited             it ended the process
    ├── ClosedError             a process is used that is closed, or dead
    ├── SnapshotError           a process cannot be remembered, or not be taken back
    ├── OverBudget              calls cost more than a test allows; an AssertionError, too
    └── InternalError           we are wrong                                                exit 4

    asm.AssemblyError           a line of assembly is wrong; shown like an InputError       exit 2

What an allocator does wrong without dying is no exception: it is a Finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class EmuError(Exception):
    """The root. It crosses processes whole."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[EmuError], args: tuple[Any, ...], state: dict[str, Any]) -> EmuError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InternalError(EmuError):
    """A bug of ours."""


class ClosedError(EmuError):
    """A process that is closed, or dead, can be asked nothing any more."""


class SnapshotError(EmuError):
    """A process cannot be remembered, or cannot go back to this snapshot."""


class OverBudget(EmuError, AssertionError):
    """Calls cost more than a test allows. spent: by counter, by all calls within the budget."""

    def __init__(self, message: str, spent: dict[str, int]) -> None:
        self.spent = spent
        super().__init__(message)


class InputError(EmuError):
    """What we were given is wrong. `place` is "file:line" or a file; `source` the line meant.

    column counts from 1; 0 where the line as a whole is meant. expected: what would be right.
    """

    def __init__(
        self, message: str, place: str = "", source: str = "", column: int = 0, expected: str = ""
    ) -> None:
        self.message, self.place, self.source = message, place, source
        self.column, self.expected = column, expected
        super().__init__(str(self))

    def __str__(self) -> str:
        message = _printable(self.message)
        lines = [f"{self.place}: {message}" if self.place else message]
        if self.source.strip():
            lines.append(f"    {_printable(self.source.rstrip())}")
            if self.column:
                lines.append("    " + " " * (self.column - 1) + "^")
        if self.expected:
            lines.append(f"expected: {self.expected}")
        return "\n".join(lines)


class ScenarioError(InputError):
    """A line of a scenario that says nothing we understand."""


class AllocatorError(InputError):
    """No such allocator, or a file that is none."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the program under test was when it died.

    running: the call, "os_malloc(24)". registers: at the instruction. code: its disassembly.
    symbol: "find_best+0x12". file, line and text: its source. instructions: how many the call ran.
    """

    running: str
    address: int
    symbol: str | None
    code: str
    place: str | None
    text: str | None
    registers: dict[str, int]
    instructions: int


class GuestDied(EmuError):
    """The program under test is dead. `scene` says where; str(error) is the whole report."""

    outcome = "died"
    rule = "death"
    """The Finding's rule."""

    def __init__(self, what: str, scene: Scene) -> None:
        self.what, self.scene = what, scene
        super().__init__(what)

    def __str__(self) -> str:
        scene = self.scene
        at = f"{scene.address:#x}" + (f" ({scene.symbol})" if scene.symbol else "")
        lines = [
            f"{self.what}",
            f"  in       {scene.running}, after {scene.instructions} instructions",
        ]
        lines.append(f"  at       {at}: {scene.code}")
        if scene.place:
            lines.append(f"  source   {scene.place}: {(scene.text or '').strip()}")
        return "\n".join([*lines, *_register_lines(scene.registers)])


class GuestFault(GuestDied):
    """A page fault, an illegal instruction, a division by zero...

    address and access are those of a page fault; None for the others.
    """

    outcome = "faulted"
    rule = "fault"

    def __init__(
        self, what: str, scene: Scene, address: int | None = None, access: str | None = None
    ) -> None:
        self.address, self.access = address, access
        super().__init__(what, scene)


class BudgetSpent(GuestDied):
    """The call did not return within its instructions."""

    outcome = "budget spent"
    rule = "budget"


class MemorySpent(GuestDied):
    """The program under test wrote to more memory than there is."""

    outcome = "memory spent"
    rule = "memory"


class OutputSpent(GuestDied):
    """The program under test wrote more to its files than it may."""

    outcome = "output spent"
    rule = "output"


class Deadlocked(GuestDied):
    """The program under test waits, and there is nobody who could end that."""

    outcome = "deadlocked"
    rule = "deadlock"


class GuestFailed(GuestDied):
    """The program under test says itself that it is not ready."""

    outcome = "not initialized"
    rule = "initialization"


class GuestExited(GuestDied):
    """The program under test ended the process by exit or exit_group."""

    outcome = "exited"
    rule = "exit"

    def __init__(self, what: str, scene: Scene, status: int) -> None:
        self.status = status
        super().__init__(what, scene)


def _printable(text: str) -> str:
    """Control characters as dots: a terminal would obey them."""
    return "".join(letter if letter.isprintable() else "\u00b7" for letter in text[:200])


def _register_lines(registers: dict[str, int]) -> list[str]:
    shown = [f"{name:<6} {value:#018x}" for name, value in registers.items()]
    rows = [shown[i : i + 4] for i in range(0, len(shown), 4)]
    return ["  " + ("registers" if i == 0 else "         ") + " " + "  ".join(row)
            for i, row in enumerate(rows)]  # fmt: skip
