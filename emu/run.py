"""run(scenario) -> Run: the whole flow, from what shall happen to what did."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emu.allocators import OSMEM, Choice
from emu.errors import GuestDied
from emu.heap import Heap
from emu.process.event import Call
from emu.process.process import BUDGET
from emu.scenario import operations as op
from emu.scenario.load import load
from emu.scenario.operations import Scenario, Statement
from emu.view.blocks import Block, Walk
from emu.view.changes import describe, describe_unwalked
from emu.view.finding import Finding
from emu.view.history import History, Sample
from emu.view.index import Index
from emu.view.ledger import ALIGNMENT, Promise
from emu.view.places import NamedSyscall
from syscalls.abi import errno_name

if TYPE_CHECKING:
    from emu.trace.trace import Trace

COMPLETED, FAILED = "completed", "expectation failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement and what came of it.

    call and the five behind it are for statements that call the allocator; args and result have
    places for addresses. failure: what an expectation found instead. died_in: the name of the
    function that did not come back.
    """

    statement: Statement
    call: Call | None = None
    args: tuple[int | str | None, ...] = ()
    result: int | str | None = None
    syscalls: tuple[NamedSyscall, ...] = ()
    changes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    failure: str | None = None
    died_in: str = ""

    @property
    def function(self) -> str:
        """The name of what is called; "" where nothing is."""
        return self.call.name if self.call else self.died_in


@dataclass
class Run:
    """What happened.

    blocks: the heap at the end, none where it cannot be walked; requested: bytes that callers asked
    for, by payload; live: the blocks that they hold then. index: over the free blocks, where the
    allocator has one. contract: what it was held to. died: how the program under test ended,
    running: the statement that it died of. trace: where one was asked for.
    """

    scenario: Scenario
    allocator: str
    steps: list[Step] = field(default_factory=list)
    blocks: tuple[Block, ...] = ()
    block_places: tuple[int | str, ...] = ()
    requested: dict[int, int] = field(default_factory=dict)
    live: tuple[Promise, ...] = ()
    live_places: dict[int, int | str] = field(default_factory=dict)
    contract: str = OSMEM
    heap_start: int = 0
    brk: int = 0
    findings: list[Finding] = field(default_factory=list)
    history: History = field(default_factory=History)
    output: bytes = b""
    index: Index | None = None
    died: GuestDied | None = None
    running: Step | None = None
    trace: Trace | None = None

    @property
    def failures(self) -> list[Step]:
        """The expectations that were not met."""
        return [step for step in self.steps if step.failure]

    @property
    def outcome(self) -> str:
        if self.died:
            return self.died.outcome
        return FAILED if self.failures else COMPLETED

    @property
    def status(self) -> int:
        """The exit status: 0 all well, 1 a failure or a finding, 3 the guest died."""
        if self.died:
            return 3
        return 1 if self.failures or self.findings else 0

    @property
    def functions(self) -> dict[str, str]:
        """The names of the functions that were called, by their kinds."""
        return {step.call.kind: step.call.name for step in self.steps if step.call}

    @property
    def instructions(self) -> int:
        return sum(step.call.instructions for step in self.steps if step.call)


