"""planted.c and special.c as programs, and what the sanitizer, and valgrind, say of them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from asm import source
from asm.source import PACKAGE
from emu.launch import ENVIRONMENT, launch
from emu.process.program import Ended
from emu.sanitizer.errors import HeapError
from emu.sanitizer.leaks import Leak, Loss
from emu.sanitizer.objects import Objects, Stack
from emu.sanitizer.program import ProgramSanitizer
from syscalls.world import Capture, World

_HERE = Path(__file__).parent
_MARK = re.compile(r"/\* (\w+) \*/")


def lines(name: str) -> dict[str, int]:
    """Where the errors of a source are, by their names."""
    source = (_HERE / name).read_text().splitlines()
    return {mark: number for number, line in enumerate(source, 1) for mark in _MARK.findall(line)}


LINES = lines("planted.c")


def compiled(
    folder: Path,
    *options: str,
    osmem: bool = False,
    name: str = "planted.c",
    by: str = "gcc",
    bug: tuple[str, str] = ("", ""),
) -> Path:
    """A source as a program; with osmem, assembled by GNU as. bug: what is another text there."""
    made = folder / "-".join([by, name, *options, "osmem" if osmem else "libc"])
    parts: list[object] = [_HERE / name]
    if osmem:
        statements = source.read(PACKAGE / "osmem" / "osmem.s")
        text = "".join(f"{s.source}\n" for s in statements)
        (folder / "osmem.s").write_text(text.replace(*bug) if bug[0] else text)
        parts += ["-DOSMEM", "-z", "noexecstack", folder / "osmem.s"]
    how = [by, "-g", "-w", "-fno-builtin", "-fno-optimize-sibling-calls", *options]
    command = [*how, "-o", made, *parts]
    subprocess.run(list(map(str, command)), check=True)
    return made


@dataclass
class Checked:
    """A program that was run under the sanitizer."""

    ended: Ended
    errors: list[HeapError]
    leaks: list[Leak]
    objects: Objects
    stderr: bytes

    @property
    def found(self) -> set[tuple[str, int]]:
        """(rule, line): of the first of our own lines in each stack."""
        return {(rule, lines[0] if lines else 0) for rule, lines in self.stacks}

    @property
    def stacks(self) -> set[tuple[str, tuple[int, ...]]]:
        """(rule, lines): of all our own lines in each stack."""
        errors = {(error.rule, self.lines(error.stack)) for error in self.errors}
        lost = [leak for leak in self.leaks if leak.loss is Loss.DEFINITELY]
        return errors | {("leak", self.lines(leak.stack)) for leak in lost}

    def lines(self, stack: Stack) -> tuple[int, ...]:
        found = [self.objects.sources_at(place).line_at(place) for place in stack]
        return tuple(line.line for line in found if line and Path(line.file).parent == _HERE)


def checked(program: Path, *arguments: str, prefix: str = "malloc", preload: str = "") -> Checked:
    """A program run from its start to its end."""
    world = World(root=Path("/"), stdout=Capture(), stderr=Capture())
    environment = {**ENVIRONMENT, "LD_PRELOAD": preload} if preload else ENVIRONMENT
    errors: list[HeapError] = []
    with launch(str(program), arguments, world=world, environment=environment) as process:
        sanitizer = ProgramSanitizer(process, prefix, errors.append)
        ended = process.play()
        done = Checked(
            ended, errors, sanitizer.leaks(), sanitizer.objects, process.kernel.output(2)
        )
        sanitizer.close()
    return done


def by_valgrind(
    program: Path, *modes: str, name: str = "planted.c"
) -> set[tuple[str, tuple[int, ...]]]:
    """The same as `stacks`, from memcheck."""
    command = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite", program, *modes]
    of_ours = re.compile(rf"\({re.escape(name)}:(\d+)\)")
    told = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    text = re.sub(r"^==\d+== ?", "", told.stderr, flags=re.MULTILINE)
    found = set()
    for part in text.split("\n\n"):
        rule, stack = _rule(part), part.partition(" Address ")[0]
        if rule:
            found.add((rule, tuple(map(int, of_ours.findall(stack)))))
    return found


def _rule(part: str) -> str:
    if "Invalid free" in part:
        return "double-free" if "free'd" in part else "invalid-free"
    if "Invalid" in part:
        return "use-after-free" if "free'd" in part else "heap-overflow"
    if "uninitialised" in part:
        return "read-unwritten"
    return "leak" if "definitely lost" in part else ""
