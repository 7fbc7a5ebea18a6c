"""The pytest plugin, driven by a real pytest."""

from __future__ import annotations

REUSE = """
def test_a_freed_block_is_reused(heap):
    a = heap.malloc(100)
    heap.malloc(8)
    heap.free(a)
    assert heap.malloc(100) == a
"""


def run(pytester, *args):
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)


def test_the_fixture_is_a_fresh_heap(pytester):
    pytester.makepyfile(REUSE + "\ndef test_another(heap):\n    assert heap.blocks == ()\n")
    run(pytester).assert_outcomes(passed=2)


def test_a_failure_draws_the_heap_and_the_last_calls(pytester):
    pytester.makepyfile("def test_it(heap):\n    a = heap.malloc(100)\n    assert a == 0\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- heap -*",
            "heap  128 KiB   in use 104*",
            "heap+0x20*104   # alloc*#1",
            "#1 os_malloc(100) = heap+0x20",
        ]
    )


def test_a_test_that_passes_draws_nothing(pytester):
    pytester.makepyfile(REUSE)
    assert "in use" not in run(pytester).stdout.str()


def test_a_program_that_dies_fails_the_test_with_its_report(pytester):
    pytester.makepyfile("def test_it(heap):\n    heap.free(0x1000)\n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*page fault: read of 0xfe8, where nothing is mapped*"])


def test_another_allocator_is_chosen_on_the_command_line(pytester):
    pytester.makepyfile(REUSE)
    names = ("os_calloc", "os_realloc", "os_free", "os_malloc")
    labels = "\n".join(f".globl {name}\n{name}:" for name in names)
    pytester.makefile(".s", nothing=f"{labels}\n xor eax, eax\n ret\n")
    result = run(pytester, "--allocator", "nothing.s")
    result.assert_outcomes(passed=1)  # NULL == NULL
    pytester.makepyfile("def test_it(heap):\n    assert heap.malloc(8)\n")
    run(pytester, "--allocator", "nothing.s").assert_outcomes(failed=1)
    run(pytester, "--allocator", "osmem").assert_outcomes(passed=1)


def test_a_wrong_allocator_is_said_once_and_plainly(pytester):
    pytester.makepyfile(REUSE)
    result = run(pytester, "--allocator", "nobody")
    assert result.ret == 4
    assert "unknown allocator `nobody`" in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str()


def test_the_heap_begins_where_the_command_line_says(pytester):
    pytester.makepyfile("def test_it(heap):\n    assert heap.malloc(8) == 0x555600000020\n")
    where = "--allocator-heap-start"
    run(pytester, where, "0x555600000000").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(failed=1)
    for wrong in ("0x1234", "here"):
        result = run(pytester, where, wrong)
        assert result.ret == 4
        assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_heap_that_the_test_closed_is_not_drawn(pytester):
    pytester.makepyfile(
        "def test_it(heap):\n    heap.malloc(8)\n    heap.close()\n    assert heap is None\n"
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["(closed by the test)"])


def test_a_budget_that_is_exceeded_fails_the_test_and_tells_calls_and_lines(pytester):
    pytester.makepyfile(
        """
        def test_a_malloc_is_cheap(heap):
            with heap.budget(instructions=3):
                heap.malloc(10)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*OverBudget: 118 instructions, where 3 are allowed, by 1 call",
            "E*118  #1 os_malloc(10)",
            "E*instructions by line",
        ]
    )
    result.stdout.no_fnmatch_line("*budget.py*raise*")
    assert "_judge" not in result.stdout.str()
