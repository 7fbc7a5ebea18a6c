"""Allocators in C made programs by the host's cc. Nothing of them is run on the host.

What is built lies in a folder of this process's own, and goes with it; the same content is built
once.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from asm.errors import why
from emu.allocators.choice import Choice
from emu.allocators.description import PREFIXES
from emu.allocators.files import Kind, is_source
from emu.errors import AllocatorError
from emu.process.event import KINDS

SUPPORT = Path(__file__).parent / "support"
MUSL_LOADER = Path("/lib/ld-musl-x86_64.so.1")

_COMPILERS = ("cc", "gcc", "clang")
_TIMEOUT = 300
"""Seconds."""
_MOST_LINES, _LONGEST_LINE = 60, 300
_FLAGS = ["-g", "-O1", *(f"-fno-builtin-{kind}" for kind in KINDS)]
"""Before a person's own. An allocator's calloc must not become a call of calloc."""
_NEIGHBOURS = (".c", ".h", ".inc")
"""What a source may include: its folder's files of these kinds."""


class CompilerError(AllocatorError):
    """The compiler, or the linker, refuses it; `said` is all that it says."""

    def __init__(self, said: str, place: str) -> None:
        self.said = said
        super().__init__("the compiler refuses it", place)

    def __str__(self) -> str:
        lines = self.said.splitlines() or ["it does not say why"]
        shown = [_printable(line[:_LONGEST_LINE]) for line in lines[:_MOST_LINES]]
        if len(lines) > _MOST_LINES:
            shown.append(f"... {len(lines) - _MOST_LINES} lines more")
        return "\n".join([f"{self.place}: {self.message}", *shown])


def program_of(choice: Choice, kind: Kind) -> Path:
    """A program made of a C source, an object or an archive. CompilerError where it cannot be."""
    support = [str(_support("start")), str(_support("memlib"))]
    flags = _split(choice.cflags)
    if kind is Kind.C:
        own = [*_FLAGS, f"-fdebug-prefix-map={Path.cwd()}=.", "-idirafter", str(SUPPORT)]
        arguments = [*own, _operand(choice.name), *support, *flags]
    elif kind is Kind.ARCHIVE:
        wanted = [f"-Wl,-u,{prefix}{kind}" for prefix in _prefixes(choice) for kind in KINDS]
        wanted += ["-Wl,-u,mm_init", "-Wl,-u,os_errno"]
        arguments = [support[0], *wanted, _operand(choice.name), support[1], *flags]
    else:
        arguments = [_operand(choice.name), *support, *flags]
    return _built(arguments, choice.name)


def _prefixes(choice: Choice) -> Sequence[str]:
    return PREFIXES if choice.prefix is None else (choice.prefix,)


@cache
def carrier() -> Path:
    """A program that does nothing, for a shared library to be loaded into."""
    return _built([str(_support("start"))], "a program to load a library into")


@cache
def musl_carrier(libc: Path) -> Path:
    """The same for what wants musl: its libc is its loader."""
    folder = _new_folder()
    (folder / "libc.so").symlink_to(libc.resolve())  # the name that musl knows itself by
    loader = f"-Wl,-dynamic-linker,{libc}"
    arguments = [str(_support("bare")), "-nostdlib", loader, f"-L{folder}", "-lc"]
    return _built(arguments, "a program for musl")


def fingerprint(path: Path) -> object:
    """What must be the same, so that what is built of it is. OSError where it cannot be read."""
    if is_source(path) is not Kind.C:
        return _stamp(path)
    around = [other for other in path.parent.iterdir() if other.suffix in _NEIGHBOURS]
    return path.read_bytes(), tuple(sorted(map(_stamp, around)))


def _stamp(path: Path) -> tuple[str, int, int, int]:
    about = path.stat()
    return str(path), about.st_mtime_ns, about.st_size, about.st_ino


# Building


@cache
def _support(name: str) -> Path:
    made = _folder() / f"{name}.o"
    _run(["-O1", "-fPIC", "-fno-stack-protector", "-c", str(SUPPORT / f"{name}.c"),
          "-o", str(made)], name)  # fmt: skip
    return made


def _built(arguments: Sequence[str], name: str) -> Path:
    made = _new_folder() / Path(name).stem
    _run([*arguments, "-o", str(made)], name)
    return made


def _run(arguments: Sequence[str], name: str) -> None:
    command = [_compiler(name), *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CompilerError(f"it is not done after {_TIMEOUT} seconds", name) from None
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise AllocatorError(f"the compiler cannot be run: {reason}", name) from None
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace")
        raise CompilerError(said, name)


def _compiler(name: str) -> str:
    for compiler in _COMPILERS:
        found = shutil.which(compiler)
        if found:
            return found
    raise AllocatorError(
        "there is no C compiler here", name, expected=f"one of {', '.join(_COMPILERS)} in the PATH"
    )


def _split(flags: str) -> list[str]:
    try:
        return shlex.split(flags)
    except ValueError as error:
        raise AllocatorError(
            f"not as a shell would read it: {error}", f"--cflags {flags}"
        ) from None


def _operand(path: str) -> str:
    """A file's name that is no option."""
    return f"./{path}" if path.startswith(("-", "@")) else path


@cache
def _folder() -> Path:
    made = tempfile.mkdtemp(prefix="emu-allocators-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(dir=_folder()))  # the folder may be that of a forked parent


def link_to(path: Path) -> Path:
    """Another name for a file, without a blank or a colon in it, as lists of libraries want it."""
    made = _new_folder() / "library.so"
    made.symlink_to(path.resolve())
    return made


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "\N{MIDDLE DOT}" for c in line)
