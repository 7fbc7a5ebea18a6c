"""What holds an engine or its memory gives it back."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """Usable as a context manager, which closes it at the end."""

    def close(self) -> None:
        """Gives everything back; the second time does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
