"""Programs for a debugger, from strings."""

from __future__ import annotations

import tempfile
from pathlib import Path

from asm.assembler import assemble
from asm.image import Image


def assembled(source: str) -> Image:
    """A program in Intel syntax, which begins in line 2 of its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.s"
        path.write_text(f".intel_syntax noprefix\n{source}\n")
        return assemble(path)
