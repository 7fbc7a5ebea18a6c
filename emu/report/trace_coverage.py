"""The source with how often each line ran, and which way each conditional jump went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from rich.text import Text

from emu.report.palette import ERROR
from emu.report.trace_view import Document, Rows, Selection, Traced, View, fitted
from emu.trace.coverage import Branch, branches
from emu.trace.coverage import lines as line_runs
from emu.trace.trace import Span, Trace

_ROW = "{:>9}  {:<22} {:>5}  {}"


def rows(traced: Traced, selection: Selection) -> Rows:
    trace = traced.trace if selection.calls is None else of_calls(traced.trace, selection.calls)
    texts = {(one.file, one.line): one for one in reversed(trace.sources.lines)}
    jumps: dict[tuple[str, int], list[Branch]] = {}
    for branch in branches(trace):
        if branch.line:
            jumps.setdefault((branch.line.file, branch.line.line), []).append(branch)
    found = []
    for one in line_runs(trace):
        line = texts[one.file, one.line]
        function = trace.sources.function_at(line.address)
        if selection.function in (None, function):
            found.append(_document(one.file, one.line, one.runs, line.text, function, jumps))
    shown = found[: selection.limit]
    files = [document["file"] for document in shown]
    for index, document in enumerate(shown):
        document["first"] = index == 0 or files[index - 1] != files[index]
    return Rows(len(found), shown)


def of_calls(trace: Trace, calls: Sequence[Span]) -> Trace:
    """The instructions of some calls alone, one after the other."""
    kept = [np.arange(call.first_entry, call.last_entry) for call in calls]
    entries = np.concatenate(kept or [np.zeros(0, np.int64)])
    cuts = trace.cuts[np.isin(trace.cuts[:, 0], entries)]
    cuts[:, 0] = np.searchsorted(entries, cuts[:, 0])
    return replace(trace, entries=trace.entries[entries], cuts=cuts, accesses=None, events=())


def _document(
    file: str, line: int, runs: int, text: str, function: str,
    jumps: dict[tuple[str, int], list[Branch]],
) -> Document:  # fmt: skip
    return {
        "view": "coverage",
        "file": file,
        "line": line,
        "runs": runs,
        "function": function,
        "text": text,
        "branches": [
            {"address": one.address, "taken": one.taken, "not_taken": one.not_taken}
            for one in jumps.get((file, line), ())
        ],
    }


def heading(width: int) -> Iterator[Text]:
    return iter(())


def lines(document: Document, width: int) -> Iterator[Text]:
    if document["first"]:
        yield Text(document["file"], style="bold")
    runs = document["runs"]
    went = ", ".join(map(_went, document["branches"]))
    text = str(document["text"]).expandtabs().rstrip()
    row = _ROW.format(runs or "never", went, document["line"], text).rstrip()
    yield Text(fitted(row, width), style="" if runs else ERROR.colour)


def _went(branch: Document) -> str:
    taken, passed = branch["taken"], branch["not_taken"]
    if not taken and not passed:
        return ""
    if not passed:
        return f"taken {taken}, always"
    return f"taken {taken}, not {passed}" if taken else "never taken"


VIEW = View("coverage", rows, heading, lines, needs_accesses=False)
