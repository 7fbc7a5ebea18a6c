"""Allocators: a shipped one, or whatever a person brings, in a process that can be called.

choice.py        which one, and the options around it
files.py         what a file is
assembly.py      a .s file, made an image
compiler.py      C, objects and archives, made a program by the host's cc
description.py   its functions, found by name
opening.py       the process, ready to be called
programs.py      the same of what is no assembly: a program that stands at main
"""

from emu.allocators.assembly import ENTRY_POINTS, ERRNO, SHIPPED, find
from emu.allocators.choice import Choice, choice_of
from emu.allocators.description import MALLOC, OSMEM, Description
from emu.allocators.opening import open_allocator, ready

__all__ = [
    "ENTRY_POINTS", "ERRNO", "MALLOC", "OSMEM", "SHIPPED", "Choice", "Description", "choice_of",
    "find", "open_allocator", "ready",
]  # fmt: skip
