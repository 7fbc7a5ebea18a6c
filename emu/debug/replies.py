"""What every packet may be answered with, and what is asked of its syntax."""

from __future__ import annotations

import re
from errno import EINVAL

OK = b"OK"
UNKNOWN = b""
"""gdb then knows that the server does not have the packet."""
NUMBER = rb"([0-9a-fA-F]{1,16})"
"""In a pattern: up to 64 bits, in hexadecimal."""
HEX = rb"((?:[0-9a-fA-F]{2})*)"
"""In a pattern: bytes, two digits each."""


class Malformed(Exception):
    """A packet that does not have the form of its kind."""


def error(number: int) -> bytes:
    """number: an errno."""
    return b"E%02x" % number


MALFORMED = error(EINVAL)


def pattern(*parts: bytes) -> re.Pattern[bytes]:
    """Of a whole packet, which may hold any byte."""
    return re.compile(b"".join(parts), re.DOTALL)


def groups(form: re.Pattern[bytes], data: bytes) -> tuple[bytes, ...]:
    """The groups of a pattern that fits all of data. Malformed where it does not."""
    found = form.fullmatch(data)
    if found is None:
        raise Malformed
    return found.groups(b"")


def numbers(form: re.Pattern[bytes], data: bytes) -> list[int]:
    """The same, where each group is a NUMBER."""
    return [int(digits, 16) for digits in groups(form, data)]


def unhex(digits: bytes) -> bytes:
    """Malformed where these are no bytes in hexadecimal."""
    return bytes.fromhex(groups(_HEX, digits)[0].decode())


_HEX = pattern(HEX)
