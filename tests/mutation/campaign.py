"""Mutants drawn, assembled and judged, on as many processes as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

from asm import AssemblyError, assemble
from asm.image import Segment
from tests.mutation.explanations import EQUIVALENT, Explanation
from tests.mutation.mutants import KINDS, Mutant, mutants

Catch = Callable[[Path], str | None]
"""What finds a mutant out: what was found, or None."""
Code = tuple[Segment, ...]


@dataclass(frozen=True)
class Outcome:
    """caught: by what; None for a survivor."""

    mutant: Mutant
    caught: str | None
    seconds: float


@dataclass(frozen=True)
class Result:
    """What came of a run. dead: mutants that did not assemble; same: those of the same code."""

    outcomes: tuple[Outcome, ...]
    dead: int
    same: int
    explanations: dict[str, Explanation]

    @property
    def caught(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.caught]

    @property
    def survivors(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if not outcome.caught]

    @property
    def equivalent(self) -> list[Outcome]:
        """Those that no program could tell from the original: no live mutants."""
        return [one for one in self.survivors if self._verdict(one) == EQUIVALENT]

    @property
    def missed(self) -> list[Outcome]:
        return [one for one in self.survivors if self._verdict(one) != EQUIVALENT]

    @property
    def unexplained(self) -> list[Outcome]:
        return [one for one in self.survivors if one.mutant.name not in self.explanations]

    @property
    def wrongly_explained(self) -> list[Outcome]:
        """Said to be equivalent, and yet it was caught."""
        return [one for one in self.caught if self._verdict(one) == EQUIVALENT]

    @property
    def score(self) -> float:
        """Of 100 live mutants, how many are caught."""
        live = len(self.caught) + len(self.missed)
        return 100 * len(self.caught) / live if live else 100.0

    def _verdict(self, outcome: Outcome) -> str | None:
        found = self.explanations.get(outcome.mutant.name)
        return found.verdict if found else None


def drawn(folder: Path, seed: int) -> Iterator[Mutant]:
    """All mutants in a random order, each kind in its turn."""
    random, by_kind = Random(seed), {kind: list[Mutant]() for kind in KINDS}
    for mutant in mutants(folder):
        by_kind[mutant.kind].append(mutant)
    for own in by_kind.values():
        random.shuffle(own)
    while any(by_kind.values()):
        yield from (own.pop() for own in by_kind.values() if own)


def code_of(mutant: Mutant, folder: Path) -> Code | None:
    """What it assembles to; None where it does not."""
    with TemporaryDirectory() as place:
        try:
            return assemble(mutant.write(folder, Path(place) / folder.name)).segments
        except AssemblyError:
            return None


def judged(mutant: Mutant, folder: Path, catch: Catch) -> Outcome:
    """One mutant, in any process."""
    begun = monotonic()
    with TemporaryDirectory() as place:
        found = catch(mutant.write(folder, Path(place) / folder.name))
    return Outcome(mutant, found, monotonic() - begun)


def run(
    folder: Path,
    explanations: dict[str, Explanation],
    catch: Catch,
    *,
    seed: int,
    count: int,
    executor: Executor | None = None,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Result:
    """Judges `count` mutants whose code is new: neither the original's nor another's."""
    dead = same = 0
    seen = {assemble(folder / f"{folder.name}.s").segments}
    waiting: list[Future[Outcome]] = []
    for mutant in drawn(folder, seed):
        if len(waiting) == count:
            break
        code = code_of(mutant, folder)
        dead += code is None
        same += code in seen
        if code is not None and code not in seen:
            seen.add(code)
            waiting.append(_given(executor, partial(judged, mutant, folder, catch), tell))
    outcomes = tuple(future.result() for future in waiting)
    return Result(outcomes, dead, same, explanations)


def _given(
    executor: Executor | None, work: Callable[[], Outcome], tell: Callable[[Outcome], None]
) -> Future[Outcome]:
    if executor is not None:
        future = executor.submit(work)
    else:
        future = Future()
        future.set_result(work())
    future.add_done_callback(lambda done: tell(done.result()))
    return future
