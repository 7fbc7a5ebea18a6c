"""Targets that are closed behind the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from clients import gdb, served
from debugged import PROGRAM, assembled
from stepping_target import SteppingTarget


@pytest.fixture
def stand() -> Iterator[Callable[..., SteppingTarget]]:
    """stand(source, most=...): a target that stands at `main`, with the ELF file for gdb."""
    with ExitStack() as stack:

        def make(source: str = PROGRAM, **options: int) -> SteppingTarget:
            program = assembled(source)
            target = SteppingTarget(program.image, program.elf, **options)
            stack.callback(target.close)
            return target

        yield make


@pytest.fixture
def ask(stand):
    """ask(command, ..., source=..., most=...): what gdb says of a program that stands at main."""

    def run(*commands, **options):
        with served(stand(**options)) as port:
            return gdb(port, *commands)

    return run
