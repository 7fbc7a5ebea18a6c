"""gdb's numbers of signals, as gdb itself says them."""

from __future__ import annotations

import pytest
from clients import gdb, served
from debugged import ENDLESS

from emu.debug.signals import number_for_gdb
from emu.debug.target import Reason, Stopped
from syscalls.signal_numbers import Signal


def named(number):
    """gdb's name of a signal."""
    return Signal(number).name if number in tuple(Signal) else f"SIG{number}"


@pytest.mark.parametrize("number", [n for n in range(1, 65) if n not in (2, 5, 16)])
def test_gdb_calls_a_signal_by_its_name(stand, number):
    target = stand(ENDLESS)
    target.resume = lambda: Stopped(Reason.SIGNAL, number)
    with served(target) as port:
        shown = gdb(port, "handle all stop print", "continue")
    assert f"Program received signal {named(number)}, " in shown


def test_what_gdb_has_no_number_for_is_unknown_to_it():
    assert {number_for_gdb(number) for number in (Signal.SIGSTKFLT, 65, 0)} == {143}
