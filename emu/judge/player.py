"""The player: operations on a heap, each judged by the contract as soon as it is done.

What is wrong is told of once by each rule, and the game goes on, so that what comes first does
not hide what comes later. It is over where the heap can mean nothing any more: the process died,
or blocks were overwritten.

Beside the ledger's rules:

    refused                 NULL for a small request, though the kernel has refused nothing
    allocator-touches-live  on a heap that watches each access (emu/sanitizer/heap.py)
"""

from __future__ import annotations

from typing import NamedTuple

from emu.allocators import OSMEM
from emu.errors import GuestDied
from emu.heap import Heap, HeapSnapshot
from emu.judge.failure import Found, bytes_of, call_of
from emu.judge.findings import of_blocks, of_death, of_ledger, said_no
from emu.judge.lockstep import Lockstep
from emu.judge.model import MAX_REQUEST, ModelState
from emu.judge.subject import CALL_BUDGET
from emu.process.event import Call
from emu.scenario import operations as op
from syscalls.abi import TASK_SIZE

LAST = frozenset({"overlap", "outside", "contents-changed", "calloc-overflow"})
"""Rules after which nothing more is asked: all that follows may have the same cause."""

_PROGRAMS_OWN = frozenset({
    "double-free", "invalid-free", "use-after-free", "heap-overflow", "outside-blocks",
    "read-unwritten",
})  # fmt: skip
"""Rules that a player breaks on purpose, or not at all."""
_MOST_TOUCHED, _FOR_A_BYTE = 64 << 20, 16
"""Bytes that a call may clear or copy, and the instructions that each may take."""
_SMALL, _LITTLE = 1 << 16, 1 << 20
"""A request, and what callers hold, for which there must be memory."""


class Undefined(Exception):
    """The contract does not say what an operation does here."""


class Held(NamedTuple):
    """What a name is bound to: a payload, or NULL, and the bytes asked for."""

    address: int
    size: int


class PlayerState(NamedTuple):
    """All that a player remembers, and its heap."""

    heap: HeapSnapshot
    live: dict[str, Held]
    stale: dict[str, int]
    lockstep: tuple[ModelState, int] | None
    told: frozenset[str]
    short: bool
    left: str


