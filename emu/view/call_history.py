"""The states of a heap before each call, to step through in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

State = TypeVar("State")


class CallHistory(Generic[State]):
    """States from when it was made on: of a heap that tells of each call before it is made.

    at: how many calls lie behind. len(): how many there are in all. A call that is made in the
    past takes the place of those that had followed.
    """

    def __init__(self, take: Callable[[], State], put_back: Callable[[State], None]) -> None:
        self._take, self._put_back = take, put_back
        self._states: list[State] = []
        self._has_present = False
        """Whether the last state is of after the last call, and not of before it."""
        self.at = 0

    def __len__(self) -> int:
        return len(self._states) - self._has_present

    def calling(self) -> None:
        """A call is about to be made."""
        del self._states[self.at :]
        self._states.append(self._take())
        self._has_present = False
        self.at += 1

    def back(self, calls: int = 1) -> None:
        """To before the last calls. IndexError where there are not so many."""
        self.go_to(self.at - calls)

    def forward(self, calls: int = 1) -> None:
        """To behind the next calls, as they were made. IndexError likewise."""
        self.go_to(self.at + calls)

    def go_to(self, calls: int) -> None:
        """To when so many calls had been made since the history began."""
        if not 0 <= calls <= len(self):
            raise IndexError(f"{calls} calls: the history has 0 to {len(self)}")
        if self.at == len(self):
            self._keep_present()
        self._put_back(self._states[calls])
        self.at = calls

    def _keep_present(self) -> None:
        """What was done since the last call is kept, too."""
        if self._has_present:
            self._states.pop()
        self._states.append(self._take())
        self._has_present = True
