"""A batch: tasks that were given to an executor, or to nobody, and their results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batch(Generic[T, R]):
    """function is called with each of the items: by the executor; where it is None, when asked.

    done: told of each that is finished.
    """

    def __init__(
        self,
        executor: Executor | None,
        function: Callable[[T], R],
        items: Sequence[T],
        done: Callable[[], None],
    ) -> None:
        self._function, self._items, self._done = function, items, done
        self._futures: list[Future[R]] | None = None
        if executor is not None:
            self._futures = [executor.submit(function, item) for item in items]
            for future in self._futures:
                future.add_done_callback(lambda _: done())

    @property
    def finished(self) -> bool:
        """Whether nobody need wait for it; never where there is no executor."""
        return self._futures is not None and all(future.done() for future in self._futures)

    def results(self, deadline: float | None = None) -> list[R]:
        """All results; those that are there at the deadline, by the clock of `monotonic`."""
        return list(self._by_hand(deadline) if self._futures is None else self._waited(deadline))

    def _by_hand(self, deadline: float | None) -> Iterator[R]:
        for item in self._items:
            if deadline is not None and monotonic() >= deadline:
                return
            yield self._function(item)
            self._done()

    def _waited(self, deadline: float | None) -> Iterator[R]:
        assert self._futures is not None
        late = False
        for future in self._futures:
            if late and (future.cancel() or not future.done()):
                continue
            left = None if deadline is None else max(0.0, deadline - monotonic())
            try:
                yield future.result(left)
            except TimeoutError:
                late = True
                future.cancel()
