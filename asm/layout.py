"""layout.s read as numbers, so that Python types none of them again."""

from __future__ import annotations

import re
from pathlib import Path

from asm.source import PACKAGE, read

_CONSTANT = re.compile(r"\.equ\s+(\w+)\s*,\s*(-?(?:0x[0-9a-fA-F]+|\d+))$")


def numbers(path: Path = PACKAGE / "osmem" / "layout.s") -> dict[str, int]:
    """Every `.equ NAME, number` of a source: of layout.s, unless told otherwise."""
    found = (_CONSTANT.match(line.body) for line in read(path))
    return {match[1]: int(match[2], 0) for match in found if match}


_NUMBERS = numbers()

BLOCK_SIZE = _NUMBERS["BLOCK_SIZE"]
BLOCK_STATUS = _NUMBERS["BLOCK_STATUS"]
BLOCK_PREV = _NUMBERS["BLOCK_PREV"]
BLOCK_NEXT = _NUMBERS["BLOCK_NEXT"]
META = _NUMBERS["META"]
FREE = _NUMBERS["FREE"]
ALLOC = _NUMBERS["ALLOC"]
MAPPED = _NUMBERS["MAPPED"]
THRESHOLD = _NUMBERS["THRESHOLD"]
PAGE = _NUMBERS["PAGE"]
PREALLOC = _NUMBERS["PREALLOC"]
SPLIT_MIN = _NUMBERS["SPLIT_MIN"]
MAX_REQUEST = _NUMBERS["MAX_REQUEST"]
