"""The beginning of a list that only grows: as it was at some time, at the cost of a number."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Beginning(NamedTuple, Generic[T]):
    """The first `size` of the items. The list itself may have become longer."""

    items: list[T]
    size: int

    @classmethod
    def of(cls, items: list[T]) -> Beginning[T]:
        """All that there are now."""
        return cls(items, len(items))

    def again(self, now: list[T]) -> list[T]:
        """The list as it was: the very one, if it is still the same, which must grow no other way.

        now: the list that is used now.
        """
        if now is self.items and len(now) == self.size:
            return now
        return self.items[: self.size]
