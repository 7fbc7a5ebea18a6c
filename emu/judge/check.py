"""check(subject, plan) -> Verdict: the tasks of a plan, performed anywhere, and what they found."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import islice
from time import monotonic

from emu.allocators import Choice
from emu.judge.batch import Batch
from emu.judge.evidence import TOUCHES_LIVE, Examination, Examined, examine
from emu.judge.failure import Cause, Failure
from emu.judge.gathering import Seen, add
from emu.judge.plan import Plan
from emu.judge.subject import pristine
from emu.judge.task import Case, Task, TaskResult, perform
from emu.judge.topics import HIGH, MISUSE, SAFETY, tasks_of
from emu.judge.verdict import Defect, TopicResult, Verdict

Progress = Callable[[int, int], None]
_AT_A_TIME = 4
"""Allocators whose tasks an executor has at the same time."""
_FOR_TASKS = 0.75
"""Of the seconds of a budget: the rest is for making small what failed."""
_MOST_EXAMINED = 40
"""Failures that are made small: whoever has more causes than that need not know all at once."""


def tasks(subject: Choice, plan: Plan) -> tuple[Task, ...]:
    """What there is to do, whoever does it. InputError, AssemblyError for what is no allocator."""
    case = case_of(subject, plan)
    return tuple(tasks_of(case, plan))


def case_of(subject: Choice, plan: Plan) -> Case:
    """What is judged, and by which contract, if the plan leaves that open."""
    contract = plan.contract or pristine(subject).contract
    return Case(subject, contract, plan.alignment, plan.seed)


def examinations(case: Case, results: Iterable[TaskResult]) -> tuple[Examination, ...]:
    """Failures to look at closer: the shortest of each cause.

    Of what follows on something else, the shortest of each rule.
    """
    causes = _causes(results)
    own = {cause.rule for cause in causes if not cause.follows}
    shortest = [one for cause, seen in causes.items() if not cause.follows for one in seen.shortest]
    following: dict[str, Failure] = {}
    for cause, seen in causes.items():
        if cause.follows and cause.rule not in own:
            first = following.setdefault(cause.rule, seen.shortest[0])
            following[cause.rule] = min(first, seen.shortest[0], key=lambda one: one.size)
    shortest += following.values()
    shortest.sort(key=lambda failure: failure.size)
    return tuple(
        Examination(_case_of(case, failure), failure) for failure in shortest[:_MOST_EXAMINED]
    )


def _case_of(case: Case, failure: Failure) -> Case:
    """On which it was seen."""
    subject = replace(case.subject, heap_start=failure.heap_start)
    return replace(case, subject=subject, sanitize=failure.topic == SAFETY)


def conclude(
    subject: Choice,
    plan: Plan,
    results: Sequence[TaskResult],
    examined: Sequence[Examined] | None = None,
    *,
    complete: bool = True,
) -> Verdict:
    """The verdict. examined: what came of the examinations; without it, they are done here."""
    case = case_of(subject, plan)
    if examined is None:
        examined = [examine(one) for one in examinations(case, results)]
    calls = sum(result.calls for result in results)
    topics = _topics(case, plan, results)
    defects = _defects(_causes(results), examined)
    complete = complete and not any(result.cut for result in results)
    return Verdict(subject.name, case.contract, calls, topics, defects, complete, plan.seed)


def _causes(results: Iterable[TaskResult]) -> dict[Cause, Seen]:
    causes: dict[Cause, Seen] = {}
    for result in results:
        for cause, seen in result.causes.items():
            causes[cause] = add(causes.get(cause), seen)
    return causes


def _topics(case: Case, plan: Plan, results: Sequence[TaskResult]) -> tuple[TopicResult, ...]:
    """All that were planned, also those that the budget left no time for."""
    names = dict.fromkeys(task.topic for task in tasks_of(case, plan))
    topics = []
    for name in names:
        own = [result for result in results if result.topic == name]
        scenarios, calls, failures = (
            sum(getattr(result, part) for result in own)
            for part in ("scenarios", "calls", "failures")
        )
        skipped = "" if own else "the budget was spent"
        topics.append(TopicResult(name, scenarios, calls, failures, skipped))
    if MISUSE not in names:
        topics.append(TopicResult(MISUSE, 0, 0, 0, "the contract says nothing of it"))
    if HIGH not in names:
        topics.append(TopicResult(HIGH, 0, 0, 0, "only assembly can be laid elsewhere"))
    return tuple(topics)


def _defects(causes: dict[Cause, Seen], examined: Sequence[Examined]) -> tuple[Defect, ...]:
    """Failures of one cause are one defect, told by the shortest; the shortest defect first."""
    defects: dict[tuple[str, str], Defect] = {}
    counted: set[Cause] = set()
    for one in sorted(examined, key=lambda one: _length(one.defect)):
        met = {cause for cause in causes if _is_of(cause, one.failure.cause)} - counted
        counted |= met
        failures = sum(causes[cause].count for cause in met)
        known = defects.get(one.key)
        if known is None:
            defects[one.key] = replace(one.defect, failures=max(1, failures))
        else:
            defects[one.key] = replace(known, failures=known.failures + failures)
    return tuple(_told_once(list(defects.values())))


def _told_once(defects: Sequence[Defect]) -> Iterator[Defect]:
    """A block in use that was touched, and what came of it, are one defect: the latter."""
    touched = {_place(one): one for one in defects if one.rule == TOUCHES_LIVE}
    others = {_place(one) for one in defects if one.rule != TOUCHES_LIVE}
    for one in defects:
        if one.rule != TOUCHES_LIVE:
            same = touched.get(_place(one), one)
            yield replace(one, failures=max(one.failures, same.failures))
        elif _place(one) not in others:
            yield one


def _place(defect: Defect) -> tuple[str, ...]:
    """The line that did it, and the calls that show it."""
    lines = defect.scenario.splitlines()
    calls = (line for line in lines if line and not line.startswith("#"))
    return defect.source or defect.evidence.instruction, *calls


def _is_of(cause: Cause, examined: Cause) -> bool:
    if cause.follows:
        return cause.rule == examined.rule
    return cause == examined


def _length(defect: Defect) -> tuple[bool, int, str]:
    """By which the shortest is found; those on heaps in unusual places come last."""
    return defect.heap_start is not None, defect.scenario.count("\n"), defect.scenario


class _Checking:
    """One allocator on its way: its tasks, then its examinations, then its verdict."""

    def __init__(
        self, subject: Choice, plan: Plan, executor: Executor | None, progress: _Progress
    ) -> None:
        self.subject, self.plan = subject, plan
        self._executor, self._progress = executor, progress
        self._case = case_of(subject, plan)
        planned = tuple(tasks_of(self._case, plan))
        progress.planned(len(planned))
        self._planned = len(planned)
        self._tasks = Batch(executor, perform, planned, progress.step)
        self._results: list[TaskResult] | None = None
        self._examinations: Batch[Examination, Examined] | None = None

    def advance(self) -> None:
        """Goes on where it can without waiting."""
        if self._examinations is None and self._tasks.finished:
            self._look_closer(None)

    def verdict(self) -> Verdict:
        """Waits for it."""
        seconds = self.plan.budget.seconds
        if self._examinations is None:
            self._look_closer(None if seconds is None else monotonic() + seconds * _FOR_TASKS)
        assert self._examinations is not None
        assert self._results is not None
        examined = self._examinations.results()
        complete = len(self._results) == self._planned
        return conclude(self.subject, self.plan, self._results, examined, complete=complete)

    def _look_closer(self, deadline: float | None) -> None:
        self._results = self._tasks.results(deadline)
        looked_at = examinations(self._case, self._results)
        self._progress.planned(len(looked_at))
        self._examinations = Batch(self._executor, examine, looked_at, self._progress.step)


class _Progress:
    """Counts what is done of what is planned, for whoever wants to know."""

    def __init__(self, tell: Progress | None) -> None:
        self._tell, self._done, self._all = tell, 0, 0

    def planned(self, more: int) -> None:
        self._all += more

    def step(self) -> None:
        self._done += 1
        if self._tell:
            self._tell(self._done, self._all)


def check_all(
    subjects: Iterable[Choice],
    plan: Plan,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[Verdict]:
    """Many allocators; verdicts in the same order.

    An executor has the tasks of several at a time, so that nobody waits for the last one. It need
    have no more than `submit`; `progress` may be called by threads of its own.
    """
    counted, coming = _Progress(progress), iter(subjects)
    under_way: deque[_Checking] = deque()
    while True:
        for subject in islice(coming, (_AT_A_TIME if executor else 1) - len(under_way)):
            under_way.append(_Checking(subject, plan, executor, counted))
        if not under_way:
            return
        yield under_way[0].verdict()
        under_way.popleft()
        for checking in under_way:
            checking.advance()


def check(
    subject: Choice,
    plan: Plan,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """One allocator. Without an executor, all is done here. progress(done, all), now and then."""
    return next(check_all((subject,), plan, executor, progress))
