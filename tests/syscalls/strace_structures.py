"""Structures as the kernel writes them, made up for tests of what strace prints."""

from __future__ import annotations

import random
import struct

WORDS = struct.pack("<59Q", *range(1, 60))
INTS = struct.pack("<119I", *range(1, 120))
NOISE = random.Random(1).randbytes(400)
VECTOR = [b"hello", 5, b"world\0", 6, 0, 0]


def stat_bytes(mode, size=7, rdev=0):
    fields = (1, 2, 1, mode, 0, 5, 0, rdev, size, 1024, 0, 1, 2, 3, 4, 5, 6)
    return struct.pack("<QQQIIIIQqqqqqqqqq", *fields) + bytes(24)


def statx_bytes(mask, mode, size=7, attributes=0):
    fields = (mask, 4096, attributes, 1, 0, 0, mode, 0, 5, size, 8, 0)
    return struct.pack("<IIQIIIHHQQQQ", *fields) + bytes(200)


def dirents(*names):
    """What getdents64 writes."""
    entries = b""
    for name in names:
        size = (19 + len(name) + 1 + 7) & -8
        entry = struct.pack("<QqHB", 5, 6, size, 8) + name
        entries += entry + bytes(size - len(entry))
    return entries
