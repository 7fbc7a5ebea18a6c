"""The scenario language: text to statements, or an error with the line and a caret."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from emu.errors import ScenarioError
from emu.scenario import number as numbers
from emu.scenario import operations as op
from syscalls.abi import MAX_ERRNO, errno_number
from syscalls.table import BY_NAME

WORD = 1 << 64

_OFTEN_FAILED = ("brk", "mmap", "munmap", "mremap", "mprotect")
"""System calls that somebody may have meant."""
_RESERVED_NAME = re.compile(r"\s*(free|fill|write|fail|expect|null)\s*=")
_STATEMENTS = ("free", "fill", "write", "fail", "expect")
_STATEMENTS_IN_WORDS = "NAME = malloc|calloc|realloc ..., " + ", ".join(_STATEMENTS)
_IN_WORDS = {
    "NUMBER": "a number (1000, 0x3e8, 1K)",
    "NAME": "a name",
    "NULL": "null",
    "PLACE": "a place (heap+0x20, map1+0x20)",
    "CALL": "a system call (brk, mmap, munmap)",
    "ASKED": "a system call (brk, brk(heap+0x20000))",
    "ERRNO": "an errno (ENOMEM)",
    "RELATION": "== or !=",
    "STATUS": "alloc or free",
    "EQUAL": "=",
    "$END": "the end of the line",
}


def lines(text: str) -> list[str]:
    """Lines as an editor counts them: ended by LF, CR LF or CR alone."""
    return re.split(r"\r\n|\r|\n", text)


def parse(text: str, file: str) -> tuple[op.Statement, ...]:
    """Every statement of a scenario. ScenarioError for a line that is none."""
    names: set[str] = set()
    statements = []
    for number, source in enumerate(lines(text), 1):
        line = _Line(file, number, source, names)
        if operation := line.operation():
            statements.append(op.Statement(number, source.split("#")[0].strip(), operation))
            if isinstance(operation, op.Malloc | op.Calloc | op.Realloc):
                names.add(operation.name)
    return tuple(statements)


class _Line:
    """One line and what was named above it."""

    def __init__(self, file: str, number: int, source: str, names: set[str]) -> None:
        self.place = f"{file}:{number}"
        self.source, self.names = source, names

    def operation(self) -> op.Operation | None:
        code = self.source.split("#", 1)[0]
        if not code.strip():
            return None
        if reserved := _RESERVED_NAME.match(code):
            word, column = reserved[1], reserved.start(1) + 1
            self.wrong(f"`{word}` is a word of the language", column, "a name")
        import lark

        try:
            tree = _parser().parse(code)
        except lark.UnexpectedInput as error:
            self._unexpected(error, code)
        build = getattr(self, f"_{tree.data}")
        return build(*tree.children)  # type: ignore[no-any-return]

    def wrong(self, message: str, column: int = 0, expected: str = "") -> NoReturn:
        raise ScenarioError(message, self.place, self.source, column, expected)

    def _unexpected(self, error: Any, code: str) -> NoReturn:
        import lark

        ended = isinstance(error, lark.UnexpectedEOF) or (
            isinstance(error, lark.UnexpectedToken) and error.token.type == "$END"
        )
        words = code.split()
        if words[0] not in _STATEMENTS and "=" not in code and words[0].isprintable():
            column = code.index(words[0]) + 1
            self.wrong(f"`{words[0]}` begins no statement", column, _STATEMENTS_IN_WORDS)
        column = len(code.rstrip()) + 1 if ended else max(1, error.column)
        found = code[column - 1 :].split()
        message = f"`{found[0]}` is not understood here" if found else "the line ends too early"
        accepted = getattr(error, "accepts", None) or getattr(error, "allowed", None) or ()
        self.wrong(message, column, _in_words(accepted or getattr(error, "expected", ())))

    # One method a statement, named as in heap.lark

    def _malloc(self, name: Any, size: Any) -> op.Malloc:
        return op.Malloc(str(name), self._size(size))

    def _calloc(self, name: Any, count: Any, size: Any) -> op.Calloc:
        return op.Calloc(str(name), self._size(count), self._size(size))

    def _realloc(self, name: Any, source: Any, size: Any) -> op.Realloc:
        return op.Realloc(str(name), self._pointer(source), self._size(size))

    def _free(self, source: Any) -> op.Free:
        return op.Free(self._pointer(source))

    def _fill(self, name: Any, byte: Any) -> op.Fill:
        return op.Fill(self._name(name), self._byte(byte))

    def _write(self, name: Any, offset: Any, *data: Any) -> op.Write:
        place = self._number(offset)
        if abs(place) >= WORD // 2:
            self.wrong(f"`{offset}` is out of reach", offset.column, "-2^63 to 2^63 - 1")
        return op.Write(self._name(name), place, bytes(self._byte(byte) for byte in data))

    def _fail(self, syscall: Any, nth: Any, errno: Any) -> op.Fail:
        number = self._errno(errno)
        if not 1 <= number <= MAX_ERRNO:
            self.wrong(f"`{errno}` is no errno", errno.column, f"a name, or 1 to {MAX_ERRNO}")
        count = self._number(nth)
        if count < 1:
            self.wrong("calls are counted from 1", nth.column, "1 for the next one, 2, ...")
        return op.Fail(self._call(syscall), count, number)

    def _expect_pointer(self, name: Any, relation: Any, target: Any) -> op.ExpectPointer:
        return op.ExpectPointer(self._name(name), relation == "==", self._target(target))

    def _expect_blocks(self, *blocks: Any) -> op.ExpectBlocks:
        pairs = (block.children for block in blocks)
        return op.ExpectBlocks(tuple((str(status), self._size(size)) for status, size in pairs))

    def _expect_syscalls(self, *names: Any) -> op.ExpectSyscalls:
        return op.ExpectSyscalls(tuple(self._asked(name) for name in names))

    def _expect_errno(self, errno: Any) -> op.ExpectErrno:
        return op.ExpectErrno(self._errno(errno))

    def _expect_clean(self) -> op.ExpectClean:
        return op.ExpectClean()

    # Words

    def _name(self, tree: Any) -> str:
        (token,) = tree.children
        if token not in self.names:
            known = ", ".join(sorted(self.names)) or "none so far"
            self.wrong(
                f"undefined name `{token}`", token.column, f"a name given a value above: {known}"
            )
        return str(token)

    def _pointer(self, tree: Any) -> str | None:
        (child,) = tree.children
        return self._name(child) if hasattr(child, "children") else None

    def _target(self, tree: Any) -> op.Place | op.Name | int | None:
        (child,) = tree.children
        if hasattr(child, "children"):
            return op.Name(self._name(child))
        if child.type == "NULL":
            return None
        if child.type == "NUMBER":
            return self._size(child)
        base, offset = child.split("+")
        return op.Place(base, int(offset, 16) if offset.startswith("0x") else int(offset))

    def _call(self, token: Any, name: str = "") -> str:
        name = name or str(token)
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME) or _OFTEN_FAILED
            self.wrong(f"unknown system call `{name}`", token.column, ", ".join(near))
        return name

    def _asked(self, token: Any) -> str:
        """A name, and arguments if there are any, as strace writes them."""
        name, opened, arguments = str(token).rstrip(")").partition("(")
        self._call(token, name)
        spelled = ", ".join(part.strip() for part in arguments.split(","))
        return f"{name}({spelled})" if opened else name

    def _errno(self, token: Any) -> int:
        """By its name, or as a number."""
        if token.type == "NUMBER":
            return self._size(token)
        number = errno_number(str(token))
        if number is None:
            self.wrong(f"Linux has no errno `{token}`", token.column, "ENOMEM, EINVAL, EPERM, ...")
        return number

    def _number(self, token: Any) -> int:
        try:
            return numbers.parse(token)
        except ValueError as error:
            self.wrong(str(error), token.column, numbers.FORMS if "is not" in str(error) else "")

    def _size(self, token: Any) -> int:
        value = self._number(token)
        if not 0 <= value < WORD:
            self.wrong(f"`{token}` does not fit in 64 bits", token.column, "0 to 2^64 - 1")
        return value

    def _byte(self, token: Any) -> int:
        value = self._number(token)
        if not 0 <= value <= 0xFF:
            self.wrong(f"`{token}` is not a byte", token.column, "0 to 0xff")
        return value


def _in_words(terminals: Any) -> str:
    words = [_IN_WORDS.get(name, name.lower()) for name in sorted(terminals)]
    return ", ".join(dict.fromkeys(words))


@cache
def _parser() -> Any:
    import lark

    grammar = (Path(__file__).parent / "heap.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", propagate_positions=False)
