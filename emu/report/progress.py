"""A progress bar for work that takes more than a second, if somebody sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds before a bar appears."""


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields tell(done, all). The bar is on the standard error, and goes when all is done."""
    from rich.console import Console

    console = Console(stderr=True)
    started = time.monotonic()
    bar = None

    def tell(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and console.is_terminal and time.monotonic() - started > PATIENCE:
            from rich.progress import Progress

            # What is printed meanwhile goes where it should, and not to the bar's console.
            bar = Progress(
                console=console, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            bar.start()
            bar.add_task(what, total=total)
        if bar is not None:
            bar.update(bar.task_ids[0], completed=done, total=total)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()
