"""An allocator beside the model of osmem: results, system calls and blocks, call by call.

result      another answer than the contract's
errno       os_errno is not what the contract says
syscalls    other system calls, or others' arguments
blocks      the heap is divided in another way
"""

from __future__ import annotations

from emu.heap import Heap
from emu.judge.failure import Found
from emu.judge.findings import said_no
from emu.judge.model import Model, ModelState
from emu.process.event import Call
from emu.scenario import operations as op
from emu.view.blocks import HEADER, Walk
from emu.view.places import NamedSyscall, Places

_NEAR = 4096
"""Bytes: where headers are farther from each other, each is read by itself."""
_STATUS = {"free": "free", "alloc": "in use"}


class Lockstep:
    """Told of every call after it was made: the model makes it, too."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap
        taken = ((one.start, one.end) for one in heap.process.kernel.space.regions)
        self.model = Model.fresh(heap.start, taken)
        self._made = 0

    def saved(self) -> tuple[ModelState, int]:
        """All that it remembers."""
        return self.model.saved(), self._made

    def put_back(self, saved: tuple[ModelState, int]) -> None:
        """What `saved` gave."""
        state, self._made = saved
        self.model.put_back(state)

    def fail(self, operation: op.Fail) -> None:
        """The model's kernel has the same shortage."""
        plan = operation.syscall, operation.nth, operation.errno
        self.model.kernel.shortages.plan(*plan)

    def follow(self, operation: op.Allocation, pointer: int) -> int:
        """The model makes the call; its answer. pointer: what is given to free or realloc."""
        model = self.model
        self._made = len(model.kernel.calls)
        match operation:
            case op.Malloc(_, size):
                return model.malloc(size)
            case op.Calloc(_, count, size):
                return model.calloc(count, size)
            case op.Realloc(_, _, size):
                return model.realloc(pointer, size)
        model.free(pointer)
        return 0

    def agrees(self, call: Call, answer: int) -> bool:
        """Whether nothing differs: the quick way to see that all is well."""
        model = self.model
        return (
            (call.result or 0) == answer
            and len(model.kernel.calls) - self._made == len(call.syscalls)
            and call.syscalls == tuple(model.kernel.calls[self._made :])
            and call.errno == model.errno
            and self._heap.brk == model.kernel.space.brk
            and self._headers_agree()
        )

    def _headers_agree(self) -> bool:
        """Every header, and so the whole heap, is as it shall be."""
        wanted = list(self.model.headers())
        if not wanted:
            return True
        start, (last, _) = self._heap.start, wanted[-1]
        read, unpack = self._heap.process.memory.read, HEADER.unpack_from
        if last - start > _NEAR * len(wanted):
            return all(unpack(read(at, HEADER.size)) == fields for at, fields in wanted)
        data = read(start, last + HEADER.size - start)
        return all(unpack(data, at - start) == fields for at, fields in wanted)

    def compare(self, operation: op.Allocation, call: Call, answer: int, walk: Walk) -> list[Found]:
        """The first difference, if there is one."""
        made = tuple(self.model.kernel.calls[self._made :])
        short = "shortage" if any(map(said_no, made)) else ""
        if (call.result or 0) != answer:
            return [self._other_result(operation, call, answer, short)]
        if call.syscalls != made:
            return [self._other_syscalls(call, made, short)]
        if call.errno != self.model.errno:
            message = f"os_errno is {call.errno}, not {self.model.errno}"
            return [Found("errno", message, short, None, (op.ExpectErrno(self.model.errno),))]
        blocks = self.model.blocks
        if len(blocks) != len(walk.blocks) or not _same(blocks, walk):
            return [self._other_blocks(walk, short)]
        return []

    # What differs

    def _other_result(self, operation: op.Allocation, call: Call, answer: int, short: str) -> Found:
        wanted, found = self._spelled(answer), self._heap.places.spelled(call.result or 0)
        kind = "place" if answer and call.result else "a block" if call.result else "NULL"
        message = f"the answer is {found if call.result else 'NULL'}, not {wanted}"
        expected = () if isinstance(operation, op.Free) else (self._expect(operation.name, answer),)
        return Found("result", message, f"{kind} {short}".strip(), call.result or None, expected)

    def _expect(self, name: str, answer: int) -> op.ExpectPointer:
        if not answer:
            return op.ExpectPointer(name, equal=True, other=None)
        place = self._places().place(answer)
        if isinstance(place, str):
            base, offset = place.split("+")
            return op.ExpectPointer(name, equal=True, other=op.Place(base, int(offset, 16)))
        return op.ExpectPointer(name, equal=True, other=place)

    def _other_syscalls(self, call: Call, made: tuple[object, ...], short: str) -> Found:
        before = len(self._heap.named_syscalls) - 1
        theirs = self._heap.named_syscalls[before]
        named = self._named()[self._made :]
        names = tuple(one.name for one in named)
        kind = ""
        if tuple(one.name for one in theirs) == names:
            kind = "arguments"
            names = tuple(one.asked for one in named)
        message = f"it asked {_line(theirs)}; the contract says {_line(named)}"
        detail = f"{kind} {short}".strip()
        return Found("syscalls", message, detail, None, (op.ExpectSyscalls(names),))

    def _other_blocks(self, walk: Walk, short: str) -> Found:
        ours = [(block.address, block.size, str(block.status)) for block in walk.blocks]
        wanted = list(self.model.blocks)
        at = next(
            (i for i, pair in enumerate(zip(ours, wanted, strict=False)) if pair[0] != pair[1]),
            min(len(ours), len(wanted)),
        )
        found = self._block(ours, at)
        message = f"the block is {found}; the contract says {self._block(wanted, at)}"
        address = (ours[at][0] if at < len(ours) else walk.end) if ours else None
        expected = op.ExpectBlocks(tuple((status, size) for _, size, status in wanted))
        return Found("blocks", message, short, address, (expected,))

    def _block(self, blocks: list[tuple[int, int, str]], at: int) -> str:
        if at >= len(blocks):
            return "not there"
        address, size, status = blocks[at]
        return f"{self._heap.places.spelled(address)} of {size}, {_STATUS.get(status, status)}"

    # Places, as the model's system calls have them

    def _places(self) -> Places:
        places = Places(self._heap.start)
        for call in self.model.kernel.calls:
            places.learn(call)
        return places

    def _named(self) -> list[NamedSyscall]:
        places = Places(self._heap.start)
        return [places.learn(call) for call in self.model.kernel.calls]

    def _spelled(self, address: int) -> str:
        return self._places().spelled(address) if address else "NULL"


def _same(blocks: tuple[tuple[int, int, str], ...], walk: Walk) -> bool:
    return all(
        address == block.address and size == block.size and status == block.status
        for (address, size, status), block in zip(blocks, walk.blocks, strict=True)
    )


def _line(calls: list[NamedSyscall] | tuple[NamedSyscall, ...]) -> str:
    return ", ".join(map(str, calls)) or "nothing"
