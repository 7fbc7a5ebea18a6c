"""What sentences about a call are made of: which block it took, of which, and words for them."""

from __future__ import annotations

from dataclasses import dataclass

from emu.explain.call import pointers, result_of
from emu.explain.course import Change, Course, status_of
from emu.explain.names import Names
from emu.process.event import SystemCalled
from emu.trace.trace import Span, Trace
from emu.view.blocks import Block, Status
from syscalls import SystemCall


@dataclass(frozen=True, slots=True)
class Choice:
    """Which block a call took, and from what.

    asked: bytes of payload that it needs. free: the free blocks when it took one; fits: those of
    them that are large enough. chosen: the block as it was then; None where there was none.
    """

    asked: int
    free: tuple[Block, ...]
    fits: tuple[Block, ...]
    chosen: Block | None
    access: int


@dataclass(frozen=True)
class Facts:
    """What sentences are made of."""

    trace: Trace
    span: Span
    names: Names
    course: Course

    @property
    def result(self) -> int:
        """The payload that it gave; 0 for none."""
        return result_of(self.span)

    @property
    def given(self) -> int:
        """The payload that it was given; 0 for none."""
        return next(iter(pointers(self.span)), 0)

    @property
    def asked(self) -> int:
        """Bytes that the caller wants."""
        kind, args = self.span.called.kind, self.span.called.args
        if kind == "free":
            return 0
        return args[0] * args[1] if kind == "calloc" else args[-1]

    @property
    def syscalls(self) -> tuple[SystemCall, ...]:
        """What it asked of the kernel."""
        events = self.trace.events
        first = events.index(self.span.called)
        last = events.index(self.span.returned) if self.span.returned else len(events)
        return tuple(one.call for one in events[first:last] if isinstance(one, SystemCalled))

    def place(self, address: int) -> str:
        return self.names.spelled(address, self.span.last)

    def had(self, address: int) -> Block | None:
        """The heap's block at a payload, before the call."""
        return self.course.before.find(address)

    def has(self, address: int) -> Block | None:
        """The same after it."""
        return self.course.after.find(address)


def choice_of(facts: Facts) -> Choice | None:
    """The block of the heap that an allocation took; None where it took none of it."""
    asked, result = facts.asked, facts.result
    if not result or result == facts.given or facts.has(result) is None:
        return None
    access = _taken_at(facts, result)
    walk = facts.course.walk_before(access)
    fits = tuple(block for block in walk.free if block.size >= asked)
    return Choice(asked, walk.free, fits, walk.find(result), access)


def _taken_at(facts: Facts, payload: int) -> int:
    """The write by which a block was taken, or first made longer: no neighbour's absorption.

    A block that was made for this call is taken when its header is first written.
    """
    merged = {merge.access - 1 for merge in facts.course.merges if merge.into.address == payload}
    mine = [
        change
        for change in facts.course.changes
        if change.address == payload and change.what in ("size", "status")
        if change.old != change.new and change.access not in merged
    ]
    taken = [change for change in mine if change.old is not None] or mine
    return taken[0].access if taken else facts.course.walks[-1][0]


def spelled_value(change: Change, value: int, names: Names) -> str:
    """A word of a header or a variable, for people."""
    if change.what == "status":
        status = status_of(value)
        return str(value) if status is Status.UNKNOWN else str(status)
    if change.what == "size":
        return str(value)
    place = names.place(value, change.moment)
    if isinstance(place, str):
        return place
    return "none" if not value and change.is_header else str(value)


def use(block: Block) -> str:
    match block.status:
        case Status.ALLOC:
            return "in use"
        case Status.UNKNOWN:
            return f"of status {block.word}"
    return str(block.status)


def by_size(block: Block) -> int:
    return block.size


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
