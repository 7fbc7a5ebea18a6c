"""What a debugger is given for a process: its image and the harness around it, as one ELF file."""

from __future__ import annotations

from asm import elf
from asm.image import Image
from emu.debug.unwind import frames
from emu.process.process import harness

_NOT_CALLED = ("enter", "leave")


def executable(image: Image) -> bytes:
    """An ELF file with symbols, lines, and the way from everywhere to the way out, `leave`.

    ValueError where the image reaches into the harness.
    """
    around = harness()
    rows = frames(image) + frames(around, outermost=_NOT_CALLED)
    return elf.executable([image, around], frames=rows)
