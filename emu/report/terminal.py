"""A run for the terminal: calls, what each asked of the kernel and changed, and the heap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.text import Text

from asm import layout
from emu.allocators import OSMEM
from emu.report import index
from emu.report.live import live_lines
from emu.report.palette import ERROR, FREE, HEADER, SLACK, USED, Role, painted
from emu.report.strip import cells
from emu.run import Run, Step
from emu.scenario import operations as op
from emu.view.blocks import Block, Status

WIDTH = 110
"""Columns where the output is no terminal."""

_MOST_BLOCKS = 60
_MOST_OUTPUT = 1000
_DIM = "dim"


class _Console(Console):
    """A console that leaves it to the command what a reader's leaving means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """The terminal, in colour; plain text of a fixed width where the output is none."""
    made = _Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not made.is_terminal:
        return _Console(stderr=stderr, highlight=False, width=WIDTH, color_system=None)
    return made


def show(run: Run, to: Console, *, blocks: bool = True) -> None:
    """Prints the whole run; without `blocks`, not the table of blocks at the end."""
    to.print(Text(run.scenario.file, style="bold") + Text(f" on {run.allocator}", style=_DIM))
    if run.scenario.about:
        to.print(Text(run.scenario.about, style="italic"), soft_wrap=True)
    for line in calls(run, to.width):
        to.print(line, soft_wrap=True)
    if run.contract != OSMEM:
        for line in live_lines(run.live, run.live_places.__getitem__, min(to.width, WIDTH)):
            to.print(line, soft_wrap=True)
    else:
        to.print(heap(run.blocks, run.requested, to.width))
    if blocks and run.blocks:
        for line in block_lines(run.blocks, run.block_places, run.heap_start, run.history.since):
            to.print(line, soft_wrap=True)
    if run.index and run.blocks:
        for line in index.lines(run.index, run.heap_start):
            to.print(line, soft_wrap=True)
    for line in summary(run):
        to.print(line, soft_wrap=True)


def show_quietly(run: Run, to: Console) -> None:
    """Prints only what is not as it should be, and the outcome."""
    for line in summary(run):
        to.print(line, soft_wrap=True)


# Calls


def calls(run: Run, width: int) -> Iterator[Text]:
    """A line a call; under it what the kernel was asked, what changed, and what is wrong."""
    columns = _Columns.fitting(run.steps)
    yield columns.line("#", "call", "result", "instructions", style=_DIM)
    for step in run.steps:
        yield from _step_lines(step, columns, width)
    if run.died and run.running:
        text = run.running.statement.text
        yield Text.assemble(_mark(ERROR), f"  {text}  ", (run.died.outcome, ERROR.colour))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of the columns of calls."""

    number: int
    call: int
    result: int

    @classmethod
    def fitting(cls, steps: Sequence[Step]) -> _Columns:
        made = [step for step in steps if step.call]
        number = max(2, len(str(len(made))))
        call = max((len(spelled(step)) for step in made), default=0)
        result = max((len(str(step.result)) for step in made), default=0)
        return cls(number, max(20, min(call, 40)), max(10, result))

    @property
    def indent(self) -> str:
        return " " * (self.number + 5)

    def line(self, number: str, call: str, result: str, instructions: str, style: str = "") -> Text:
        """One row, without what changed."""
        row = f"{call:<{self.call}}  {result:<{self.result}} {instructions:>12}"
        return Text.assemble((f"{number:>{self.number}}", _DIM), (f"  {row}", style))


def _step_lines(step: Step, columns: _Columns, width: int) -> Iterator[Text]:
    if step.call:
        yield from _call_lines(step, columns, width)
    elif step.failure:
        text = f"{step.statement.text}: {step.failure}"
        yield Text.assemble(_mark(ERROR, columns.number), (f"  {text}", ERROR.colour))
    elif not isinstance(step.statement.operation, op.Expectation):
        yield Text(f"{'':{columns.number}}  {step.statement.text}", style=_DIM)
    for finding in step.findings:
        text = f"  {finding.rule}: {finding.message}"
        yield Text.assemble(_mark(ERROR, columns.number), (text, ERROR.colour))


def _call_lines(step: Step, columns: _Columns, width: int) -> Iterator[Text]:
    assert step.call is not None
    result = "" if step.call.result is None else str(step.result or "null")
    number, cost = str(step.call.index), str(step.call.instructions)
    line = columns.line(number, spelled(step), result, cost)
    changes = ", ".join(step.changes)
    beside = not step.syscalls and line.cell_len + 3 + len(changes) <= width
    yield line.append(f"   {changes}" if changes and beside else "")
    for syscall in step.syscalls:
        style = ERROR.colour if syscall.errno else _DIM
        yield Text(f"{columns.indent}{syscall}", style=style)
    if changes and not beside:
        yield Text(f"{columns.indent}{changes}")


def spelled(step: Step) -> str:
    """A call as C would write it, with the scenario's names."""
    match step.statement.operation:
        case op.Malloc(name, size):
            return f"{name} = {step.function}({size})"
        case op.Calloc(name, count, size):
            return f"{name} = {step.function}({count}, {size})"
        case op.Realloc(name, source, size):
            return f"{name} = {step.function}({source or 'NULL'}, {size})"
        case op.Free(source):
            return f"{step.function}({source or 'NULL'})"
    return step.statement.text


