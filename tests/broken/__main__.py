"""Every planted bug and what a check says of it, as a table for people.

    python tests/broken                    each is hunted for until it is met
    python tests/broken --whole            each gets a whole check
    python tests/broken --sound            the sound ones get a whole check
    python tests/broken NAME...            only those with one of these in their names

Exit status 1 where a bug is not found, or a sound allocator raises an alarm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from every_bug import EVERY_BUG
from hunt import Caught, hunt
from planting import Bug, build
from sound import SOUND

from emu.allocators import Choice
from emu.judge.check import check
from emu.judge.plan import Plan

_ROW = "{:<62} {:<18} {:>7} {:>6} {:>7}  {}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/broken", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--whole", action="store_true", help="a whole check for each")
    parser.add_argument("--sound", action="store_true", help="the sound allocators")
    chosen = parser.parse_args()
    rows = _sound(chosen.names) if chosen.sound else _broken(chosen.names, whole=chosen.whole)
    failed = 0
    for row, well in rows:
        print(_ROW.format(*row), flush=True)
        failed += not well
    return 1 if failed else 0


def _broken(names: list[str], *, whole: bool) -> Iterator[tuple[tuple[object, ...], bool]]:
    yield ("bug", "found as", "calls", "needs", "seconds", "where"), True
    for bug in EVERY_BUG:
        if not names or any(name in bug.name for name in names):
            with TemporaryDirectory() as folder:
                caught = (_checked if whole else hunt)(bug, build(bug, Path(folder)))
            yield _row(bug, caught), caught is not None


def _row(bug: Bug, caught: Caught | None) -> tuple[object, ...]:
    if caught is None:
        return bug.name, "NOT FOUND", "", "", "", f"expected: {bug.caught_by}"
    defect = caught.defect
    where = f"{Path(defect.source or '').name}  {defect.evidence.instruction}"
    seconds = f"{caught.seconds:.1f}"
    return bug.name, defect.rule, caught.calls, caught.needs, seconds, where


def _checked(bug: Bug, allocator: Path) -> Caught | None:
    begun = perf_counter()
    verdict = check(Choice(str(allocator)), Plan(alignment=bug.alignment))
    seconds = perf_counter() - begun
    found = (one for one in verdict.defects if one.rule in bug.rules)
    return next((Caught(one, verdict.calls, seconds) for one in found), None)


def _sound(names: list[str]) -> Iterator[tuple[tuple[object, ...], bool]]:
    yield ("allocator", "found", "calls", "", "seconds", "first defect"), True
    for name, one in SOUND.items():
        if not one.exists or (names and name not in names):
            continue
        begun = perf_counter()
        verdict = check(Choice(one.allocator), one.plan)
        seconds = f"{perf_counter() - begun:.1f}"
        first = "; ".join(f"{one.rule}: {one.message}" for one in verdict.defects[:1])
        yield (name, len(verdict.defects), verdict.calls, "", seconds, first), not verdict.defects


if __name__ == "__main__":
    sys.exit(main())