def run(
    scenario: Scenario | Path | str,
    allocator: str | Path | Choice = "osmem",
    *,
    budget: int = BUDGET,
    trace: bool = False,
    accesses: bool = False,
    registers: bool = False,
    sanitize: bool = False,
    contract: str | None = None,
    alignment: int = ALIGNMENT,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Runs a scenario, or the file it is in, on an allocator in a fresh process.

    trace: every instruction is recorded; accesses: and every access; registers: before each
    instruction. sanitize: each access is looked at. contract: what the allocator is held to, as
    with Heap; alignment: of payloads. progress(done, all) is told after every statement.
    InputError and AssemblyError where there is nothing to run; whatever happens to the program
    under test is in the Run.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    with Heap(allocator, budget=budget, sanitize=sanitize, contract=contract) as heap:
        heap.ledger.alignment = alignment
        player = _Player(Run(scenario, str(allocator)), heap)
        recorder = None
        if trace or accesses or registers:
            recorder = heap.trace(accesses=accesses, registers=registers)
        with recorder or nullcontext():
            _play(player, progress)
        if recorder:
            player.run.trace = recorder.trace
        return player.finish()


def play(scenario: Scenario, heap: Heap) -> Run:
    """Plays a scenario on a heap that somebody else has made, and keeps."""
    player = _Player(Run(scenario, heap.allocator), heap)
    _play(player, None)
    return player.finish()


def _play(player: _Player, progress: Callable[[int, int], None] | None) -> None:
    statements = player.run.scenario.statements
    for number, statement in enumerate(statements, 1):
        if not player.play(statement):
            break
        if progress:
            progress(number, len(statements))


class _Player:
    """Plays statements on a heap; names are bound here."""

    def __init__(self, run: Run, heap: Heap) -> None:
        self.run, self.heap = run, heap
        self.names: dict[str, tuple[int, int]] = {}
        """Name to (address, bytes asked for)."""
        self.walk = Walk(heap.start, heap.start, ())
        self.last_syscalls: tuple[NamedSyscall, ...] = ()
        self.walker = heap.new_walker()
        self._standing: set[tuple[str, str]] = set()
        self._reported = 0

    def play(self, statement: Statement) -> bool:
        """False where the program under test died of it."""
        before = len(self.heap.calls)
        try:
            failure = self._perform(statement.operation)
        except GuestDied as died:
            self.run.died = died
            self.run.running = Step(statement, died_in=self._function(statement.operation))
            call = len(self.heap.calls) + isinstance(statement.operation, op.Allocation)
            self.run.findings += self._new_findings()
            self.run.findings.append(Finding(died.rule, died.what, call))
            return False
        called = len(self.heap.calls) > before
        self.run.steps.append(self._called(statement) if called else self._step(statement, failure))
        return True

    def finish(self) -> Run:
        run, heap = self.run, self.heap
        run.heap_start, run.brk = heap.start, heap.brk
        run.blocks = self.walker.walk(heap.start, heap.brk).blocks
        run.block_places = tuple(heap.place(block.address) for block in run.blocks)
        run.contract, run.live = heap.contract, tuple(heap.ledger.in_order())
        run.live_places = {one.address: heap.place(one.address) for one in run.live}
        run.requested = {address: p.size for address, p in heap.ledger.live.items()}
        run.output = heap.process.kernel.output(1) + heap.process.kernel.output(2)
        run.index = heap.index
        standing = heap.check_blocks(self.walk) if run.index and not run.died else None
        run.findings += self._new_findings(standing)
        return run

    # Performing

    def _perform(self, operation: op.Operation) -> str | None:
        """The failure of an expectation; None for everything else, and where it is met."""
        heap = self.heap
        match operation:
            case op.Malloc(name, size):
                self.names[name] = heap.malloc(size), size
            case op.Calloc(name, count, size):
                self.names[name] = heap.calloc(count, size), count * size
            case op.Realloc(name, source, size):
                self.names[name] = heap.realloc(self._pointer(source), size), size
            case op.Free(source):
                heap.free(self._pointer(source))
            case op.Fill(name, byte):
                address, size = self.names[name]
                heap.fill(address, byte, size)
            case op.Write(name, offset, data):
                heap.write(self._pointer(name), offset, data)
            case op.Fail(syscall, nth, errno):
                heap.process.kernel.shortages.plan(syscall, nth, errno)
            case _:
                return self._expect(operation)
        return None

    def _pointer(self, name: str | None) -> int:
        return self.names[name][0] if name else 0

    def _expect(self, operation: op.Expectation) -> str | None:
        match operation:
            case op.ExpectPointer(name, equal, other):
                return self._expect_pointer(name, equal, other)
            case op.ExpectBlocks(expected):
                if self.heap.contract != OSMEM:
                    return "nobody can walk the blocks of this allocator"
                found = tuple((str(b.status), b.size) for b in self.heap.blocks)
                return _unlike("the blocks are", expected, found, _spelled_blocks)
            case op.ExpectSyscalls(names):
                return _unlike("the system calls were", names, self._asked(names), " ".join)
            case op.ExpectErrno(number):
                errno = self.heap.errno
                return None if errno == number else f"os_errno is {_spelled_errno(errno)}"
        findings = [*self.run.findings, *self.heap.check()]
        return f"a finding was made: {findings[0]}" if findings else None

    def _asked(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """What was asked last, with arguments where they are expected."""
        made = self.last_syscalls
        whole = [name.endswith(")") for name in names] + [False] * len(made)
        return tuple(
            call.asked if all_of_it else call.name
            for call, all_of_it in zip(made, whole, strict=False)
        )

    def _expect_pointer(
        self, name: str, equal: bool, other: op.Place | op.Name | int | None
    ) -> str | None:
        address = self._pointer(name)
        if isinstance(other, op.Place):
            wanted = self.heap.places.address(other.base, other.offset)
            if wanted is None and equal:
                return f"there is no {other.base} yet; {name} is {self._shown(address)}"
        else:
            wanted = self._pointer(other.name) if isinstance(other, op.Name) else other or 0
        if (address == wanted) is equal:
            return None
        return f"{name} is {self._shown(address)}"

    def _shown(self, address: int) -> str:
        return self.heap.places.spelled(address) if address else "null"

    # Recording

    def _called(self, statement: Statement) -> Step:
        heap = self.heap
        call = heap.calls[-1]
        walk = self.walker.walk(heap.start, heap.brk)
        walked = heap.contract == OSMEM
        changes = describe(call, self.walk, walk) if walked else describe_unwalked(call)
        self.last_syscalls = heap.named_syscalls[-1]
        wrong = heap.check_blocks(walk, only_changed=not self._standing)
        findings = self._new_findings(wrong)
        self.run.findings += findings
        self._remember(call, walk)
        return Step(
            statement,
            call,
            self._places_of(call),
            None if call.result is None else heap.places.pointer(call.result),
            self.last_syscalls,
            tuple(changes),
            tuple(findings),
        )

    def _remember(self, call: Call, walk: Walk) -> None:
        heap, history = self.heap, self.run.history
        free = [block.size for block in walk.free]
        sample = Sample(
            call=call.index,
            brk=heap.brk - heap.start,
            live=heap.ledger.live_bytes,
            free=sum(free),
            largest_free=max(free, default=0),
            blocks=len(walk.blocks) if heap.contract == OSMEM else len(heap.ledger.live),
            instructions=call.instructions,
        )
        history.add(sample, walk.middle(walk.blocks), walk.middle(self.walk.blocks))
        if call.result and (promise := heap.ledger.live.get(call.result)):
            history.held(walk.find(call.result), call.index, promise.size)
        self.walk = walk

    def _step(self, statement: Statement, failure: str | None) -> Step:
        if not isinstance(statement.operation, op.Expectation):
            self.last_syscalls = ()
        findings = self._new_findings()
        self.run.findings += findings
        return Step(statement, findings=tuple(findings), failure=failure)

    def _function(self, operation: op.Operation) -> str:
        """What an operation calls; "" for one that calls nothing."""
        kind = type(operation).__name__.lower()
        return self.heap.description.functions.get(kind, "")

    def _places_of(self, call: Call) -> tuple[int | str | None, ...]:
        if call.kind in ("free", "realloc"):
            return (self.heap.places.pointer(call.args[0]), *call.args[1:])
        return call.args

    def _new_findings(self, standing: list[Finding] | None = None) -> list[Finding]:
        """Findings since the last time; what is wrong with the blocks is told when it begins."""
        found = self.heap.findings
        new = found[self._reported :]
        self._reported = len(found)
        if standing is None:
            return new
        fresh = [f for f in standing if (f.rule, f.message) not in self._standing]
        self._standing = {(finding.rule, finding.message) for finding in standing}
        return [*new, *fresh]


def _unlike(
    what: str, expected: tuple[object, ...], found: tuple[object, ...], spell: Callable[..., str]
) -> str | None:
    if expected == found:
        return None
    return f"{what} {spell(found) or 'none'}"


def _spelled_errno(number: int) -> str:
    return errno_name(number) if number else "0"


def _spelled_blocks(blocks: tuple[tuple[str, int], ...]) -> str:
    return " ".join(f"{status} {size}" for status, size in blocks)
