"""How a call found memory, in sentences: in a free block, at the end of the heap, in a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asm import layout
from emu.explain.facts import Choice, Facts, by_size, counted, use
from emu.view.blocks import Block, Status
from syscalls import SystemCall


def allocated(facts: Facts, choice: Choice | None) -> Iterator[str]:
    result = facts.result
    if not result:
        yield from refused(facts)
        return
    mapping = _mapping_of(facts, result)
    if mapping is not None:
        yield from _mapped(facts, mapping)
    elif choice is None:
        yield f"answered {facts.place(result)}, where the heap has no block"
    else:
        yield from _placed(facts, choice)


def refused(facts: Facts) -> Iterator[str]:
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
        yield f"it looked at {counted(count, 'block') if count else 'no block'} of the heap"


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
        yield f"gave out {facts.place(chosen.address)}, which was {use(chosen)}"
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
        yield f"made a block of {new.size} at {place}, inside {outer}, which was {use(around)}"


def _around(blocks: Sequence[Block], address: int) -> Block | None:
    return next((block for block in blocks if block.header <= address < block.end), None)


def _no_fit(choice: Choice) -> str:
    if choice.fits:
        return f"{counted(len(choice.fits), 'free block')} would have fitted, and none was taken"
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
        best = min(smaller, key=by_size)
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
            ("the first", fits[0]), ("the last", fits[-1]), ("the largest", max(fits, key=by_size))
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
        yield split(facts, chosen, new)
    elif new.size > choice.asked:
        over = new.size - choice.asked
        yield f"all of it is kept, {counted(over, 'byte')} more than asked for"
    else:
        yield "it is filled to the byte"


def split(facts: Facts, old: Block, new: Block) -> str:
    rest = facts.has(new.end + layout.META)
    if rest is None:
        return f"{new.size} of it are kept, and {old.size - new.size} are in no block any more"
    place, status = facts.place(rest.address), rest.status
    return f"split: {new.size} are kept, and the rest is {place}, {status} with {rest.size}"
