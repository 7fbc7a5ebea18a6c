"""Who watches system calls while they are made."""

from __future__ import annotations

from typing import Any, Protocol

from syscalls.row import Row


class Tracer(Protocol):
    """Is told of every call, before and after it."""

    def entering(self, row: Row, args: tuple[int, ...], /) -> Any:
        """A call is about to be made. What is returned is handed to `leaving`."""

    def leaving(self, entered: Any, result: int | None, /) -> None:
        """It has answered: a negative errno for a failure, None where it does not come back."""


class Both:
    """Two tracers at once."""

    def __init__(self, first: Tracer, second: Tracer) -> None:
        self._first, self._second = first, second

    def entering(self, row: Row, args: tuple[int, ...]) -> tuple[Any, Any]:
        return self._first.entering(row, args), self._second.entering(row, args)

    def leaving(self, entered: tuple[Any, Any], result: int | None) -> None:
        self._second.leaving(entered[1], result)
        self._first.leaving(entered[0], result)
