"""Numbers as people write them: decimal, 0x.., or with K, M, G (powers of 1024)."""

from __future__ import annotations

import re

FORMS = "1000, 0x3e8, or 1K, 1M, 1G (powers of 1024)"
_SUFFIX = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_LONGEST = 40
_NUMBER = re.compile(r"(-?)(?:(0x[0-9a-fA-F]+)|([0-9]+)([KMGkmg]?))$")


def parse(text: str) -> int:
    """ "2K" as 2048. ValueError, with what is wrong, where it is none."""
    match = _NUMBER.match(text)
    if not match:
        raise ValueError(f"`{text}` is not a number")
    if len(text) > _LONGEST:
        raise ValueError("a number with this many digits does not fit in 64 bits")
    sign, hexadecimal, decimal, suffix = match.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(decimal)
    value *= _SUFFIX.get((suffix or "").upper(), 1)
    return -value if sign else value
