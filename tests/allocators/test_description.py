"""What is known of an allocator before it is called, and what it is held to."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from emu import Heap
from emu.allocators.choice import Choice
from emu.allocators.description import MALLOC, OSMEM, Description, described, functions_in
from emu.allocators.files import Kind
from emu.errors import AllocatorError
from emu.process.event import kind_of


@pytest.mark.parametrize("prefix", ["", "os_", "mm_", "je_"])
@pytest.mark.parametrize("kind", ["malloc", "calloc", "realloc", "free"])
def test_the_kind_of_a_function_is_the_end_of_its_name(prefix, kind):
    assert kind_of(prefix + kind) == kind


def test_another_function_has_no_kind():
    assert kind_of("find_best") == ""


def test_a_call_has_the_real_name_and_a_kind():
    with Heap() as heap:
        heap.free(heap.malloc(1))
        assert [(call.name, call.kind) for call in heap.calls] == [
            ("os_malloc", "malloc"),
            ("os_free", "free"),
        ]


def test_functions_are_found_by_the_likeliest_prefix():
    names = {"malloc", "free", "realloc", "my_malloc", "my_free"}
    assert functions_in(names.__contains__) == ("my_", {"malloc": "my_malloc", "free": "my_free"})
    assert functions_in(names.__contains__, "") == (
        "",
        {"malloc": "malloc", "realloc": "realloc", "free": "free"},
    )
    assert functions_in(names.__contains__, "je_") is None


def test_malloc_without_free_is_no_allocator():
    assert functions_in({"os_malloc", "malloc"}.__contains__) is None


@pytest.mark.parametrize(("prefix", "contract"), [("os_", OSMEM), ("", MALLOC), ("mm_", MALLOC)])
def test_what_is_called_os_malloc_is_held_to_osmem(prefix, contract):
    names = {prefix + "malloc", prefix + "free"}
    assert described(Choice("mine.c"), names, Kind.C).contract == contract


@pytest.mark.parametrize(
    ("names", "prefix", "message"),
    [
        ({"os_malloc"}, None, "no allocator: os_free is missing"),
        ({"my_free", "my_calloc"}, None, "no allocator: my_malloc is missing"),
        ({"je_malloc", "malloc", "free"}, "je_", "no allocator: je_free is missing"),
        ({"malloc", "free"}, "x_", "no allocator: x_malloc, x_free are missing"),
        ({"je_malloc", "je_free"}, None, "expected: --prefix je_"),
        (set(), None, "it has no malloc and no free by a name that is known"),
    ],
)
def test_what_is_missing_is_named(names, prefix, message):
    with pytest.raises(AllocatorError) as error:
        described(Choice("mine.c", prefix=prefix), names, Kind.C)
    assert message in str(error.value)


def test_a_function_that_is_missing_is_said_to_be():
    functions = MappingProxyType({"malloc": "mm_malloc", "free": "mm_free"})
    described = Description("mm.c", functions, "mm_", None, MALLOC, Kind.C)
    assert not described.has("calloc")
    with pytest.raises(AllocatorError, match=r"mm\.c: the allocator has no mm_calloc"):
        described.function("calloc")


def test_under_another_contract_nobody_looks_at_blocks():
    with Heap(contract=MALLOC) as heap:
        heap.memory[heap.malloc(8) - 32] = 0xFF  # osmem's size: a block that reaches nowhere
        assert (heap.blocks, heap.check()) == ((), [])
    with Heap() as heap:
        heap.memory[heap.malloc(8) - 32] = 0xFF
        assert heap.check()


def test_an_unknown_contract_is_refused():
    with pytest.raises(ValueError, match="no contract: one of osmem, malloc"):
        Heap(contract="posix")
