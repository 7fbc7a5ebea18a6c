"""A run as one line of JSON."""

from __future__ import annotations

import json
from typing import Any

from emu.allocators import OSMEM
from emu.report import index
from emu.run import Run, Step
from emu.view.finding import Finding
from emu.view.places import NamedSyscall


def document(run: Run) -> str:
    """The whole run; addresses are places, NULL is null."""
    return json.dumps(as_dict(run), ensure_ascii=False)


def as_dict(run: Run) -> dict[str, Any]:
    """The same before it is text. "index" is there for allocators that have one."""
    indexed = {"index": index.as_dict(run.index, run.heap_start)} if run.index else {}
    return {
        "scenario": run.scenario.file,
        "allocator": run.allocator,
        "calls": [_call(step) for step in run.steps if step.call],
        "blocks": _blocks(run),
        **indexed,
        "findings": [_finding(finding) for finding in run.findings],
        "outcome": run.outcome,
    }


def _blocks(run: Run) -> list[dict[str, Any]]:
    """Of the heap; where nobody can walk it, those that callers hold, with the bytes asked for."""
    if run.contract != OSMEM:
        return [
            {"place": run.live_places[one.address], "size": one.size, "status": "alloc"}
            for one in run.live
        ]
    return [
        {"place": place, "size": block.size, "status": str(block.status)}
        for place, block in zip(run.block_places, run.blocks, strict=True)
    ]


def _call(step: Step) -> dict[str, Any]:
    assert step.call is not None
    return {
        "index": step.call.index,
        "line": step.statement.line,
        "name": step.call.name,
        "args": list(step.args),
        "result": step.result,
        "syscalls": [_syscall(syscall) for syscall in step.syscalls],
        "instructions": step.call.instructions,
    }


def _syscall(call: NamedSyscall) -> dict[str, Any]:
    return {
        "name": call.name,
        "args": list(call.args),
        "result": call.result,
        "errno": call.errno,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule, "call": finding.call, "message": finding.message}
