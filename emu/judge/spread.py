"""Work spread over processes: every way is a concurrent.futures.Executor."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from typing import ParamSpec, TypeVar

from emu.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """So many processes; with one job, this process and no other.

    They end with the block, even in the middle of their work, and with this process. InputError
    where one of them was ended by somebody else.
    """
    if jobs == 1:
        yield Serial()
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
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(active_children()) - others:
            worker.kill()
            worker.join()


class Serial(Executor):
    """Does the work at once, in this process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - raised by the future's result
            future.set_exception(error)
        return future


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
    import emu.heap  # noqa: F401
