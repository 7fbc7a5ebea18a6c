"""What valgrind's callgrind counts in a program, function by function."""

from __future__ import annotations

import subprocess
from pathlib import Path


def counted(program: Path, out: Path, told: str = "") -> dict[str, tuple[int, int]]:
    """Runs a program; `annotated` of it. told: its standard input. out: a file for the counts."""
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", program],
        input=told.encode(),
        capture_output=True,
        check=True,
    )
    return annotated(out)


def annotated(out: Path) -> dict[str, tuple[int, int]]:
    """By function: own and inclusive instructions, as callgrind_annotate prints them.

    It names a function that calls itself anew, fib'2: their own ones are summed.
    """
    own, inclusive = (_annotated(out, answer) for answer in ("no", "yes"))
    return {name: (cost, inclusive.get(name, 0)) for name, cost in own.items()}


def _annotated(out: Path, inclusive: str) -> dict[str, int]:
    command = ["callgrind_annotate", f"--inclusive={inclusive}", "--auto=no", "--threshold=100"]
    told = subprocess.run([*command, out], capture_output=True, text=True, check=True)
    found: dict[str, int] = {}
    for line in told.stdout.splitlines():
        cost, _, rest = line.strip().partition(" (")
        name = rest.rpartition(":")[2].split(" [")[0].split("'")[0]
        if rest and cost.replace(",", "").isdigit():
            found[name] = found.get(name, 0) + int(cost.replace(",", ""))
    return found
