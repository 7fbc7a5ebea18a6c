"""Work spread over processes: every way is a concurrent.futures.Executor."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process

from emu.errors import InputError


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def processes(jobs: int) -> Iterator[Executor | None]:
    """So many processes; with one job None, for there is nobody to give the work to.

    They end with the block, even in the middle of their work, and with this process. InputError
    where one of them was ended by somebody else.
    """
    if jobs == 1:
        yield None
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin)
    try:
        _start(pool, jobs)
        yield pool
    except BrokenExecutor:
        raise InputError(
            "a worker process was killed, and not by emu: perhaps memory ran out",
            f"--jobs {jobs}",
            expected="fewer jobs; --jobs 1 works in a single process",
        ) from None
    finally:
        workers = set(active_children()) - others
        for worker in workers:
            worker.kill()
        pool.shutdown(cancel_futures=True)  # its thread waits for them, too, and may be first
        for worker in workers:
            worker.join()


def _start(pool: Executor, jobs: int) -> None:
    """Starts all workers now. Ctrl-C is for this process: those started meanwhile ignore it.

    Python itself is not there yet to handle it in them, and would end with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(jobs):
            pool.submit(_load)
    finally:
        signal.signal(signal.SIGINT, handler)


def _begin() -> None:
    """In a worker, before its first task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _load() -> None:
    """Loads what all tasks need, while the others are being started."""
    import emu.judge.check  # noqa: F401
