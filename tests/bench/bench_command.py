"""`emu run` as a person waits for it, process start included."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Figure, seconds

_SCENARIO = """\
a = malloc 1000
b = malloc 24
c = calloc 10 4
free a
d = malloc 600
b = realloc b 2K
fill d 0x55
free c
free d
expect clean
"""


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "ten.heap"
        scenario.write_text(_SCENARIO)
        emu, nothing, unicorn = seconds(
            lambda: _python("from emu.cli import main; main()", "run", str(scenario)),
            lambda: _python("pass"),
            lambda: _python("import unicorn"),
            rounds=10,
        )
    value = f"{emu:.2f} s"
    return [
        Figure("emu run, ten lines", value, emu / nothing, "python -c pass", "< 0.6 s", emu < 0.6),
        Figure("emu run, ten lines", value, emu / unicorn, "python -c 'import unicorn'"),
    ]


def _python(code: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