# The heap


def heap(blocks: Sequence[Block], requested: Mapping[int, int], width: int) -> Group:
    """One line of numbers, the strip, and its legend."""
    if not blocks:
        return Group(Text("heap  not used yet"))
    free = [block.size for block in blocks if block.status is Status.FREE]
    used = sum(block.size for block in blocks) - sum(free)
    headers = len(blocks) * layout.META
    numbers = Text.assemble(
        ("heap", "bold"), f"  {readable(used + sum(free) + headers)}   in use {used}   ",
        f"headers {headers}   free {sum(free)} in {len(free)}",
        f", largest {max(free)}" if free else "",
    )  # fmt: skip
    strip = Text("|")
    for role, length in cells(blocks, requested, min(width, WIDTH) - 2):
        strip.append(role.letter * length, style=painted(role))
    return Group(numbers, strip + Text("|"), legend())


def legend() -> Text:
    text = Text()
    for role in (HEADER, USED, SLACK, FREE):
        text.append(f" {role.letter} ", style=painted(role))
        text.append(f" {role.name}   ", style=_DIM)
    return text


def block_lines(
    blocks: Sequence[Block],
    places: Sequence[int | str],
    heap_start: int,
    made_by: Callable[[Block], int | None],
) -> Iterator[Text]:
    """A line a block, as its header has it, and the call that made it so."""
    yield Text(_BLOCK_ROW.format("address", "size", "  status", "prev", "next", "made by"), _DIM)
    left_out = len(blocks) - _MOST_BLOCKS
    for number, (block, place) in enumerate(zip(blocks, places, strict=True)):
        if left_out > 0 and _MOST_BLOCKS // 2 <= number < _MOST_BLOCKS // 2 + left_out:
            if number == _MOST_BLOCKS // 2:
                yield Text(f"... {left_out} more; --json has them all", style=_DIM)
            continue
        role = FREE if block.status is Status.FREE else USED
        call = made_by(block)
        row = _BLOCK_ROW.format(
            str(place), block.size, f"{role.letter} {block.status}",
            _header(block.prev, heap_start), _header(block.next, heap_start),
            f"#{call}" if call else "",
        )  # fmt: skip
        line = Text(row.rstrip())
        at = row.index(f"{role.letter} ")
        line.stylize(painted(role), at, at + 1)
        yield line


_BLOCK_ROW = "{:<14} {:>10}   {:<8}  {:<12} {:<12} {}"


# The end


def summary(run: Run) -> list[Text]:
    """What went wrong, each in a line, and the outcome."""
    lines: list[Text] = []
    for step in run.failures:
        place = f"{run.scenario.file}:{step.statement.line}"
        lines.append(_wrong(f"{place}: `{step.statement.text}` failed: {step.failure}"))
    lines += [_wrong(str(finding)) for finding in run.findings]
    if run.died and run.running:
        place = f"{run.scenario.file}:{run.running.statement.line}"
        lines.append(_wrong(f"{place}: `{run.running.statement.text}` ended the process"))
        lines.append(Text(str(run.died)))
    if run.output:
        more = f" and {len(run.output) - _MOST_OUTPUT} bytes more"
        shown = f"written: {run.output[:_MOST_OUTPUT]!r}"
        lines.append(Text(shown + (more if len(run.output) > _MOST_OUTPUT else "")))
    return [*lines, _outcome(run)]


def _outcome(run: Run) -> Text:
    made = sum(1 for step in run.steps if step.call)
    found = len(run.findings)
    findings = counted(found, "finding") if found else "no finding"
    style = "bold" if run.status == 0 else f"bold {ERROR.colour}"
    text = f"{run.outcome}: {counted(made, 'call')}, {run.instructions} instructions, {findings}"
    return Text(text, style=style)


def counted(number: int, what: str) -> str:
    """1 call, 2 calls."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def readable(size: int) -> str:
    """131072 as 128 KiB; one decimal where it is not round."""
    if size < 1 << 10:
        return f"{size} bytes"
    unit, name = next((u, n) for u, n in _UNITS if size >= u)
    return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"


_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def _header(address: int, heap_start: int) -> str:
    """A header's address; 0 is the end of the list."""
    return f"heap+{address - heap_start:#x}" if address >= heap_start else str(address or "-")


def _mark(role: Role, width: int = 2) -> tuple[str, str]:
    return f"{role.letter:>{width}}", f"bold {role.colour}"


def _wrong(text: str) -> Text:
    return Text(f"{ERROR.letter} {text}", style=ERROR.colour)
