"""A source text as a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asm.assembler import assemble
from asm.image import Image

Assemble = Callable[..., Image]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assemble:
    """program("nop", **{"other.s": ".."}) assembles main.s in a folder with the other files."""
    monkeypatch.chdir(tmp_path)

    def assembled(text: str, base: int = 0x400000, **others: str) -> Image:
        for name, content in {"main.s": text, **others}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return assemble(tmp_path / "main.s", base)

    return assembled
