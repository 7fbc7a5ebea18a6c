"""Every planted bug, once: one patch may be caught by several rules."""

from __future__ import annotations

from dataclasses import replace

from asm_bugs import ASM_BUGS
from bugs import BUGS
from c_bugs import C_BUGS
from index_bugs import INDEX_BUGS
from planting import Bug
from pointer_bugs import POINTER_BUGS

ALSO = {"tail": "tiling", "alignment": "size"}
"""What a check may say instead: of what is wrong after one call, it tells by one name."""


def _once(bugs: list[Bug]) -> list[Bug]:
    """Of those with the same patch the first, caught by any of their rules."""
    patches: dict[tuple[str, str, str], list[Bug]] = {}
    for bug in bugs:
        patches.setdefault((bug.file, bug.was, bug.is_), []).append(bug)
    return [_together(same) for same in patches.values()]


def _together(same: list[Bug]) -> Bug:
    first = same[0]
    rules = {rule for bug in same for rule in bug.rules}
    rules |= {ALSO[rule] for rule in rules & ALSO.keys()}
    return replace(first, caught_by=" ".join(sorted(rules)))


EVERY_BUG = _once([*BUGS, *ASM_BUGS, *C_BUGS, *INDEX_BUGS, *POINTER_BUGS])
