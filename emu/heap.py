"""Heap: an allocator in a fresh process, for a person's hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asm.image import Image
from emu.allocators import Choice, choice_of, open_allocator
from emu.allocators.description import CONTRACTS, OSMEM, Description
from emu.closing import Closing
from emu.errors import SnapshotError
from emu.process.event import Call
from emu.process.machine import Snapshot
from emu.process.process import BUDGET, CallableProcess, Process
from emu.view import index as indexes
from emu.view import index_invariants, invariants
from emu.view.blocks import Block, NoWalker, Walk, Walker
from emu.view.call_history import CallHistory
from emu.view.finding import Finding
from emu.view.ledger import Ledger, LedgerState
from emu.view.memory_slice import MemorySlice, mapped
from emu.view.places import NamedSyscall, Places
from syscalls import Limits, SystemCall
from syscalls.abi import errno_number
from syscalls.beginning import Beginning
from syscalls.table import BY_NAME

if TYPE_CHECKING:
    from emu.sanitizer.heap import HeapSanitizer, SanitizerState
    from emu.trace.budget import Budget
    from emu.trace.recorder import Recorder

_WORD = (1 << 64) - 1
_INDEXED_BLOCKS_A_CALL = 64
"""So many free blocks of an index may be looked at for each call, where only changes are."""


class _Books(NamedTuple):
    """What is known of a heap outside its process."""

    ledger: LedgerState
    places: tuple[int, list[tuple[int, int, int]]]
    walker: tuple[list[bytes], Walk]
    calls: Beginning[Call]
    named_syscalls: Beginning[tuple[NamedSyscall, ...]]
    sanitizer: SanitizerState | None
    calls_unchecked: int


@dataclass(frozen=True, slots=True, eq=False)
class HeapSnapshot:
    """A heap at one time: for Heap.restore. What nobody holds any more costs nothing."""

    heap: Heap
    process: Snapshot
    books: _Books


class Heap(Closing):
    """An allocator and its heap. A context manager; `close` gives everything back.

        heap = Heap("osmem")
        p = heap.malloc(100)
        heap.free(p)

    allocator: a shipped name; the path of a `.s` or `.c` file, an object or archive, an ELF program
    or a shared library; or a Choice of one. limits: what the process may have. budget: instructions
    that one call may take, and the start-up of a program, which runs to its main. contract: "osmem"
    or "malloc", what the allocator is held to; by its functions' names, where nothing is said: what
    is called os_malloc is osmem. Under "malloc" the heap's blocks are not walked. cflags: for the
    compiler of what is C. prefix: what the functions' names begin with. heap_start: where the heap
    of an allocator in assembly begins; its image lies right below. sanitize: each access is looked
    at (emu/sanitizer/heap.py), which makes calls some times slower. Pointers are ints; 0 and None
    are NULL.
    """

    def __init__(
        self,
        allocator: str | Path | Choice = "osmem",
        *,
        limits: Limits | None = None,
        budget: int = BUDGET,
        contract: str | None = None,
        sanitize: bool = False,
        cflags: str | None = None,
        prefix: str | None = None,
        heap_start: int | None = None,
    ) -> None:
        if contract not in (None, *CONTRACTS):
            raise ValueError(f"`{contract}` is no contract: one of {', '.join(CONTRACTS)}")
        choice = choice_of(allocator, cflags, prefix, heap_start)
        process, description = open_allocator(choice, limits=limits, budget=budget)
        self._set_up(description, contract or description.contract, process, sanitize=sanitize)

    def _set_up(
        self, description: Description, contract: str, process: CallableProcess, *, sanitize: bool
    ) -> None:
        self.description, self.contract = description, contract
        self.allocator, self.process = description.name, process
        self.places = Places(process.heap_start)
        self.ledger = Ledger(self.process.memory, self.places.spelled, self._usable)
        self.memory = MemorySlice(self.process, self._changed)
        self.calls: list[Call] = []
        self.named_syscalls: list[tuple[NamedSyscall, ...]] = []
        """What each call asked of the kernel, with places for addresses."""
        self._walker = self.new_walker()
        self._history: CallHistory[HeapSnapshot] | None = None
        self.findings.extend(Finding("convention", what) for what in process.violations)
        self._calls_unchecked = 0
        self._sanitizer = self._new_sanitizer() if sanitize else None

    def _new_sanitizer(self) -> HeapSanitizer:
        from emu.sanitizer.heap import HeapSanitizer

        return HeapSanitizer(self.process, self.places.spelled, self.ledger.find)

    def close(self) -> None:
        if self._sanitizer is not None and not self.closed:
            self._sanitizer.close()
        self.process.close()

    @property
    def image(self) -> Image:
        """What was assembled. AttributeError where the allocator is no assembly."""
        if not isinstance(self.process, Process):
            raise AttributeError(f"{self.allocator} is no assembly: it has no image")
        return self.process.image

    @property
    def closed(self) -> bool:
        return self.process.closed

    # Going back

    def snapshot(self) -> HeapSnapshot:
        """The heap as it is now, and all that is known of it. It costs what is changed later.

        Take any number, and go back to any of them, any number of times.
        """
        return HeapSnapshot(self, self.process.snapshot(), self._books())

    def restore(self, snapshot: HeapSnapshot) -> None:
        """The heap is as it was, also where its process has died since.

        SnapshotError for a snapshot of another heap.
        """
        if snapshot.heap is not self:
            raise SnapshotError("the snapshot is of another heap")
        self._go_to(snapshot)
        self._history = None

    def _go_to(self, snapshot: HeapSnapshot) -> None:
        self.process.restore(snapshot.process)
        self._put_back(snapshot.books)

    @property
    def history(self) -> CallHistory[HeapSnapshot]:
        """Steps call by call, both ways, as far back as when it was first asked for.

        `restore` begins another one.
        """
        if self._history is None:
            self._history = CallHistory(self.snapshot, self._go_to)
        return self._history

    def _calling(self) -> None:
        if self._history is not None:
            self._history.calling()

    def fork(self) -> Heap:
        """Another heap in the same state. Each goes on by itself; close both."""
        new = Heap.__new__(Heap)
        sanitize = self._sanitizer is not None
        new._set_up(self.description, self.contract, self.process.fork(), sanitize=sanitize)
        new._put_back(self._books())
        return new

    def _books(self) -> _Books:
        return _Books(
            self.ledger.saved(), self.places.saved(), self._walker.saved(),
            Beginning.of(self.calls), Beginning.of(self.named_syscalls),
            self._sanitizer.saved() if self._sanitizer else None, self._calls_unchecked,
        )  # fmt: skip

    def _put_back(self, books: _Books) -> None:
        self.ledger.put_back(books.ledger)
        self.places.put_back(books.places)
        self._walker.put_back(books.walker)
        self.calls = books.calls.again(self.calls)
        self.named_syscalls = books.named_syscalls.again(self.named_syscalls)
        self._calls_unchecked = books.calls_unchecked
        if self._sanitizer is not None and books.sanitizer is not None:
            self._sanitizer.put_back(books.sanitizer)

    # The allocator

    def malloc(self, size: int) -> int:
        """malloc(size): a payload, or 0."""
        self._calling()
        call = self._call("malloc", size)
        self.ledger.allocated(call.index, call.result or 0, size)
        return call.result or 0

    def calloc(self, count: int, size: int) -> int:
        """calloc(count, size): a payload of zeros, or 0.

        AllocatorError where the allocator has no calloc (`description.has`).
        """
        self.description.function("calloc")
        self._calling()
        call = self._call("calloc", count, size)
        self.ledger.allocated(call.index, call.result or 0, count * size, zeroed=True)
        return call.result or 0

    def realloc(self, payload: int | None, size: int) -> int:
        """realloc(payload, size): the payload, the same or another, or 0.

        AllocatorError where the allocator has no realloc (`description.has`).
        """
        self.description.function("realloc")
        self._calling()
        old = payload or 0
        self.ledger.resizing(old, size, len(self.calls) + 1)
        call = self._call("realloc", old, size)
        self.ledger.resized(call.index, old, call.result or 0, size)
        return call.result or 0

    def free(self, payload: int | None) -> None:
        """free(payload)."""
        self._calling()
        self.ledger.freeing(len(self.calls) + 1, payload or 0)
        call = self._call("free", payload or 0)
        self.ledger.freed(call.index)

    @property
    def errno(self) -> int:
        """What the allocator stored in os_errno, or in its libc's errno; 0 where it has none."""
        address = self.description.errno
        if address is None:
            return 0
        return int.from_bytes(self.process.memory.read(address, 4), "little", signed=True)

    # The program around it

    def fill(self, payload: int, byte: int, size: int | None = None) -> None:
        """The program writes a payload by guest instructions; all of it, unless `size` is given."""
        if size is None:
            promise = self.ledger.live.get(payload)
            if promise is None:
                raise ValueError(f"{payload:#x} is no block in use: say how many bytes")
            size = promise.size
        if size < 0:
            raise ValueError(f"{size} bytes cannot be written")
        self._store(payload, payload, bytes([byte]), size)

    def write(self, payload: int, offset: int, data: bytes) -> None:
        """The program writes bytes at payload + offset by guest instructions, in range or not."""
        self._store(payload, payload + offset, data, len(data))

    def read(self, payload: int, offset: int, size: int) -> bytes:
        """The program reads bytes at payload + offset by guest instructions, in range or not."""
        if size < 0:
            raise ValueError(f"{size} bytes cannot be read")
        start = payload + offset & _WORD
        self.process.look(start, size)
        return self.process.memory.read(start, size)

    def fail(self, syscall: str, nth: int = 1, errno: str = "ENOMEM") -> None:
        """The nth call of a system call from now on answers with an errno."""
        number = errno_number(errno)
        if syscall not in BY_NAME or number is None:
            raise ValueError(f"no system call `{syscall}`, or no errno `{errno}`")
        self.process.kernel.shortages.plan(syscall, nth, number)

    def trace(self, *, accesses: bool = False, registers: bool = False) -> Recorder:
        """Records what happens within a `with`: every instruction.

        And accesses, and registers before each instruction, where asked for.

        with heap.trace(accesses=True) as recorder:
            heap.malloc(100)
        recorder.trace
        """
        from emu.trace.recorder import Recorder

        return Recorder(
            self.process, accesses=accesses, registers=registers, sources=self.process.sources
        )

    def budget(
        self,
        *,
        instructions: int | None = None,
        accesses: int | None = None,
        lines: int | None = None,
        pages: int | None = None,
        faults: int | None = None,
        syscalls: int | None = None,
        each: bool = False,
    ) -> Budget:
        """What the calls within a `with` may cost, all together; with `each`, each of them.

        accesses: of memory; lines, pages: cache lines of 64 bytes and pages that a call touches;
        faults: pages that the kernel gave. OverBudget, an AssertionError, where more was spent:
        it tells by which calls and lines. Afterwards, `spent` and `calls` have the counts.

        with heap.budget(instructions=500, syscalls=0):
            heap.malloc(10)
        """
        from emu.trace.budget import Budget

        limits = {
            "instructions": instructions, "accesses": accesses, "lines": lines, "pages": pages,
            "faults": faults, "syscalls": syscalls,
        }  # fmt: skip
        given = {name: most for name, most in limits.items() if most is not None}
        return Budget(self.process, lambda: self.calls, given, each=each, name=self.places.spelled)

    # Looking

    @property
    def start(self) -> int:
        """The first break."""
        return self.process.heap_start

    @property
    def brk(self) -> int:
        """The break."""
        return self.process.kernel.space.brk

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The heap's blocks in address order, read from emulated memory.

        None under another contract than osmem's: nobody knows how they look.
        """
        return self.walk().blocks

    def walk(self) -> Walk:
        """The same, and whether they tile the heap."""
        return self._walker.walk(self.start, self.brk)

    def new_walker(self) -> Walker | NoWalker:
        """Who reads the heap's blocks."""
        return Walker(self.process.memory) if self.contract == OSMEM else NoWalker()

    @property
    def index(self) -> indexes.Index | None:
        """The index over the free blocks, where the allocator has one, read from its memory."""
        return indexes.read(self._symbols, self.process.memory, self.start, self.brk)

    @property
    def is_indexed(self) -> bool:
        """Whether the allocator has such an index."""
        return indexes.is_indexed(self._symbols)

    @property
    def _symbols(self) -> Mapping[str, int]:
        return self.process.image.symbols if isinstance(self.process, Process) else {}

    @property
    def syscalls(self) -> tuple[SystemCall, ...]:
        """Every system call of the process so far; prints as strace prints."""
        return tuple(self.process.kernel.calls)

    def place(self, address: int) -> str | int:
        """An address as heap+0x20 or map1+0x20."""
        return self.places.place(address)

    def check(self) -> list[Finding]:
        """Everything found wrong so far, by the ledger and in the heap as it is now."""
        return [*self.findings, *self.check_blocks(self.walk())]

    @property
    def findings(self) -> list[Finding]:
        """What the ledger has found, and broken promises of the calling convention."""
        return self.ledger.findings

    def check_blocks(self, walk: Walk, *, only_changed: bool = False) -> list[Finding]:
        """The invariants of the heap after the last call.

        only_changed: the walk before this one was found sound. An index of many blocks is then
        looked at now and then only.
        """
        if self.contract != OSMEM:
            return []
        last = self.calls[-1] if self.calls else None
        searched = (
            last is not None
            and last.kind in ("malloc", "calloc")
            and self.start < (last.result or 0) < self.brk
        )
        heap = invariants.Heap(walk, searched, self.places.spelled, only_changed)
        found = invariants.check(heap, last.index if last else None)
        if only_changed and not self._index_is_due(len(walk.free)):
            return found
        return found + self._check_index(walk, searched, last.index if last else None)

    def _index_is_due(self, free: int) -> bool:
        """An index is looked at as a whole: of many blocks, not after every call."""
        self._calls_unchecked += 1
        due = self._calls_unchecked * _INDEXED_BLOCKS_A_CALL >= free
        if due:
            self._calls_unchecked = 0
        return due

    def _check_index(self, walk: Walk, searched: bool, call: int | None) -> list[Finding]:
        index = self.index
        if index is None:
            return []
        indexed = index_invariants.Indexed(index, walk, searched, self.places.spelled)
        return index_invariants.check(indexed, call)

    def __str__(self) -> str:
        from emu.report.picture import picture

        return picture(self)

    # Inside

    def _call(self, kind: str, *args: int) -> Call:
        name = self.description.function(kind)
        if not all(0 <= arg <= _WORD for arg in args):
            raise ValueError(f"{name}{args}: an argument does not fit in 64 bits")
        if self._sanitizer is not None:
            self._sanitizer.calling(len(self.calls) + 1, kind, args)
        returned = self.process.call(name, *args)
        if self._sanitizer is not None:
            self._sanitizer.called(returned.result, returned.syscalls)
        call = Call(
            index=len(self.calls) + 1,
            name=name,
            args=args,
            result=None if kind == "free" else returned.result,
            instructions=returned.instructions,
            syscalls=returned.syscalls,
            violations=returned.violations,
            errno=self.errno,
        )
        self.calls.append(call)
        for violation in call.violations:
            self.ledger.find(call.index, "convention", f"{name}: {violation.message}")
        self.named_syscalls.append(tuple(map(self.places.learn, returned.syscalls)))
        return call

    def _store(self, base: int, start: int, data: bytes, size: int) -> None:
        told = len(self.ledger.findings)
        self.ledger.writing(len(self.calls), base, start, size)
        if self._sanitizer is not None:
            self._sanitizer.known = len(self.ledger.findings) > told
        start &= _WORD
        if len(set(data)) == 1:
            self.process.fill(start, data[0], size)
        else:
            for offset, byte in enumerate(data):
                self.process.fill(start + offset, byte, 1)
        if self._sanitizer is not None:
            self._sanitizer.known = False
        self.ledger.written(start, size)

    def _changed(self, start: int, size: int) -> None:
        """A person has written by hand."""
        self.ledger.written(start, size)
        if self._sanitizer is not None:
            self._sanitizer.written(start, size)

    def _usable(self, start: int, end: int) -> bool:
        """Whether [start, end) is readable, writable, and below the break if in the heap."""
        in_heap = self.start <= start < max(self.brk, self.places.heap_end)
        return mapped(self.process, start, end, writable=True) and not (in_heap and end > self.brk)
