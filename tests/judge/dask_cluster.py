"""A real cluster of dask on loopback: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

PATIENCE = 60

T = TypeVar("T")


@dataclass(frozen=True)
class Cluster:
    """address: of the scheduler."""

    address: str
    scheduler: subprocess.Popen[bytes]


@contextmanager
def running(folder: Path, workers: int) -> Iterator[Cluster]:
    """Everything starts in the folder. A task that ends its worker is not tried again."""
    file = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    with ExitStack() as stack:
        start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
        scheduler = stack.enter_context(_process([*start, "--port", "0", *common], folder))
        address = _until(lambda: json.loads(file.read_text())["address"])
        work = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "2"]
        for _ in range(workers):
            command = [*work, "--no-nanny", "--death-timeout", str(PATIENCE), *common]
            stack.enter_context(_process(command, folder))
        _until(lambda: (folder / "cluster.log").read_text().count("Registered to") >= workers)
        yield Cluster(address, scheduler)


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with (
        open(folder / "cluster.log", "a") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as made,
    ):
        try:
            yield made
        finally:
            made.kill()


def _until(found: Callable[[], T]) -> T:
    """What is found, as soon as it is; files are there late, and are first half written."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if what := found():
                return what
        except (FileNotFoundError, json.JSONDecodeError):
            pass
        time.sleep(0.05)
    raise TimeoutError("no cluster")
