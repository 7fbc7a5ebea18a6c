"""launch(program) -> Program: finds a program as a shell and Linux find it, and loads it.

With a root, the program is looked for there: a name without a slash along PATH. What is not there,
or where there is no root, is a file of the host's; the process then sees no other file of it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from asm.errors import why
from emu.errors import InputError
from emu.process.program import BUDGET, Program
from syscalls import Limits
from syscalls.abi import Errno
from syscalls.elf import BadElf
from syscalls.execve import Bytes, Executable
from syscalls.memory import TooMuchTouched
from syscalls.world import World

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT: Mapping[str, str] = MappingProxyType({"HOME": "/", "PATH": PATH})
"""What a program finds unless told otherwise: nothing of the host's, so that runs are alike."""


def launch(
    program: str,
    arguments: Sequence[str] = (),
    *,
    environment: Mapping[str, str] = ENVIRONMENT,
    world: World | None = None,
    limits: Limits | None = None,
    budget: int = BUDGET,
) -> Program:
    """A program, loaded and not yet started. InputError where there is none, or Linux refuses it.

    world: what it is given of the host.
    """
    try:
        process = Program(world=world, limits=limits, budget=budget)
    except ValueError as error:  # the world names folders that are not there
        raise InputError(str(error)) from None
    try:
        found = _find(process, program, environment.get("PATH", ""))
        argv = [os.fsencode(text) for text in (program, *arguments)]
        envp = [os.fsencode(f"{name}={value}") for name, value in environment.items()]
        process.load(found, argv, envp)
    except BadElf as error:
        process.close()
        raise _refused(program, error, process.kernel.context.world) from None
    except TooMuchTouched:
        process.close()
        most = process.limits.touched
        message = f"cannot be loaded: that takes more than {most} bytes of memory"
        raise InputError(message, program, expected="a higher limit (--memory)") from None
    except BaseException:
        process.close()
        raise
    return process


def _find(process: Program, name: str, path: str) -> Executable:
    world = process.kernel.context.world
    if world.root is not None:
        for place in _places(name, path):
            try:
                return process.executable(place)
            except Errno as error:
                if error.number not in (errno.ENOENT, errno.ENOTDIR):
                    reason = os.strerror(error.number).lower()
                    raise InputError(f"cannot be run: {reason}", name) from None
    return _of_host(name, searched=world.root is not None and "/" not in name)


def _places(name: str, path: str) -> list[str]:
    """Where execvp(3) looks."""
    return [name] if "/" in name else [f"{folder or '.'}/{name}" for folder in path.split(":")]


def _of_host(name: str, *, searched: bool) -> Executable:
    """A file that the process itself cannot see."""
    if searched:
        raise InputError("no such program in the root's PATH", name, expected="a path, as ./hello")
    try:
        if stat.S_IFMT(os.stat(name).st_mode) not in (
            stat.S_IFREG,
            stat.S_IFDIR,
        ):  # a pipe is waited for
            raise InputError("cannot be run: it is no regular file", name)
        data = Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot be read: {reason}", name) from None
    if not os.access(name, os.X_OK):
        raise InputError("cannot be run: it is not executable", name, expected="chmod +x")
    return Executable(name, Bytes(data))


def _refused(name: str, error: BadElf, world: World) -> InputError:
    blind = error.missing is not None and world.root is None
    hint = "--root /, to show the program the files of this machine" if blind else ""
    return InputError(f"cannot be run: {error}", name, expected=hint)
