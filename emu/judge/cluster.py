"""Work spread over a cluster of dask: the extra `cluster`.

The workers see the client's files: allocators and traces lie on a file system that they share,
at the same paths. That is not trusted. Each worker, before its first task, compares its package,
what its allocators are assembled to, and the bytes of the other files with the client's.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from asm import AssemblyError
from asm.errors import why
from emu.errors import GuestDied, InputError
from emu.judge.subject import opened
from syscalls import vm_flags as vm

if TYPE_CHECKING:
    from distributed import Client

    from emu.allocators import Choice

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 5
"""Seconds that a scheduler, and its first worker, have to answer."""

_ADDRESS = re.compile(r"(?:tcp|tls)://(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):(?P<port>\d{1,5})")
_PACKAGES = ("asm", "emu", "syscalls")
_DISTRIBUTION = "osmem-emu"


@dataclass(frozen=True)
class Setting:
    """What must be the same on every worker, as digests; folder: where relative paths begin."""

    folder: str
    package: str
    allocators: tuple[tuple[Choice, str], ...]
    files: tuple[tuple[str, str], ...]

    @classmethod
    def here(cls, subjects: Sequence[Choice], files: Sequence[str]) -> Setting:
        """As this process sees it. InputError for a file that cannot be read."""
        return cls(
            str(Path.cwd()),
            _package_digest(),
            tuple((subject, _code_digest(subject)) for subject in subjects),
            tuple((file, _file_digest(file)) for file in files),
        )


@contextmanager
def cluster(scheduler: str, setting: Setting) -> Iterator[Executor]:
    """The workers of a dask scheduler, "tcp://host:port". InputError where that is not possible.

    Work that is left when the block ends is cancelled.
    """
    option = f"--scheduler {scheduler}"
    client = _client(scheduler, option)
    executor = client.get_executor(pure=False)
    try:
        _same_version(client, option)
        yield _Cluster(executor, setting)
    except CancelledError:
        raise InputError("the connection to the scheduler was lost", option) from None
    except _killed_worker():
        raise InputError(
            "a task has ended several workers: perhaps their memory ran out", option
        ) from None
    finally:
        executor.shutdown(wait=False)
        client.close(timeout=1)


def _client(scheduler: str, option: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "this takes dask.distributed, which is not installed", option,
            expected="pip install 'osmem-emu[cluster]'",
        ) from None  # fmt: skip
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        _knock(scheduler)
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except OSError as error:
        raise InputError(
            f"no scheduler answers there: {why(error)}", option,
            expected="the address that `dask scheduler` prints, as tcp://10.0.0.1:8786",
        ) from None  # fmt: skip
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        client.close(timeout=1)
        raise InputError(
            "the scheduler has no workers", option, expected=f"`dask worker {scheduler}`, somewhere"
        ) from None
    return client


def _knock(scheduler: str) -> None:
    """OSError where no scheduler is: for anybody else there, a client of dask waits for ever."""
    found = _ADDRESS.fullmatch(scheduler)
    if not found:
        raise OSError(0, "this is no address")
    place = found["host"].strip("[]"), int(found["port"])
    with socket.create_connection(place, PATIENCE) as made:
        speaks_first = scheduler.startswith("tcp:")
        if speaks_first and not made.recv(1):
            raise OSError(0, "somebody else is there")


def _same_version(client: Client, option: str) -> None:
    """Tells of a package that is missing or old before a worker fails to read its first task."""
    ours = _version()
    theirs = client.run(importlib.metadata.version, _DISTRIBUTION, on_error="return")
    for worker, version in theirs.items():
        if version != ours:
            found = version if isinstance(version, str) else "none"
            raise InputError(
                f"worker {worker} has {_DISTRIBUTION} {found}", option, expected=f"version {ours}"
            )


def _version() -> str:
    return importlib.metadata.version(_DISTRIBUTION)


def _killed_worker() -> type[BaseException]:
    import distributed

    killed: type[BaseException] = distributed.KilledWorker
    return killed


class _Cluster(Executor):
    """Each task is told the setting."""

    def __init__(self, executor: Executor, setting: Setting) -> None:
        self._executor, self._setting = executor, setting

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._executor.submit(_there, self._setting, partial(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)


# In a worker

_one_at_a_time = Lock()
"""Workers may have threads; they have one folder to be in."""


def _there(setting: Setting, task: Callable[[], T]) -> T:
    with _one_at_a_time:
        folder = Path(setting.folder)
        if not folder.is_dir():
            raise _unlike(f"there is no folder {folder}")
        with chdir(folder):
            _compare(setting)
            return task()


@cache
def _compare(setting: Setting) -> None:
    """InputError where this worker has not what the client has. What is well is kept in mind."""
    if _package_digest() != setting.package:
        raise _unlike("its emu is another: the files of the package differ")
    for subject, digest in setting.allocators:
        if _told(_code_digest, subject) != digest:
            raise _unlike(f"{subject.name} is other code there")
    for file, digest in setting.files:
        if _told(_file_digest, file) != digest:
            raise _unlike(f"{file} is another file there")


def _told(digest: Callable[[Any], str], of: object) -> str:
    try:
        return digest(of)
    except (InputError, AssemblyError, GuestDied) as error:
        raise _unlike(f"{_first_line(error)}") from None


def _unlike(what: str) -> InputError:
    return InputError(
        f"{what}", f"worker on {socket.gethostname()}",
        expected="what the client has: its package, and its files at the same paths",
    )  # fmt: skip


# Digests


@cache
def _package_digest() -> str:
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _code_digest(subject: Choice) -> str:
    """Of what was loaded: what a file includes is in it, what a compiler made of it, libraries.

    What lies above the break and can be written to is left out: it has been, with the name of a
    temporary file and the like.
    """
    digest = hashlib.sha256()
    with opened(subject) as heap:
        for region in heap.process.kernel.space.regions:
            if region.start < heap.process.heap_start or not region.flags & vm.WRITE:
                digest.update(f"{region.start} {region.end} {region.rights}\0".encode())
                digest.update(heap.process.memory.read(region.start, region.size))
    return digest.hexdigest()


def _file_digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {why(error)}", file) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
