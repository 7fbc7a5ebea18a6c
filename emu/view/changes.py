"""What a call did to the heap, in words, read from the blocks before and after it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from asm import layout
from emu.process.event import Call
from emu.view.blocks import Block, Status, Walk


@dataclass(frozen=True)
class Moment:
    """The heap before and after a call. A new heap was one free block."""

    before: Walk
    after: Walk

    @cached_property
    def runs(self) -> list[list[Block]]:
        """Neighbouring free blocks before the call."""
        return _runs(self.before.free)

    def had(self, address: int) -> Block | None:
        return self.before.find(address)

    def has(self, address: int) -> Block | None:
        return self.after.find(address)


def describe(call: Call, before: Walk, after: Walk) -> list[str]:
    """Short phrases: "split 600 off 1000", "best fit of 2"; none where nothing changed."""
    words = []
    if after.blocks and not before.blocks:
        first = (_first_block(after.blocks),)
        before = Walk(after.start, after.end, first, free=first)
        words.append(f"preallocated {_size(first[0].size + layout.META)}")
    moment = Moment(before, after)
    if call.kind == "free":
        return _freed(call, moment)
    if call.kind == "realloc" and call.args[0]:
        return words + _resized(call, moment)
    return words + _allocated(call, moment)


def describe_unwalked(call: Call) -> list[str]:
    """The same where nobody can walk the heap: what the kernel gave, and what moved."""
    words = []
    if call.kind == "realloc" and call.args[0] and call.result:
        words.append("stays" if call.result == call.args[0] else "moved")
    if call.kind != "free" and not call.result:
        freed = call.kind == "realloc" and call.args[0] and not call.args[1]
        words += ["freed"] if freed else _refused(call)
    if _mapped(call):
        words.append(f"mapped {_size(_mapped(call))}")
    unmapped = sum(s.args[1] for s in call.syscalls if s.name == "munmap" and s.errno is None)
    return words + ([f"unmapped {_size(unmapped)}"] if unmapped else [])


def _freed(call: Call, moment: Moment) -> list[str]:
    address = call.args[0]
    if not address:
        return ["nothing to free"]
    if any(s.name == "munmap" and s.errno is None for s in call.syscalls):
        return ["unmapped"]
    old, new = moment.had(address), moment.has(address)
    if old is None or new is None:
        return []
    if old.status is Status.FREE:
        return ["was free already"]
    return [f"{new.size} free"] if new.status is Status.FREE else []


def _allocated(call: Call, moment: Moment) -> list[str]:
    if not call.result:
        return _refused(call) + _merges(moment, None)
    new = moment.has(call.result)
    if new is None:
        return [f"mapped {_size(_mapped(call))}"] if _mapped(call) else []
    return _placed(new, moment) + _merges(moment, new)


def _placed(new: Block, moment: Moment) -> list[str]:
    """Where a block in the heap came from."""
    run = _free_run(moment.runs, new.header)
    if not run:
        return [f"a new last block of {new.size}"]
    total = _merged_size(run)
    words = [f"merged {len(run)} into {total}"] if len(run) > 1 else []
    if new.size < total:
        words.append(f"split {new.size} off {total}")
    elif new.size > total:
        words.append(f"grew the last by {new.size - total}")
    else:
        words.append(f"took all {total}")
    return words + _fit(moment, new, total)


def _fit(moment: Moment, new: Block, total: int) -> list[str]:
    sizes = [_merged_size(run) for run in moment.runs]
    fitting = [size for size in sizes if size >= new.size]
    if len(fitting) < 2:
        return []
    if total > min(fitting):
        return [f"not the best fit: {min(fitting)} would do"]
    return [f"best fit of {len(fitting)}"]


def _resized(call: Call, moment: Moment) -> list[str]:
    old_address, size = call.args[0], call.args[1]
    if not call.result:
        freed = [word for word in _freed(call, moment) if word != "was free already"]
        return (freed or ["freed"]) if not size else _refused(call)
    old, new = moment.had(old_address), moment.has(call.result)
    if call.result != old_address:
        placed = _placed(new, moment) if new else [f"mapped {_size(_mapped(call))}"]
        left = moment.has(old_address)
        absorbed = _absorbed(old, moment)[1] if old and left and left.size > old.size else []
        gone = ["the old block free"] if left and left.status is Status.FREE else []
        return [*absorbed, "moved", *placed, *_merges(moment, new), *gone]
    return _in_place(old, new, moment) if old and new else []


def _absorbed(old: Block, moment: Moment) -> tuple[int, list[str]]:
    """The size of a block that took in the free blocks behind it, and the words for that."""
    run = [b for b in _free_run(moment.runs, old.end) if moment.has(b.address) is None]
    if not run:
        return old.size, []
    total = run[-1].end - old.address
    return total, [f"absorbed {_count(len(run))}, now {total}"]


def _in_place(old: Block, new: Block, moment: Moment) -> list[str]:
    total, words = _absorbed(old, moment)
    if new.size > total:
        words.append(f"grew the last by {new.size - total}")
    elif new.size < total:
        words.append(f"split {new.size} off {total}")
    return words or ["stays"]


def _refused(call: Call) -> list[str]:
    if any(s.errno or (s.name == "brk" and s.args[0] not in (0, s.result)) for s in call.syscalls):
        return ["out of memory"]
    nothing = 0 in call.args if call.kind == "calloc" else call.args[-1] == 0
    return ["nothing asked for"] if nothing else ["refused"]


def _merges(moment: Moment, new: Block | None) -> list[str]:
    """Runs of free blocks that became one, other than where the new block lies."""
    words = []
    for run in moment.runs:
        if len(run) == 1:
            continue
        inside = new is not None and run[0].header <= new.header < run[-1].end
        gone = sum(moment.has(block.address) is None for block in run[1:])
        if gone and moment.has(run[0].address) and not inside:
            words.append(f"merged {gone + 1} into {_merged_size(run)}")
    return words


def _runs(free: Sequence[Block]) -> list[list[Block]]:
    """Free blocks with nothing between them, together."""
    runs: list[list[Block]] = []
    end = 0
    for block in free:
        if runs and block.address == end + layout.META:
            runs[-1].append(block)
        else:
            runs.append([block])
        end = block.end
    return runs


def _free_run(runs: list[list[Block]], header: int) -> list[Block]:
    """The neighbouring free blocks from one whose header is at `header`."""
    index = bisect_right(runs, header + layout.META, key=lambda run: run[0].address) - 1
    run = runs[index] if index >= 0 else []
    return [block for block in run if block.header >= header] if _covers(run, header) else []


def _covers(run: list[Block], header: int) -> bool:
    return any(block.header == header for block in run)


def _first_block(after: Sequence[Block]) -> Block:
    """The one free block that a new heap begins as."""
    return Block(after[0].address, after[-1].end - after[0].address, Status.FREE, 0, 0)


def _merged_size(run: Sequence[Block]) -> int:
    return run[-1].end - run[0].address


def _mapped(call: Call) -> int:
    return sum(s.args[1] for s in call.syscalls if s.name == "mmap" and s.errno is None)


def _count(number: int) -> str:
    return "one block" if number == 1 else f"{number} blocks"


def _size(size: int) -> str:
    """131072 as 128 KiB; sizes that are no round number as they are."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size and size % unit == 0:
            return f"{size // unit} {name}"
    return str(size)
