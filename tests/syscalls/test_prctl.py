"""prctl, arch_prctl, personality, and what threads register: answers of the host's Linux."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_kernels import BAD, END, HOLE, NONE, OWN, RO, RW, assert_same, ours

NAME, GET_NAME = 15, 16
GET_FS, GET_GS, SET_FS, SET_GS = 0x1003, 0x1004, 0x1002, 0x1001
MAY_FAULT = "cpuid_fault" in Path("/proc/cpuinfo").read_text()
FORBIDS_CPUID = () if MAY_FAULT else (0x1012,)
"""Where the host's CPU can fault at CPUID, it may be forbidden; ours cannot."""
NOT_OURS = {21, 22, 26, 28, 33, 34, 35, 52, 53, 57, 58, 59, 62, 65, 66, 67, 68}
"""Options for which there is something behind on the host, and nothing here, or another machine."""
VALUES = (0, 1, 2, 3, -1, 63, 64, 65, 1 << 32, 1 << 63, RW, RO, HOLE)
CASES = {
    "a name": [
        (*call, {}) for call in [("prctl", NAME, RW)]
    ] + [
        ("prctl", NAME, RW, {RW: b"abc\0"}), ("prctl", GET_NAME, RW + 64),
        ("prctl", NAME, RW, {RW: b"a" * 20}), ("prctl", GET_NAME, RW + 128),
        ("prctl", NAME, END - 4, {END - 4: b"xyz\0"}), ("prctl", GET_NAME, RW + 192),
        ("prctl", NAME, END - 15, {END - 15: b"q" * 15}), ("prctl", GET_NAME, RW + 256),
        ("prctl", NAME, END - 3), ("prctl", NAME, END - 14), ("prctl", NAME, HOLE),
        ("prctl", GET_NAME, END - 15), ("prctl", GET_NAME, RO), ("prctl", GET_NAME, NONE),
        ("prctl", GET_NAME, RW + 320),
    ],
    "a signal at the parent's death": [("prctl", 1, 9), ("prctl", 2, RW), ("prctl", 2, RO)],
    "to be dumped": [("prctl", 4, 0), ("prctl", 3), ("prctl", 4, 1), ("prctl", 3), ("prctl", 4, 2)],
    "a reaper": [("prctl", 36, 5), ("prctl", 37, RW), ("prctl", 36, 0), ("prctl", 37, RW + 8)],
    "no new privileges": [
        ("prctl", 39), ("prctl", 38, 1), ("prctl", 39), ("prctl", 38, 1, 0, 0, 1), ("prctl", 38, 0),
        ("prctl", 39, 1),
    ],
    "slack": [("prctl", 30), ("prctl", 29, 77), ("prctl", 30), ("prctl", 29, 0), ("prctl", 30)],
    "huge pages": [("prctl", 42), ("prctl", 41, 1), ("prctl", 42), ("prctl", 42, 1), ("prctl", 41),
                   ("prctl", 42)],
    "the address of the tid": [
        ("set_tid_address", RW), ("prctl", 40, RW + 8), ("set_tid_address", -1),
        ("prctl", 40, RW + 16), ("prctl", 40, HOLE),
    ],
    "the robust list": [
        ("get_robust_list", 0, RW, RW + 8), ("set_robust_list", RW, 24),
        ("get_robust_list", OWN, RW + 16, RW + 24), ("set_robust_list", RW, 23),
        ("set_robust_list", RW, -1), ("set_robust_list", HOLE, 24),
        ("get_robust_list", -1, RW, RW + 8), ("get_robust_list", 0, HOLE, RW + 32),
        ("get_robust_list", 0, RW, HOLE),
    ],
    "a personality": [
        ("personality", -1), ("personality", 0x40000), ("personality", 5 << 32),
        ("personality", 8), ("personality", (1 << 32) - 1), ("personality", 0),
    ],
    "codes of arch_prctl": [
        ("arch_prctl", code, RW)
        for code in (0, 1, 0x1000, 0x1005, 0x1011, *FORBIDS_CPUID, 0x1023, 0x3001, 0x3002, 0x4001,
                     0x5001, 0x5005, 1 << 32 | GET_FS)
    ],
    "a base where nothing can be stored": [
        ("arch_prctl", code, place) for code in (GET_FS, GET_GS) for place in BAD.values()
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case):
    assert_same([CASES[case]])


@pytest.mark.parametrize(
    "address", [0, 1, 0x123_4567, (1 << 47) - 4097, (1 << 47) - 4096, 1 << 47, 1 << 63, -1]
)
def test_a_segment_begins_at_an_address_of_the_process(address):
    assert_same([
        [("arch_prctl", SET_FS, address), ("arch_prctl", GET_FS, RW),
         ("arch_prctl", SET_GS, address + 8), ("arch_prctl", GET_GS, RW + 8)]
    ])  # fmt: skip


def test_every_option_minds_its_arguments():
    assert_same(
        [("prctl", option, value, *rest)]
        for option in set(range(-1, 70)) - NOT_OURS - {GET_NAME}
        for value in VALUES
        for rest in ((), (1,), (0, 1), (0, 0, 1))
    )


@pytest.mark.parametrize("option", sorted(NOT_OURS - {26, 28, 52, 53}))
def test_an_option_with_nothing_behind_is_einval(option):
    assert ours([("prctl", option, 1), ("prctl", option, 0)]) == ["-22", "-22"]


def test_what_would_change_how_the_process_runs_is_refused():
    assert ours([("prctl", 26, 1), ("prctl", 26, 2), ("prctl", 28, 0), ("prctl", 28, 1)]) == [
        "0", "-22", "0", "-1",
    ]  # fmt: skip


def test_the_cpu_is_affected_by_no_speculation_that_could_be_controlled():
    assert ours([("prctl", 52, 0), ("prctl", 52, 9), ("prctl", 53, 0, 2), ("prctl", 53, 9)]) == [
        "0", "-19", "-6", "-19",
    ]  # fmt: skip


def test_there_are_no_restartable_sequences():
    assert ours([("rseq", RW, 32, 0, 0x53053053)]) == ["-38"]
