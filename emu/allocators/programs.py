"""An allocator that is a program, or becomes one: its own start-up runs to `main`.

That is done once; whoever opens the same allocator again gets a fork of the process that stands
there.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from asm.errors import why
from emu.allocators import compiler
from emu.allocators.choice import Choice
from emu.allocators.description import OSMEM_PREFIX, Description, described
from emu.allocators.files import Kind, contents, kind_of, linking_of
from emu.errors import AllocatorError, GuestDied, SnapshotError
from emu.process.event import KINDS
from emu.process.objects import LoadedObject
from emu.process.started import NoMain, StartedProgram
from syscalls import Limits
from syscalls.abi import Errno
from syscalls.elf import BadElf
from syscalls.execve import Bytes, Executable
from syscalls.world import World

_ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin", "LD_BIND_NOW": "1"}
"""What every program finds. Functions are bound before main: no call pays for another."""
_ERRNO_VARIABLE, _ERRNO_FUNCTION = "os_errno", "__errno_location"
_LAB_PREFIX = "mm_"
_LAB_INITIALIZERS = ("mem_init", "mm_init")
"""The malloc lab's driver calls them before anything else; the second answers -1 where it fails."""
_LIBCS_OWN = "__libc_malloc"
_INT = 4
_PRACTICE, _PRACTICE_SIZES = 1_000_000, (24, 24, 3000, 300_000)
"""Instructions of one call, and bytes."""
_MOST_KEPT = 8
_ANY = Path("/")

Opened = tuple[StartedProgram, Description]
_kept: OrderedDict[object, Opened] = OrderedDict()
"""Processes that stand at main, by what they came from; nobody calls them."""


def opened(choice: Choice, path: Path, limits: Limits, budget: int) -> Opened:
    """A process of its own at main, and what is known of the allocator in it.

    Errors as with `open_allocator`.
    """
    started, description = _started(choice, path, limits, budget)
    try:
        process = started.fork()
    except SnapshotError:  # it holds files of the host's: each begins anew
        return _start(choice, path, limits, budget)
    process.budget = budget
    return process, description


# Starting


def _started(choice: Choice, path: Path, limits: Limits, budget: int) -> Opened:
    """The process at main that all others are forked from."""
    try:
        key = choice, path.resolve(), compiler.fingerprint(path), limits
    except OSError as error:
        raise AllocatorError(f"cannot be read: {why(error)}", choice.name) from None
    if key not in _kept:
        _kept[key] = _start(choice, path, limits, budget)
        if len(_kept) > _MOST_KEPT:
            _, (oldest, _) = _kept.popitem(last=False)
            oldest.close()
    _kept.move_to_end(key)
    return _kept[key]


def _start(choice: Choice, path: Path, limits: Limits, budget: int) -> Opened:
    kind = kind_of(path, choice.name)
    if choice.cflags and kind in (Kind.PROGRAM, Kind.LIBRARY):
        raise AllocatorError(f"a {kind} is not compiled any more", f"--cflags {choice.cflags}")
    environment = dict(_ENVIRONMENT)
    program = path
    if kind is Kind.LIBRARY:
        program, preloaded = _carried(path, choice.name)
        environment |= {"LD_PRELOAD": preloaded} if preloaded else {}
    elif kind is not Kind.PROGRAM:
        program = compiler.program_of(choice, kind)
    process = _loaded(choice.name, program, environment, limits, budget)
    try:
        process.start()
        return process, _ready(process, choice, kind, path)
    except NoMain as error:
        process.close()
        raise AllocatorError(f"cannot be started: {error}", choice.name) from None
    except BaseException:
        process.close()
        raise


def _carried(path: Path, name: str) -> tuple[Path, str]:
    """The program that a library is loaded into, and how it is named in LD_PRELOAD."""
    linking = linking_of(contents(path, name), name)
    if linking.is_libc:
        return compiler.musl_carrier(path.resolve()), ""
    carrier = compiler.carrier()
    if linking.for_musl:
        carrier = compiler.musl_carrier(_loader_of_musl(name))
    preloaded = path.resolve()
    if set(" :") & set(str(preloaded)):
        preloaded = compiler.link_to(path)
    return carrier, str(preloaded)


