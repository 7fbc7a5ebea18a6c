"""Heap, as a person uses it."""

from __future__ import annotations

import gc
import resource

import pytest

from emu import Heap
from emu.errors import AllocatorError, ClosedError, GuestFault
from syscalls import Limits
from syscalls.region import READ_WRITE

ENTRIES = ("os_calloc", "os_realloc", "os_free", "os_malloc")


@pytest.fixture
def heap():
    with Heap() as made:
        yield made


def test_the_four_functions_answer_as_the_contract_says(heap):
    p = heap.malloc(100)
    q = heap.calloc(10, 4)
    assert (heap.place(p), heap.place(q)) == ("heap+0x20", "heap+0xa8")
    r = heap.realloc(p, 200)
    assert heap.place(r) == "heap+0xf0"
    heap.free(q)
    assert [(b.size, b.status) for b in heap.blocks] == [
        (104, "free"),
        (40, "free"),
        (200, "alloc"),
        (130600, "free"),
    ]


def test_null_is_zero_and_none_is_taken_for_it(heap):
    assert heap.malloc(0) == 0
    heap.free(None)
    assert heap.realloc(None, 8) == heap.start + 32


def test_system_calls_print_as_strace_prints_them(heap):
    heap.malloc(8)
    heap.fail("mmap")
    heap.malloc(1 << 20)
    assert str(heap.syscalls) == (
        f"(brk(0) = {heap.start:#x}, brk({heap.start + 0x20000:#x}) = {heap.start + 0x20000:#x}, "
        "mmap(0, 1048608, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 ENOMEM)"
    )


def test_memory_is_read_and_written_in_slices(heap):
    p = heap.malloc(16)
    heap.memory[p : p + 5] = b"hello"
    heap.memory[p + 5] = 33
    assert heap.memory[p : p + 6] == b"hello!"
    assert heap.memory[p] == ord("h")


@pytest.mark.parametrize("key", [0, slice(0, 8), slice(None, 8), slice(0x400000, 0x400010, 2)])
def test_memory_that_is_not_mapped_is_an_index_error(heap, key):
    with pytest.raises(IndexError):
        heap.memory[key]


def test_a_slice_takes_exactly_its_bytes(heap):
    p = heap.malloc(16)
    with pytest.raises(ValueError, match="3 bytes do not fill 4"):
        heap.memory[p : p + 4] = b"abc"


def test_os_errno_says_why_an_allocation_failed(heap):
    assert heap.errno == 0
    assert heap.malloc(2**64 - 1) == 0
    assert heap.errno == 12


def test_limits_make_the_kernel_refuse():
    with Heap(limits=Limits(data=100_000)) as small:
        assert small.malloc(8) == 0
        assert small.errno == 12
    with Heap(limits=Limits(address_space=16 << 20)) as small:
        assert small.malloc(8)
        assert small.malloc(16 << 20) == 0


def test_a_program_that_dies_raises_with_a_report(heap):
    with pytest.raises(GuestFault) as caught:
        heap.free(0x1000)
    assert caught.value.address == 0x1000 - 32 + 8
    assert "asm/osmem/free.s" in str(caught.value)
    assert "os_free(4096)" in str(caught.value)


def test_the_picture_shows_blocks_calls_and_findings(heap):
    a = heap.malloc(1000)
    heap.free(a)
    heap.free(a)
    text = str(heap)
    assert "heap+0x20            1000   . free" in text
    assert "#2 os_free(heap+0x20)" in text
    assert "! double-free (#3)" in text


def test_two_heaps_do_not_know_of_each_other():
    with Heap() as one, Heap() as two:
        assert one.malloc(8) == two.malloc(8)
        assert len(one.blocks) == len(two.blocks) == 2


def test_an_unknown_allocator_is_named():
    with pytest.raises(AllocatorError, match="unknown allocator `nobody`"):
        Heap("nobody")


def test_a_file_without_the_entry_points_is_no_allocator(tmp_path):
    (tmp_path / "half.s").write_text(".globl os_malloc\nos_malloc:\n ret\n")
    with pytest.raises(AllocatorError, match="os_free is missing"):
        Heap(tmp_path / "half.s")


def test_a_changed_source_is_assembled_again(tmp_path):
    body = "\n".join(
        f".globl {n}\n{n}:" for n in ("os_calloc", "os_realloc", "os_free", "os_malloc")
    )
    source = tmp_path / "constant.s"
    for answer in (64, 128):
        source.write_text(f"{body}\n mov eax, {answer}\n ret\n")
        with Heap(source) as heap:
            assert heap.process.call("os_malloc", 1).result == answer


def test_closed_heaps_give_their_memory_back():
    def resident():
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def use(count):
        for _ in range(count):
            with Heap() as heap:
                heap.fill(heap.malloc(100_000), 1)

    use(20)
    before = resident()
    use(100)
    assert resident() - before < 20_000  # KiB; an engine that is kept costs 2 700


def test_a_closed_heap_says_so(heap):
    p = heap.malloc(8)
    heap.close()
    for use in (lambda: heap.malloc(8), lambda: heap.blocks, lambda: heap.memory[p]):
        with pytest.raises(ClosedError, match="closed"):
            use()


def test_many_heaps_can_be_open_at_once():
    heaps = [Heap() for _ in range(1000)]
    for heap in heaps:
        assert heap.malloc(8)
        heap.close()


@pytest.mark.parametrize("size", [-1, 1 << 64])
def test_a_size_that_is_no_size_t_is_refused(heap, size):
    with pytest.raises(ValueError, match="64 bits"):
        heap.malloc(size)


@pytest.mark.parametrize("answer", ["-8", "-12", "-4096", "0x7fffffffffffffff", "16"])
def test_any_pointer_may_be_answered(tmp_path, answer):
    body = "\n".join(f".globl {n}\n{n}:" for n in ENTRIES)
    (tmp_path / "wild.s").write_text(f"{body}\n mov rax, {answer}\n ret\n")
    with Heap(tmp_path / "wild.s") as heap:
        p = heap.malloc(100)
        heap.calloc(10, 10)
        heap.realloc(p, 50)
        assert {"outside"} <= {finding.rule for finding in heap.check()}


def test_an_included_file_that_changed_is_assembled_again(tmp_path):
    (tmp_path / "parts").mkdir()
    body = "\n".join(f".globl {n}\n{n}:" for n in ENTRIES)
    (tmp_path / "main.s").write_text(f'{body}\n .include "parts/answer.inc"\n')
    for answer in (64, 1280):
        (tmp_path / "parts" / "answer.inc").write_text(f" mov eax, {answer}\n ret\n")
        with Heap(tmp_path / "main.s") as heap:
            assert heap.process.call("os_malloc", 1).result == answer


def test_what_the_guest_writes_is_kept_up_to_a_bound(heap):
    kernel = heap.process.kernel
    kernel.space.map(0x10000000, 3 << 20, READ_WRITE)
    assert kernel.call(1, (1, 0x10000000, 3 << 20, 0, 0, 0)) == 3 << 20
    assert len(kernel.output(1)) == 1 << 20
