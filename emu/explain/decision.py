"""What a call decided, in sentences, each read from what it did: no algorithm is assumed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emu.explain.call import accesses_of
from emu.explain.facts import Choice, Facts, counted, use
from emu.explain.placing import allocated, refused, split
from emu.trace.trace import Accesses
from emu.view.blocks import Block, Status
from syscalls.abi import TASK_SIZE


def decided(facts: Facts, choice: Choice | None) -> Iterator[str]:
    """Sentences, in the order in which things happened."""
    yield from _merged(facts, choice)
    if facts.span.returned is None:
        yield f"did not come back, after {facts.span.instructions} instructions"
        return
    if facts.span.called.kind == "free":
        yield from _freed(facts, facts.given)
    elif facts.given:
        yield from _resized(facts, choice)
    else:
        yield from allocated(facts, choice)
    if facts.span.called.kind == "calloc" and facts.result:
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
                yield f"{place} took in {other} of {block.size}, which was {use(block)}"


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
        yield f"{facts.place(payload)} is {use(new)}{still}"


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
        yield from refused(facts)
        left = facts.has(given)
        if left is not None and left.status is not Status.FREE:
            yield f"{facts.place(given)} stays, {use(left)} with {left.size}"
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
        yield split(facts, grown, new)
    else:
        yield f"{place} stays: its {total} bytes are enough for {facts.asked}"


def _moved(facts: Facts, choice: Choice | None, old: Block | None) -> Iterator[str]:
    given, result = facts.given, facts.result
    size = old.size if old else _mapped_size(facts)
    had = f" of {size}" if size is not None else ""
    yield f"moved from {facts.place(given)}{had} to {facts.place(result)}"
    yield from allocated(facts, choice)
    yield _copied(facts)
    left = facts.has(given)
    if any(call.name == "munmap" and not call.errno for call in facts.syscalls):
        yield "the old block is unmapped"
    elif left is not None:
        yield f"the old block is {use(left)} with {left.size}"


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
    return f"copied {counted(copied, 'byte')}{also}"


def _cleared(facts: Facts) -> str:
    written = _payload_writes(facts)
    cleared = _run_from(facts.result, written[written["value"] == 0])
    return f"wrote zeros to {min(cleared, facts.asked)} of its {counted(facts.asked, 'byte')}"


def _payload_writes(facts: Facts) -> Accesses:
    """What was written to the new payload, and behind it where it went on in the same loop."""
    first, last = accesses_of(facts.trace, facts.span)
    made = facts.trace.recorded_accesses[first:last]
    written = made[made["write"] & (made["address"] >= facts.result)]
    blocks = facts.trace.rows_of(written)
    inside = written["address"] < min(facts.result + facts.asked, TASK_SIZE)
    return written[np.isin(blocks, np.unique(blocks[inside]))]


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
