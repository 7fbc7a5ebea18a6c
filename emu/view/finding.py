"""A Finding: something an allocator, or the program that uses it, did wrong."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """rule: its stable name. call: the index of the call after which it was seen, if any.

    address: of the first byte that is wrong, where it is about bytes.
    """

    rule: str
    message: str
    call: int | None = None
    address: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        at = f" (#{self.call})" if self.call else ""
        return f"{self.rule}{at}: {self.message}"
