"""Coverage by file, as genhtml and lcov read it: functions, conditional jumps and lines.

Files are named as the assembler was given them: genhtml finds them where that was a path from the
folder that it runs in. man geninfo, "FILES".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from emu.report.export.target import Target, write_lines
from emu.trace import coverage, profile
from emu.trace.coverage import Branch, LineRuns
from emu.trace.trace import Trace


def lcov(trace: Trace, target: Target) -> None:
    """Writes the coverage of all code that has lines."""
    write_lines(_text(trace), target)


def _text(trace: Trace) -> Iterator[str]:
    lines: dict[str, list[LineRuns]] = defaultdict(list)
    for line in coverage.lines(trace):
        lines[line.file].append(line)
    branches = _branches(trace)
    functions = _functions(trace)
    for file, runs in lines.items():
        yield "TN:"
        yield f"SF:{file}"
        yield from _function_records(functions[file])
        yield from _branch_records(branches[file])
        yield from (f"DA:{line.line},{line.runs}" for line in runs)
        yield from (f"LF:{len(runs)}", f"LH:{sum(line.runs > 0 for line in runs)}")
        yield "end_of_record"


def _functions(trace: Trace) -> dict[str, list[tuple[int, str, int]]]:
    """By file: (line, name, calls) of symbols that stand at a line."""
    called = {one.address: one.calls for one in profile.flat(trace)}
    found: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    lines = {line.address: line for line in coverage.code_lines(trace)}
    for symbol in trace.sources.symbols:
        if line := lines.get(symbol.address):
            found[line.file].append((line.line, symbol.name, called.get(symbol.address, 0)))
    return found


def _branches(trace: Trace) -> dict[str, list[tuple[int, Branch]]]:
    """By file: (line, branch), in order of line."""
    found: dict[str, list[tuple[int, Branch]]] = defaultdict(list)
    for branch in coverage.branches(trace):
        if branch.line:
            found[branch.line.file].append((branch.line.line, branch))
    return found


def _function_records(functions: list[tuple[int, str, int]]) -> Iterator[str]:
    yield from (f"FN:{line},{name}" for line, name, _ in functions)
    yield from (f"FNDA:{calls},{name}" for _, name, calls in functions)
    yield from (f"FNF:{len(functions)}", f"FNH:{sum(calls > 0 for _, _, calls in functions)}")


def _branch_records(branches: list[tuple[int, Branch]]) -> Iterator[str]:
    """Two a jump, taken and not; "-" where it never ran."""
    hit = 0
    for number, (line, branch) in enumerate(sorted(branches, key=lambda one: one[0])):
        outcomes = branch.taken, branch.not_taken
        for which, count in enumerate(outcomes):
            yield f"BRDA:{line},{number},{which},{count if any(outcomes) else '-'}"
            hit += count > 0
    yield from (f"BRF:{2 * len(branches)}", f"BRH:{hit}")
