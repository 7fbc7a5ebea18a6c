"""Macros, as far as the guard needs them: which lines would an invocation become?

Keystone expands macros itself. The guard reads the expanded lines first, or a parameter could
carry in what no line may say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from asm.expression import NAME
from asm.source import Statement, blank_strings, parse, split_commas

_PARAMETER = re.compile(rf"({NAME})(?::req)?(?:=(\S+))?$")
_USE = re.compile(r"\\(\(\)|\w+|.?)")


@dataclass(slots=True)
class Macro:
    """parameters: each name with its default, None where it has none."""

    name: str
    parameters: dict[str, str | None]
    body: list[Statement] = field(default_factory=list)

    @classmethod
    def begun(cls, statement: Statement) -> Macro:
        """From `.macro NAME PARAMETER, PARAMETER=DEFAULT`."""
        words = statement.rest.replace(",", " ").split()
        if not words or not re.fullmatch(NAME, words[0]):
            raise statement.wrong("a name is expected: .macro NAME, or .macro NAME first, second")
        parameters = {}
        for word in words[1:]:
            match = _PARAMETER.match(word)
            if not match:
                raise statement.wrong(f"`{word}` is no parameter: a name, or name=value")
            parameters[match[1]] = match[2]
        return cls(words[0], parameters)

    def expanded(self, invocation: Statement) -> list[Statement]:
        """The lines that an invocation stands for."""
        values = self._values(invocation)
        return [line for old in self.body if (line := _filled(old, values)) is not None]

    def _values(self, invocation: Statement) -> dict[str, str]:
        given = split_commas(invocation.rest)
        if len(given) > len(self.parameters):
            raise invocation.wrong(f"`{self.name}` has only {len(self.parameters)} parameters")
        values = {name: default or "" for name, default in self.parameters.items()}
        for name, value in zip(values, given, strict=False):
            if re.search(r"\s", blank_strings(value)):
                raise invocation.wrong("a macro's argument is one word, without spaces")
            values[name] = value or values[name]
        for name, value in values.items():
            if not value:
                raise invocation.wrong(f"`{self.name}` needs a value for `{name}`")
        return values


def _filled(line: Statement, values: dict[str, str]) -> Statement | None:
    """A line of the body with its parameters replaced."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "()":
            return ""
        if match[1] not in values and blank_strings(line.body) != line.body:
            return match[0]  # the \n of a string
        if match[1] not in values:
            raise line.wrong(f"`{match[0]}` is no parameter of this macro")
        return values[match[1]]

    filled = parse(line.file, line.line, _USE.sub(value, line.body), line.source)
    if filled is None:
        return None
    return Statement(line.file, line.line, line.source, (*line.labels, *filled.labels), filled.body)
