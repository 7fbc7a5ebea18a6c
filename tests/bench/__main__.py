"""Every benchmark, or those that are named: `python -m tests.bench [trace exec ...]`.

Each figure stands beside something measured in the same run: a machine's speed changes, ratios do
not.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from tests.bench.measure import table

BENCHES = [path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")]


def main() -> None:
    """Prints the tables. Exit status 2 where there is no such benchmark."""
    asked = sys.argv[1:] or sorted(BENCHES)
    unknown = [name for name in asked if name not in BENCHES]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: one of {', '.join(sorted(BENCHES))}")
    for name in asked:
        print(table(import_module(f"tests.bench.bench_{name}").figures()), flush=True)


if __name__ == "__main__":
    main()
