"""Calls on kernels under test."""

from __future__ import annotations

from books import balance

MINUS = 1 << 64


def call(kernel, number, *args):
    """The answer as a signed number."""
    registers = tuple(arg % MINUS for arg in (*args, *(0,) * (6 - len(args))))
    answer = kernel.call(number, registers)
    balance(kernel.space)
    return answer - MINUS if answer >> 63 else answer
