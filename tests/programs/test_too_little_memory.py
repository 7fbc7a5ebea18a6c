"""A program that does not even fit into its memory is refused, as any that cannot be run."""

from __future__ import annotations

import pytest

from emu.errors import InputError
from emu.launch import launch
from syscalls import Limits


def test_a_program_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="more than 1024 bytes of memory"):
        launch("/bin/true", limits=Limits(touched=1024))
