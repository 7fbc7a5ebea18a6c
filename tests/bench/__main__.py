"""Benchmarks: python -m tests.bench

Each figure stands beside something measured in the same run, in turns with it.
"""

from tests.bench import (
    bench_check,
    bench_command,
    bench_exec,
    bench_guest,
    bench_heap,
    bench_replay,
    bench_time,
    bench_trace,
)
from tests.bench.measure import table

_BENCHES = (
    bench_heap,
    bench_check,
    bench_command,
    bench_guest,
    bench_replay,
    bench_trace,
    bench_time,
    bench_exec,
)


def main() -> None:
    """Prints the table."""
    print(table([figure for bench in _BENCHES for figure in bench.figures()]))


if __name__ == "__main__":
    main()
