"""Every planted bug, once: one patch may be caught by several rules."""

from __future__ import annotations

from asm_bugs import ASM_BUGS
from bugs import BUGS
from c_bugs import C_BUGS
from planting import Bug


def _once(bugs: list[Bug]) -> list[Bug]:
    """Of those with the same patch the first, caught by any of their rules."""
    patches: dict[tuple[str, str, str], list[Bug]] = {}
    for bug in bugs:
        patches.setdefault((bug.file, bug.was, bug.is_), []).append(bug)
    return [_together(same) for same in patches.values()]


def _together(same: list[Bug]) -> Bug:
    first = same[0]
    rules = " ".join(bug.caught_by for bug in same)
    return Bug(first.name, first.file, first.was, first.is_, rules, "", first.base, first.alignment)


EVERY_BUG = _once([*BUGS, *ASM_BUGS, *C_BUGS])
