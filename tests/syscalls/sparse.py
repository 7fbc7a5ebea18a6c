"""A memory for kernels under test, and calls on them."""

from __future__ import annotations

from books import balance

MINUS = 1 << 64


class Sparse:
    """Memory as a dictionary of bytes, which also remembers what it was told."""

    def __init__(self):
        self.bytes = {}
        self.told = []

    def read(self, address, size):
        return bytes(self.bytes.get(address + i, 0) for i in range(size))

    def write(self, address, data):
        self.bytes.update(zip(range(address, address + len(data)), data, strict=True))

    def discard(self, start, end):
        self.told.append(("discard", start, end))

    def rights_changed(self, start, end):
        self.told.append(("rights", start, end))


def call(kernel, number, *args):
    """The answer as a signed number."""
    registers = tuple(arg % MINUS for arg in (*args, *(0,) * (6 - len(args))))
    answer = kernel.call(number, registers)
    balance(kernel.space)
    return answer - MINUS if answer >> 63 else answer
