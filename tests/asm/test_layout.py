"""layout.py's numbers are the contract's, typed here a second time."""

from __future__ import annotations

import pytest

from asm import layout

CONTRACT = {
    "META": 32,
    "BLOCK_SIZE": 0,
    "BLOCK_STATUS": 8,
    "BLOCK_PREV": 16,
    "BLOCK_NEXT": 24,
    "FREE": 0,
    "ALLOC": 1,
    "MAPPED": 2,
    "THRESHOLD": 131072,
    "PAGE": 4096,
    "PREALLOC": 131072,
    "SPLIT_MIN": 32 + 8,
    "MAX_REQUEST": 2**63 - 1 - 4096,
}
FOR_THE_SOURCES_ALONE = {
    "TO_HEADER": -32,
    "ALIGN_UP": 7,
    "ALIGN_MASK": ~7,
    "SYS_MMAP": 9,
    "SYS_MUNMAP": 11,
    "SYS_BRK": 12,
    "READ_WRITE": 1 | 2,
    "PRIVATE_ANON": 0x02 | 0x20,
    "FIRST_ERROR": -4095,
    "ENOMEM": 12,
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_number_is_the_contracts(name: str) -> None:
    assert getattr(layout, name) == CONTRACT[name]


def test_layout_s_holds_these_numbers_and_no_others() -> None:
    assert layout.numbers() == CONTRACT | FOR_THE_SOURCES_ALONE


def test_python_names_no_number_that_the_contract_lacks() -> None:
    assert {name for name in vars(layout) if name.isupper() and name[0] != "_"} - {
        "PACKAGE"
    } == CONTRACT.keys()