def _loader_of_musl(name: str) -> Path:
    if not compiler.MUSL_LOADER.exists():
        raise AllocatorError(f"it wants musl, and there is no {compiler.MUSL_LOADER}", name)
    return compiler.MUSL_LOADER


def _loaded(
    name: str, program: Path, environment: dict[str, str], limits: Limits, budget: int
) -> StartedProgram:
    """Of the host's files it sees all, to read, where a loader needs them; else none."""
    data = contents(program, name)
    dynamic = linking_of(data, name).interpreter is not None
    world = World(root=_ANY) if dynamic else World()
    process = StartedProgram(world=world, limits=limits, budget=budget)
    path = str(program.resolve())
    variables = [os.fsencode(f"{key}={value}") for key, value in environment.items()]
    try:
        process.load(Executable(path, Bytes(data)), [os.fsencode(path)], variables)
    except BadElf as error:
        process.close()
        raise AllocatorError(f"cannot be started: {error}", name) from None
    process.path = name
    return process


# Once it stands at main


def _ready(process: StartedProgram, choice: Choice, kind: Kind, path: Path) -> Description:
    own = _own_object(process, choice, kind, path)
    description = described(choice, _names(process, own, kind), kind)
    if description.prefix:  # nobody has called it yet: its heap has not begun
        process.heap_start = process.kernel.space.brk
    errno = _errno(process, description.prefix)
    if description.prefix == _LAB_PREFIX:
        for name in _LAB_INITIALIZERS:
            if name in own.names:
                process.initialize(name, answers=name == _LAB_INITIALIZERS[-1])
    if errno is not None:
        process.memory.write(errno, bytes(_INT))
    _practise(process, description)
    process.kernel.calls = []
    return replace(description, errno=errno)


def _practise(process: StartedProgram, description: Description) -> None:
    """Touches the code that calls run, and leaves nothing else behind.

    Code that was touched later than a snapshot is made ready anew after each return to that.
    """
    try:
        untouched, budget = process.snapshot(), process.budget
    except SnapshotError:
        return
    process.budget = _PRACTICE
    with suppress(GuestDied):
        for size in _PRACTICE_SIZES:
            block = process.call(description.function("malloc"), size).result
            if description.has("realloc"):
                block = process.call(description.function("realloc"), block, 2 * size).result
            process.call(description.function("free"), block)
    code = process.memory.executed()
    process.restore(untouched)
    process.budget = budget
    for page in code:
        with suppress(Errno):
            process.kernel.space.touch(page, 1, "r")


def _own_object(process: StartedProgram, choice: Choice, kind: Kind, path: Path) -> LoadedObject:
    """The file that the allocator is in. AllocatorError where a library was not loaded."""
    if kind is not Kind.LIBRARY:
        return process.objects.first
    wanted = path.resolve()
    for one in process.objects:
        if one is not process.objects.first and Path(one.path).resolve() == wanted:
            return one
    said = process.said or "it does not say why"
    raise AllocatorError(f"the dynamic loader does not take it: {said}", choice.name)


def _names(process: StartedProgram, own: LoadedObject, kind: Kind) -> set[str]:
    """What may be the allocator's. A program's malloc may be in any library that it loads."""
    names = set(own.names)
    if kind is Kind.PROGRAM:
        return names | {name for name in KINDS if process.address_of(name) is not None}
    if kind is not Kind.LIBRARY and own.address_of("malloc") == own.address_of(_LIBCS_OWN):
        return names - set(KINDS)  # linked statically
    return names


def _errno(process: StartedProgram, prefix: str) -> int | None:
    """Where errno is."""
    variable = process.address_of(_ERRNO_VARIABLE) if prefix == OSMEM_PREFIX else None
    if variable is None and process.address_of(_ERRNO_FUNCTION) is not None:
        return process.call(_ERRNO_FUNCTION).result
    return variable
