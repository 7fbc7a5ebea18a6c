"""The second opinion: GNU as, and capstone to read what either assembler made."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from capstone import CS_ARCH_X86, CS_MODE_64, Cs

from asm import source
from asm.image import Image

_BAD_LINE = re.compile(r":(\d+): Error: ", re.MULTILINE)


def flattened(path: Path) -> str:
    """A program's statements with its includes opened, and nothing exported.

    GNU as makes every jump to an exported name a long one.
    """
    statements = source.read(path)
    return "".join(f"{s.source}\n" for s in statements if s.word not in (".globl", ".global"))


def refused_lines(text: str, folder: Path) -> set[int]:
    """The lines, counted from 1, that GNU as does not accept."""
    return {int(number) for number in _BAD_LINE.findall(_as(text, folder).stderr)}


def segments(text: str, folder: Path, places: Iterable[tuple[str, int]]) -> dict[str, bytes]:
    """The bytes that GNU as and ld make of each segment, placed at its address."""
    done = _as(text, folder)
    assert not done.stderr, done.stderr
    places = list(places)
    at = [f"--section-start=.{name}={address:#x}" for name, address in places]
    whole = folder / "whole"
    _run("ld", "-e", "0", *at, "-o", str(whole), str(folder / "part.o"))
    made = {}
    for name, _ in places:
        _run("objcopy", "-O", "binary", "-j", f".{name}", str(whole), str(folder / name))
        made[name] = (folder / name).read_bytes()
    return made


def like(image: Image, text: str, folder: Path) -> dict[str, bytes]:
    """`segments` at the places that our own assembler chose."""
    return segments(text, folder, [(s.name, s.address) for s in image.segments])


def listing(code: bytes, address: int) -> list[str]:
    """One line an instruction: where, what, with which operands."""
    return [
        f"{at:#x} {word} {operands}".rstrip()
        for at, _, word, operands in Cs(CS_ARCH_X86, CS_MODE_64).disasm_lite(code, address)
    ]


def _as(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs to the end even over errors; what it says is in `stderr`."""
    (folder / "whole.s").write_text(text)
    command = ["as", "--64", "-o", str(folder / "part.o"), str(folder / "whole.s")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
