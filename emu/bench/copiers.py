"""Functions that do nothing but copy or clear: by their names, and what they choose.

What a C library calls memcpy is often a function that chooses one of several when the program is
loaded, and those have no names in a library that is stripped. So it is asked once more.
"""

from __future__ import annotations

import re

from emu.errors import GuestDied
from emu.process.elf_symbols import choosers
from emu.process.process import CallableProcess
from emu.process.started import StartedProgram

_NAMES = re.compile(r"_*w?mem(p?cpy|move|set)|_*(explicit_)?bzero|(copy|clear)(_|$)")


def copies(function: str) -> bool:
    """Whether a function copies or clears, by how its name begins."""
    return bool(_NAMES.match(function))


def chosen(process: CallableProcess) -> frozenset[int]:
    """The addresses of the functions that a program's libraries choose to copy and to clear."""
    if not isinstance(process, StartedProgram):
        return frozenset()
    asked = {
        address + one.bias
        for one in process.objects
        for name, address in choosers(one.data).items()
        if copies(name)
    }
    before = process.snapshot()
    try:
        return frozenset(process.call(address).result for address in asked)
    except GuestDied:
        return frozenset()
    finally:
        process.restore(before)
