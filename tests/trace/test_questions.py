"""Who wrote it, who touched it, what it cost: against plain scans, and against memory itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emu import Heap, run
from emu.process.event import Discarded, Moved, Owned, Refilled, Shown, SystemCalled, Wrote
from emu.scenario.load import shipped
from emu.trace.costs import costs, whole_cost
from emu.trace.memory import Memory
from emu.trace.questions import last_write, writes
from emu.trace.shown import effects_of
from emu.trace.toucher import calls_touching
from emu.trace.trace import Trace
from syscalls.abi import PAGE

SCENARIOS = {path.stem: path for path in shipped(())}
FRAME = 1 << 48


@pytest.fixture(params=SCENARIOS, scope="module")
def trace(request: pytest.FixtureRequest) -> Trace:
    done = run(SCENARIOS[request.param], accesses=True)
    assert done.trace is not None
    return done.trace


def _every_access(trace: Trace) -> list[tuple[int, int, int, int, bool]]:
    """(moment, address, size, value, whether written), by a walk over every entry."""
    found = []
    for access in trace.accesses:
        entry = int(access["entry"])
        offsets = trace.blocks.offsets(int(trace.entries[entry]))
        moment = int(trace.starts[entry]) + offsets.index(int(access["offset"]))
        address, size, value = (int(access[name]) for name in ("address", "size", "value"))
        found.append((moment, address, size, value & (1 << 8 * size) - 1, bool(access["write"])))
    return found


def _of_the_kernel(trace: Trace, address: int) -> bool:
    """Whether anybody but the program has changed a byte, as far as an event tells."""
    for event in trace.events:
        for effect in effects_of(event):
            match effect:
                case Wrote(start, data) if start <= address < start + len(data):
                    return True
                case Discarded(start, end) if start <= address < end:
                    return True
    return False


def test_the_last_write_is_what_a_plain_scan_finds(trace: Trace) -> None:
    scanned = {}
    for moment, address, size, value, write in _every_access(trace):
        if write:
            scanned |= dict.fromkeys(range(address, address + size), (moment, address, size, value))
    plain = [byte for byte in scanned if not _of_the_kernel(trace, byte)]
    assert len(plain) > 100
    for byte in plain[:: max(1, len(plain) // 200)]:
        found = last_write(trace, byte)
        assert found is not None
        assert (found.moment, found.address, found.size, found.value) == scanned[byte]


def test_a_write_before_a_moment_is_the_last_of_those_before_it(trace: Trace) -> None:
    every = [o for o in _every_access(trace) if o[4] and not _of_the_kernel(trace, o[1])]
    assert len(every) > 20
    for moment, address, *_ in every[:: max(1, len(every) // 50)]:
        expected = [m for m, a, size, _, _ in every if a <= address < a + size and m < moment]
        found = last_write(trace, address, moment)
        assert (found.moment if found else None) == (expected[-1] if expected else None)


def test_what_was_written_last_is_what_memory_has() -> None:
    with Heap() as heap:
        with heap.trace(accesses=True) as recorder:
            a = heap.malloc(100)
            heap.fill(a, 0x5A)
            b = heap.calloc(3, 9)
            heap.free(a)
            heap.realloc(b, 3000)
        trace = recorder.trace
        memory = Memory(trace, heap.start, heap.brk)
        memory.to_end()
        assert memory.read(heap.start, heap.brk - heap.start) == heap.memory[heap.start : heap.brk]
        for address in range(heap.start, heap.start + 4000):
            found = last_write(trace, address)
            written = found.data[address - found.address] if found and found.data else 0
            assert written == heap.memory[address]


def test_a_write_names_its_line_its_call_and_its_value() -> None:
    done = run(SCENARIOS["reuse"], accesses=True)
    assert done.trace is not None
    found = writes(done.trace, done.heap_start + 8, done.heap_start + 9)
    assert [(one.value, one.call) for one in found] == [(0, 1), (1, 1), (0, 3), (1, 4)]
    freed = found[2]
    assert freed.where is not None
    assert freed.where.function == "os_free"
    assert freed.where.line is not None
    assert "BLOCK_STATUS], FREE" in freed.where.line.text
    assert str(done.trace.instruction(freed.moment)) == freed.where.text
    assert found[-1] == last_write(done.trace, done.heap_start + 8)


def test_costs_are_what_a_loop_counts(trace: Trace) -> None:
    every = _every_access(trace)
    for cost in costs(trace):
        assert cost.span is not None
        span = cost.span
        mine = [one for one in every if span.first <= one[0] < span.last]
        touched = {byte for _, address, size, *_ in mine for byte in range(address, address + size)}
        assert cost.instructions == len(trace.addresses(span.first, span.last))
        assert cost.writes == sum(one[4] for one in mine)
        assert cost.reads == len(mine) - cost.writes
        assert cost.lines == len({byte // 64 for byte in touched})
        assert cost.pages == len({byte // 4096 for byte in touched})
        rows = trace.entries[span.first_entry : span.last_entry]
        assert cost.blocks == sum(bool(trace.blocks.instructions[row]) for row in rows)


def test_the_costs_of_all_are_those_of_calls_and_of_what_is_between(trace: Trace) -> None:
    whole = whole_cost(trace)
    every = _every_access(trace)
    assert whole.instructions == len(trace)
    assert (whole.reads or 0) + (whole.writes or 0) == len(every)
    assert sum(cost.syscalls for cost in costs(trace)) == whole.syscalls
    assert whole.syscalls == sum(1 for _ in trace.of_kind(SystemCalled))


def test_costs_of_a_trace_without_accesses_have_instructions_alone() -> None:
    done = run(SCENARIOS["reuse"], trace=True)
    assert done.trace is not None
    assert [cost.instructions for cost in costs(done.trace)] == [118, 85, 9, 106, 105]
    assert {cost.reads for cost in costs(done.trace)} == {None}


def test_calls_touching_a_header_are_those_of_a_plain_scan(trace: Trace) -> None:
    address = int(trace.accesses["address"][len(trace.accesses) // 2]) & -32
    expected: dict[int | None, dict[str, list[int]]] = {}
    for moment, place, size, _, write in _every_access(trace):
        if place < address + 32 and place + size > address:
            call = trace.call_at(moment)
            by = expected.setdefault(call.index if call else None, {})
            name = trace.sources.function_at(int(trace.addresses(moment, moment + 1)[0]))
            by.setdefault(name, [0, 0])[write] += 1
    found = calls_touching(trace, address, address + 32)
    assert {
        one.call: {by.function: [by.reads, by.writes] for by in one.by} for one in found
    } == expected


# What the kernel writes


def _told(trace: Trace, *effects: object) -> Trace:
    """A trace in which the last system call did something to memory."""
    last = max(i for i, event in enumerate(trace.events) if isinstance(event, SystemCalled))
    event = trace.events[last]
    assert isinstance(event, SystemCalled)
    events = [*trace.events]
    events[last] = replace(event, effects=effects)
    return replace(trace, events=tuple(events))


@pytest.fixture(scope="module")
def grown() -> tuple[Trace, int]:
    done = run(SCENARIOS["reuse"], accesses=True)
    assert done.trace is not None
    return done.trace, done.heap_start


def test_the_kernels_writes_stand_among_the_programs(grown: tuple[Trace, int]) -> None:
    trace, start = grown
    far = start + 0x10000
    told = _told(trace, Wrote(start, b"\xff" * 8), Wrote(far, b"ab"))
    found = last_write(told, far + 1)
    assert found is not None
    assert (found.data, found.kernel, found.where, found.call) == (b"ab", "brk", None, 1)
    first, *rest = writes(told, start, start + 8)
    assert first.kernel == "brk"
    assert [one.kernel for one in rest] == [None] * len(writes(trace, start, start + 8))


def test_pages_that_were_discarded_read_as_zeros(grown: tuple[Trace, int]) -> None:
    trace, start = grown
    page = start + 4 * PAGE
    told = _told(trace, Wrote(page, b"\xff" * 16), Discarded(page, page + PAGE))
    found = last_write(told, page)
    assert found is not None
    assert found.value == 0
    memory = Memory(told, page, page + PAGE)
    memory.to_end()
    assert memory.read(page, 16) == bytes(16)


def test_pages_that_moved_take_their_bytes_along(grown: tuple[Trace, int]) -> None:
    trace, start = grown
    page = start + 4 * PAGE
    told = _told(trace, Wrote(page, b"xyz"), Moved(page, page + PAGE, page + 3 * PAGE))
    memory = Memory(told, page, page + 4 * PAGE)
    memory.to_end()
    assert memory.read(page + 3 * PAGE, 3) == b"xyz"
    assert memory.read(page, 3) == bytes(3)
    found = last_write(told, page + 3 * PAGE + 1)
    assert found is not None
    assert (found.data, found.kernel) == (None, "brk")


def test_a_write_to_a_frame_is_one_to_every_page_that_shows_it(grown: tuple[Trace, int]) -> None:
    trace, start = grown
    page, other = start + 4 * PAGE, start + 8 * PAGE
    told = _told(trace, Shown(page, FRAME, b"old"), Shown(other, FRAME, b"old"))
    accesses = trace.accesses.copy()
    last = len(accesses) - 1
    accesses[last]["address"], accesses[last]["write"] = FRAME + 1, True
    accesses[last]["size"], accesses[last]["value"] = 1, 0x21
    told = replace(told, accesses=accesses)
    for address in (page + 1, other + 1):
        found = last_write(told, address)
        assert found is not None
        assert (found.value, found.address) == (0x21, page + 1)
        memory = Memory(told, address - 1, address + 2)
        memory.to_end()
        assert memory.read(address - 1, 3) == b"o!d"
    before = told.accesses["address"][:last]
    assert not (before >= FRAME).any()


def test_a_page_of_its_own_is_written_alone(grown: tuple[Trace, int]) -> None:
    trace, start = grown
    page, other = start + 4 * PAGE, start + 8 * PAGE
    told = _told(
        trace,
        Shown(page, FRAME, b"a"),
        Shown(other, FRAME, b"a"),
        Owned(page),
        Refilled(FRAME, b"b"),
    )
    memory = Memory(told, page, other + PAGE)
    memory.to_end()
    assert (memory.read(page, 1), memory.read(other, 1)) == (b"a", b"b")
    kept, refilled = last_write(told, page), last_write(told, other)
    assert kept is not None
    assert refilled is not None
    assert (kept.data, refilled.data) == (b"a", b"b")
