"""What a call decided, in sentences, each read from what it did: no algorithm is assumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asm import layout
from emu.explain.course import Change, Course, accesses_of, pointers, result_of, status_of
from emu.explain.names import Names
from emu.process.event import SystemCalled
from emu.trace.trace import Accesses, Span, Trace
from emu.view.blocks import Block, Status
from syscalls import SystemCall
from syscalls.abi import TASK_SIZE


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
        name, args = self.span.called.name, self.span.called.args
        if name == "os_free":
            return 0
        return args[0] * args[1] if name == "os_calloc" else args[-1]

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


def decided(facts: Facts, choice: Choice | None) -> Iterator[str]:
    """Sentences, in the order in which things happened."""
    yield from _merged(facts, choice)
    if facts.span.returned is None:
        yield f"did not come back, after {facts.span.instructions} instructions"
        return
    if facts.span.called.name == "os_free":
        yield from _freed(facts, facts.given)
    elif facts.given:
        yield from _resized(facts, choice)
    else:
        yield from _allocated(facts, choice)
    if facts.span.called.name == "os_calloc" and facts.result:
        yield _cleared(facts)


# Merging


def _merged(facts: Facts, choice: Choice | None) -> Iterator[str]:
    groups: dict[int, list[Block]] = {}
    for merge in facts.course.merges:
        groups.setdefault(merge.into.address, []).append(merge.absorbed)
    for address, absorbed in groups.items():
        place = facts.place(address)
        total = max(block.end for block in absorbed) - address
        free = [block for block in absorbed if block.status is Status.FREE]
        if free:
            what = "free block" if len(free) == 1 else f"{len(free)} free blocks"
            yield f"{place} took in the {what} behind it, and has {total} bytes"
        for block in absorbed:
            if block.status is not Status.FREE:
                other = facts.place(block.address)
                yield f"{place} took in {other} of {block.size}, which was {_use(block)}"


# Allocating


def _allocated(facts: Facts, choice: Choice | None) -> Iterator[str]:
    result = facts.result
    if not result:
        yield from _refused(facts)
        return
    mapping = _mapping_of(facts, result)
    if mapping is not None:
        yield from _mapped(facts, mapping)
    elif choice is None:
        yield f"answered {facts.place(result)}, where the heap has no block"
    else:
        yield from _placed(facts, choice)


def _refused(facts: Facts) -> Iterator[str]:
    refusals = [call for call in facts.syscalls if _is_refused(call)]
    if refusals:
        yield f"{refusals[-1].name} was refused, so it answers NULL"
    elif facts.asked == 0:
        yield "nothing is asked for, so it answers NULL"
    else:
        yield f"answers NULL to {facts.asked} bytes, and asked nothing of the kernel"
    fits = [block for block in facts.course.after.free if block.size >= max(facts.asked, 1)]
    if fits and facts.asked:
        yield f"{facts.place(fits[0].address)} is free and has {fits[0].size}"


def _is_refused(call: SystemCall) -> bool:
    short = call.name == "brk" and call.args[0] not in (0, call.result)
    return bool(call.errno) or short


def _mapping_of(facts: Facts, result: int) -> SystemCall | None:
    """The mmap of this call that the result lies in."""
    for call in facts.syscalls:
        made = call.name == "mmap" and not call.errno and call.result is not None
        if made and call.result is not None and call.result <= result < call.result + call.args[1]:
            return call
    return None


def _mapped(facts: Facts, call: SystemCall) -> Iterator[str]:
    yield f"went to mmap: {call.args[1]} bytes for {facts.asked} and a header"
    looked = {look.block.address for look in facts.course.looks} - {facts.given, facts.result}
    blocks = facts.course.before.blocks
    if blocks:
        count = len(looked & {block.address for block in blocks})
        yield f"it looked at {_counted(count, 'block') if count else 'no block'} of the heap"


def _placed(facts: Facts, choice: Choice) -> Iterator[str]:
    new = facts.has(facts.result)
    assert new is not None
    if facts.course.walks and not facts.course.before.blocks:
        size = facts.course.breaks[-1][1] - facts.course.breaks[0][1]
        yield f"the heap's first use: brk gave {size} bytes"
    chosen = choice.chosen
    if chosen is None:
        yield from _new_block(facts, choice, new)
    elif chosen.status is not Status.FREE:
        yield f"gave out {facts.place(chosen.address)}, which was {_use(chosen)}"
    elif new.size > chosen.size:
        grown = new.size - chosen.size
        yield _no_fit(choice)
        yield f"{facts.place(chosen.address)}, free with {chosen.size}, grew by {grown} through brk"
    else:
        yield from _fit(facts, choice, chosen)
        yield from _kept(facts, choice, chosen, new)


def _new_block(facts: Facts, choice: Choice, new: Block) -> Iterator[str]:
    old_break = facts.course.breaks[0][1]
    place = facts.place(new.address)
    if new.header >= old_break:
        yield _no_fit(choice)
        grown = facts.course.breaks[-1][1] - old_break
        yield f"grew the heap by {grown}: {place} is a new last block of {new.size}"
        return
    around = _around(facts.course.walk_before(choice.access).blocks, new.header)
    if around is None:
        yield f"made a block of {new.size} at {place}"
    else:
        outer = facts.place(around.address)
        yield f"made a block of {new.size} at {place}, inside {outer}, which was {_use(around)}"


def _around(blocks: Sequence[Block], address: int) -> Block | None:
    return next((block for block in blocks if block.header <= address < block.end), None)


def _no_fit(choice: Choice) -> str:
    if choice.fits:
        return f"{_counted(len(choice.fits), 'free block')} would have fitted, and none was taken"
    if not choice.free:
        return "no block is free"
    largest = max(block.size for block in choice.free)
    return f"no free block has {choice.asked}: the largest has {largest}"


def _fit(facts: Facts, choice: Choice, chosen: Block) -> Iterator[str]:
    took = f"took {facts.place(chosen.address)} of {chosen.size}"
    fits = choice.fits
    if chosen not in fits:
        yield f"{took}, which is too small for {choice.asked}"
        return
    yield f"{took}: {_why(fits, chosen)}"
    smaller = [block for block in fits if block.size < chosen.size]
    if smaller:
        best = min(smaller, key=_by_size)
        waste = chosen.size - best.size
        yield f"{facts.place(best.address)} of {best.size} would fit with {waste} less left over"
    yield from _unread(facts, choice)


def _why(fits: Sequence[Block], chosen: Block) -> str:
    """In what a block differs from the others that fit."""
    sizes = [block.size for block in fits]
    equals = [block for block in fits if block.size == chosen.size]
    if len(fits) == 1:
        return "the only free block that fits"
    if chosen.size > min(sizes):
        which = [name for name, one in (
            ("the first", fits[0]), ("the last", fits[-1]), ("the largest", max(fits, key=_by_size))
        ) if one == chosen]  # fmt: skip
        also = f", but {which[0]}" if which else ""
        return f"not the smallest of {len(fits)} that fit{also}"
    if len(equals) == 1:
        return f"the smallest of {len(fits)} that fit"
    lowest = "the lowest" if chosen == equals[0] else "not the lowest"
    smallest = f"the smallest of {len(fits)} that fit" if len(equals) < len(fits) else "as small"
    if smallest == "as small":
        return f"all {len(fits)} that fit have the same size, and it is {lowest}"
    return f"{smallest}, and {lowest} of {len(equals)} equals"


def _unread(facts: Facts, choice: Choice) -> Iterator[str]:
    """Blocks that would have fitted, and were never looked at."""
    when = int(facts.trace.moments[choice.access]) if choice.access < _made(facts) else 0
    read = {look.block.address for look in facts.course.looks if look.moment <= when}
    unread = [block for block in choice.fits if block.address not in read]
    if unread and len(unread) < len(choice.fits):
        first = facts.place(unread[0].address)
        others = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        yield f"it never looked at {first}{others}, which fit too"


def _made(facts: Facts) -> int:
    return len(facts.trace.recorded_accesses)


def _kept(facts: Facts, choice: Choice, chosen: Block, new: Block) -> Iterator[str]:
    """What became of what a block has beyond what is asked for."""
    if new.size < chosen.size:
        yield _split(facts, chosen, new)
    elif new.size > choice.asked:
        over = new.size - choice.asked
        yield f"all of it is kept, {_counted(over, 'byte')} more than asked for"
    else:
        yield "it is filled to the byte"


def _split(facts: Facts, old: Block, new: Block) -> str:
    rest = facts.has(new.end + layout.META)
    if rest is None:
        return f"{new.size} of it are kept, and {old.size - new.size} are in no block any more"
    place, status = facts.place(rest.address), rest.status
    return f"split: {new.size} are kept, and the rest is {place}, {status} with {rest.size}"


# Freeing


def _freed(facts: Facts, payload: int) -> Iterator[str]:
    if not payload:
        yield "NULL: there is nothing to free"
        return
    unmapped = [call for call in facts.syscalls if call.name == "munmap" and not call.errno]
    if unmapped:
        yield f"gave {facts.place(payload)} back by munmap, {unmapped[-1].args[1]} bytes"
        return
    old, new = facts.had(payload), facts.has(payload)
    if old is None:
        yield f"{facts.place(payload)} is the payload of no block of the heap"
    elif old.status is Status.FREE:
        changed = any(change.old != change.new for change in facts.course.changes)
        yield f"{facts.place(payload)} was free already" + ("" if changed else ": nothing changes")
    elif new is None:
        yield f"{facts.place(payload)} is a block no more"
    elif new.status is Status.FREE:
        yield f"{facts.place(payload)} becomes free with {new.size}"
        yield from _neighbours(facts, new)
    else:
        still = " still" if new.status is old.status else " now"
        yield f"{facts.place(payload)} is {_use(new)}{still}"


def _neighbours(facts: Facts, block: Block) -> Iterator[str]:
    """Free blocks beside one that was freed, which it is not merged with."""
    beside = [
        facts.place(other.address)
        for other in facts.course.after.free
        if block.header == other.end or other.header == block.end
    ]
    if beside:
        are = "is" if len(beside) == 1 else "are"
        yield f"{' and '.join(beside)} beside it {are} free too, and not merged with it"


# Resizing


def _resized(facts: Facts, choice: Choice | None) -> Iterator[str]:
    given, result = facts.given, facts.result
    old = facts.had(given)
    if not facts.asked:
        yield "nothing is asked for: the block is given back"
        yield from _freed(facts, given)
    elif not result and old is not None and old.status is Status.FREE:
        changed = any(change.old != change.new for change in facts.course.changes)
        also = "" if changed else ", and nothing changes"
        yield f"{facts.place(given)} is free already: it answers NULL{also}"
    elif not result:
        yield from _refused(facts)
        left = facts.has(given)
        if left is not None and left.status is not Status.FREE:
            yield f"{facts.place(given)} stays, {_use(left)} with {left.size}"
    elif result == given:
        yield from _in_place(facts, old)
    else:
        yield from _moved(facts, choice, old)


def _in_place(facts: Facts, old: Block | None) -> Iterator[str]:
    new = facts.has(facts.result)
    place = facts.place(facts.result)
    if old is None or new is None:
        yield f"{place} stays where it is"
        return
    taken = [merge.absorbed for merge in facts.course.merges if merge.into.address == old.address]
    total = max([block.end for block in taken], default=old.end) - old.address
    if new.size > total:
        yield f"{place} stays, and grew by {new.size - total} through brk"
    elif new.size < total:
        grown = Block(old.address, total, old.status, old.prev, old.next)
        yield f"{place} stays, with {total} for {facts.asked}"
        yield _split(facts, grown, new)
    else:
        yield f"{place} stays: its {total} bytes are enough for {facts.asked}"


def _moved(facts: Facts, choice: Choice | None, old: Block | None) -> Iterator[str]:
    given, result = facts.given, facts.result
    size = old.size if old else _mapped_size(facts)
    had = f" of {size}" if size is not None else ""
    yield f"moved from {facts.place(given)}{had} to {facts.place(result)}"
    yield from _allocated(facts, choice)
    yield _copied(facts)
    left = facts.has(given)
    if any(call.name == "munmap" and not call.errno for call in facts.syscalls):
        yield "the old block is unmapped"
    elif left is not None:
        yield f"the old block is {_use(left)} with {left.size}"


def _mapped_size(facts: Facts) -> int | None:
    """What the header of a mapped block said, where it was read."""
    looks = [look.block for look in facts.course.looks if look.block.address == facts.given]
    return looks[0].size if looks else None


def _copied(facts: Facts) -> str:
    written = _payload_writes(facts)
    copied = _run_from(facts.result, written)
    new = facts.has(facts.result)
    beyond = copied - new.size if new else 0
    also = f", {beyond} of them beyond the end of the new block" if beyond > 0 else ""
    return f"copied {_counted(copied, 'byte')}{also}"


def _cleared(facts: Facts) -> str:
    written = _payload_writes(facts)
    cleared = _run_from(facts.result, written[written["value"] == 0])
    return f"wrote zeros to {min(cleared, facts.asked)} of its {_counted(facts.asked, 'byte')}"


def _payload_writes(facts: Facts) -> Accesses:
    """What the instructions wrote that wrote to the new payload, there and behind it."""
    first, last = accesses_of(facts.trace, facts.span)
    made = facts.trace.recorded_accesses[first:last]
    written = made[made["write"] & (made["address"] >= facts.result)]
    numbers = facts.trace.numbers_of(written)
    inside = written["address"] < min(facts.result + facts.asked, TASK_SIZE)
    return written[np.isin(numbers, np.unique(numbers[inside]))]


def _run_from(start: int, written: Accesses) -> int:
    """How many bytes from `start` on were written, up to the first that was not."""
    order = np.argsort(written["address"], kind="stable")
    addresses, sizes = written["address"][order].tolist(), written["size"][order].tolist()
    reached = start
    for address, size in zip(addresses, sizes, strict=True):
        if address > reached:
            break
        reached = max(reached, address + size)
    return reached - start


# Words


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


def _use(block: Block) -> str:
    match block.status:
        case Status.ALLOC:
            return "in use"
        case Status.UNKNOWN:
            return f"of status {block.word}"
    return str(block.status)


def _by_size(block: Block) -> int:
    return block.size


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
