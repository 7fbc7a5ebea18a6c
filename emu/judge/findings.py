"""What others found, as a player tells it."""

from __future__ import annotations

from emu.errors import BudgetSpent, GuestDied
from emu.judge.failure import Found
from emu.process.event import Call
from emu.view.finding import Finding
from syscalls import SystemCall


def of_death(died: GuestDied, after: str) -> Found:
    """Told apart by where it died; after: what had been wrong before, if anything was."""
    scene = died.scene
    function = (scene.symbol or "").split("+")[0]
    where = function if isinstance(died, BudgetSpent) else scene.place or scene.symbol or scene.code
    return Found(died.rule, died.what, after or where, scene.address)


def of_ledger(finding: Finding, call: Call, after: str) -> Found:
    """A finding of the ledger; of the calling convention, by register."""
    detail = call.violations[0].what if finding.rule == "convention" else after
    return Found(finding.rule, finding.message, detail, finding.address)


def of_blocks(broken: list[Finding]) -> Found:
    """What is wrong with the blocks after one call has one cause: the first is its name."""
    first, *others = broken
    also = "".join(f"; {one.rule}: {one.message}" for one in others)
    return Found(first.rule, first.message + also)


def said_no(call: SystemCall) -> bool:
    """Whether the kernel refused; brk does so by answering with the old break."""
    return call.errno is not None or (
        call.name == "brk" and bool(call.args[0]) and call.args[0] != call.result
    )