class Player:
    """Plays on a heap in which nothing has happened.

    live: names of blocks in use; stale: of those that were given back; all others are NULL.
    """

    def __init__(self, heap: Heap, contract: str, alignment: int = 8) -> None:
        self.heap, self.contract = heap, contract
        heap.ledger.alignment = alignment
        self.model = Lockstep(heap)
        """Where the contract is osmem's: as it was when lockstep was lost, if it was."""
        self.lockstep: Lockstep | None = self.model if contract == OSMEM else None
        self.live: dict[str, Held] = {}
        self.stale: dict[str, int] = {}
        self.left = ""
        """Where the model was left, by which rule: "after back-pointer"."""
        self.over = False
        self.died: GuestDied | None = None
        self.cost = 0
        """Calls made; those that ran for very long count more."""
        self._told: frozenset[str] = frozenset()
        self._short = False

    # Going back

    def saved(self) -> PlayerState:
        """The state, where it is not over."""
        lockstep = self.lockstep.saved() if self.lockstep else None
        return PlayerState(
            self.heap.snapshot(), dict(self.live), dict(self.stale), lockstep, self._told,
            self._short, self.left,
        )  # fmt: skip

    def put_back(self, saved: PlayerState) -> None:
        """What `saved` gave, as it was."""
        self.heap.restore(saved.heap)
        self.live, self.stale = dict(saved.live), dict(saved.stale)
        self.lockstep = None
        if saved.lockstep is not None:
            self.lockstep = self.model
            self.model.put_back(saved.lockstep)
        self._told, self._short, self.left = saved.told, saved.short, saved.left
        self.over = False

    # Playing

    def play(self, operation: op.Operation) -> list[Found]:
        """Does it, and says what is wrong that was not said before.

        Undefined, and nothing is done, where the contract does not say what it does.
        """
        match operation:
            case op.Malloc() | op.Calloc() | op.Realloc() | op.Free():
                return self._new(self._called(operation))
            case op.Fill(name, byte):
                self._write(name, 0, bytes([byte]) * self._block(name).size)
            case op.Write(name, offset, data):
                self._write(name, offset, data)
            case op.Fail():
                self.heap.process.kernel.shortages.plan(
                    operation.syscall, operation.nth, operation.errno
                )
                if self.lockstep:
                    self.lockstep.fail(operation)
            case _:
                raise Undefined
        return []

    def may_misuse(self, name: str) -> bool:
        """Whether the contract says what freeing, or resizing, a stale block does."""
        return self.lockstep is not None and self.lockstep.model.is_free(self.stale[name])

    def _new(self, found: list[Found]) -> list[Found]:
        """What was not told of. Where the model was left before, that may be why."""
        new = [one for one in found if one.rule not in self._told]
        self._told |= {one.rule for one in new}
        self.over = self.over or any(one.rule in LAST for one in found)
        return new

    # Calls

    def _called(self, operation: op.Allocation) -> list[Found]:
        if not self.heap.description.has(call_of(operation)):
            raise Undefined
        self._allow_for(operation)
        source = None if isinstance(operation, op.Malloc | op.Calloc) else operation.source
        pointer = self._pointer(source)
        heap, before = self.heap, len(self.heap.findings)
        try:
            result = self._call(operation, pointer)
        except GuestDied as died:
            self.cost += 1 + died.scene.instructions // 100_000
            self.over, self.died = True, died
            return [of_death(died, self.left)]
        call = heap.calls[-1]
        self.cost += 1 + call.instructions // 100_000
        found = [
            of_ledger(finding, call, self._circumstances(operation))
            for finding in heap.findings[before:]
            if finding.rule not in _PROGRAMS_OWN
        ]
        found += self._refused(operation, call)
        unlike = self._unlike_the_model(operation, pointer, call)
        self._bind(operation, source, result)
        return found if any(one.rule in LAST for one in found) else found + unlike

    def _allow_for(self, operation: op.Allocation) -> None:
        """What is cleared or copied takes its time; Undefined where it would take too much."""
        size = 0 if isinstance(operation, op.Malloc) else bytes_of(operation)
        if isinstance(operation, op.Realloc) and operation.source in self.live:
            size = min(size, max(_MOST_TOUCHED, self.live[operation.source].size))
        if _MOST_TOUCHED < size < TASK_SIZE and not self._will_refuse():
            raise Undefined
        touched = size if size <= _MOST_TOUCHED else 0
        self.heap.process.budget = CALL_BUDGET + _FOR_A_BYTE * touched

    def _will_refuse(self) -> bool:
        """Whether there will be no memory, whichever way it is asked for."""
        planned = {plan.name for plan in self.heap.process.kernel.shortages.planned}
        return planned >= {"brk", "mmap"}

    def _call(self, operation: op.Allocation, pointer: int) -> int:
        match operation:
            case op.Malloc(_, size):
                return self.heap.malloc(size)
            case op.Calloc(_, count, size):
                return self.heap.calloc(count, size)
            case op.Realloc(_, _, size):
                return self.heap.realloc(pointer, size)
        self.heap.free(pointer)
        return 0

    def _pointer(self, name: str | None) -> int:
        if name is None:
            return 0
        if name in self.live:
            return self.live[name].address
        if name not in self.stale:
            return 0
        if not self.may_misuse(name):
            raise Undefined
        return self.stale[name]

    def _bind(self, operation: op.Allocation, source: str | None, result: int) -> None:
        taken = isinstance(operation, op.Free) or result or bytes_of(operation) == 0
        if source in self.live and taken:
            self.stale[source] = self.live.pop(source).address
        if isinstance(operation, op.Free):
            return
        if result:
            self.live[operation.name] = Held(result, bytes_of(operation))
            self.stale.pop(operation.name, None)
        else:
            self.live.pop(operation.name, None)
            self.stale.pop(operation.name, None)

    # What is wrong

    def _circumstances(self, operation: op.Allocation) -> str:
        """What may be another cause of what the ledger finds: it must not hide the usual one."""
        if self.left or self._short:
            return self.left or "shortage"
        return "huge" if bytes_of(operation) > MAX_REQUEST else ""

    def _refused(self, operation: op.Allocation, call: Call) -> list[Found]:
        size = bytes_of(operation)
        self._short = self._short or any(map(said_no, call.syscalls))
        if call.result != 0 or not 0 < size <= _SMALL or self._short:
            return []
        if self.heap.ledger.live_bytes > _LITTLE or self.lockstep is not None:
            return []  # the model knows better
        name = getattr(operation, "name", "")
        expected = (op.ExpectPointer(name, equal=False, other=None),)
        message = f"NULL for {size} bytes, though the kernel has refused nothing"
        return [Found("refused", message, self.left, None, expected)]

    def _unlike_the_model(self, operation: op.Allocation, pointer: int, call: Call) -> list[Found]:
        if self.lockstep is None:
            return []
        lockstep, heap = self.lockstep, self.heap
        answer = lockstep.follow(operation, pointer)
        if lockstep.agrees(call, answer):
            return self._index_is_broken()
        walk = heap.walk()
        broken = heap.check_blocks(walk)
        found = [of_blocks(broken)] if broken else []
        found = found or lockstep.compare(operation, call, answer, walk)
        if found:
            self.lockstep, self.left = None, f"after {found[0].rule}"
        return found

    def _index_is_broken(self) -> list[Found]:
        """What no answer shows yet; the lockstep goes on."""
        heap = self.heap
        broken = heap.check_blocks(heap.walk(), only_changed=True) if heap.is_indexed else []
        return [of_blocks(broken)] if broken else []

    # The program's own writing

    def _block(self, name: str) -> Held:
        if name not in self.live:
            raise Undefined
        return self.live[name]

    def _write(self, name: str, offset: int, data: bytes) -> None:
        """By a person's hand, which is faster than the guest's."""
        address, size = self._block(name)
        if not 0 <= offset <= offset + len(data) <= size:
            raise Undefined
        try:
            self.heap.memory[address + offset : address + offset + len(data)] = data
        except IndexError:  # nothing is mapped there, which was told
            self.over = True
