"""Running out on purpose: planned failures, and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may have, in bytes; None for no limit. Soft limits, but for the one named so.

    data: RLIMIT_DATA, the heap and the private writable mappings. hard_data: where `data` is 0,
    Linux takes this instead, since Valgrind once needed it.
    address_space: RLIMIT_AS, everything mapped.
    stack: RLIMIT_STACK, how large a region that grows down may become.
    locked: RLIMIT_MEMLOCK, what mlock and its kin may keep in memory.
    ram: what the machine has; one request for more is refused, as Linux's heuristic overcommit
    does (proc(5), /proc/sys/vm/overcommit_memory).
    touched: memory that the process may really use; one page more, and it is killed, as Linux
    kills when memory that it promised is not there.
    """

    data: int | None = None
    address_space: int | None = None
    ram: int | None = 64 << 30
    touched: int = 4 << 30
    stack: int | None = 8 << 20
    locked: int | None = 8 << 20
    hard_data: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One of them, and which call of that name from now on it is."""

    name: str
    countdown: int
    errno: int

    def after(self, name: str) -> Planned:
        """One call later."""
        return replace(self, countdown=self.countdown - 1) if name == self.name else self


@dataclass(slots=True)
class Shortages:
    """Planned failures: "the second mmap from now on answers ENOMEM"."""

    planned: tuple[Planned, ...] = ()

    def plan(self, name: str, nth: int, errno: int) -> None:
        """The nth call of `name` from now on (1 is the next) answers with `errno`, once."""
        if nth < 1:
            raise ValueError(f"calls are counted from 1, not from {nth}")
        self.planned += (Planned(name, nth, errno),)

    def due(self, name: str) -> int | None:
        """Counts one call; the errno if this is one that shall fail."""
        counted = [plan.after(name) for plan in self.planned]
        self.planned = tuple(plan for plan in counted if plan.countdown)
        return next((plan.errno for plan in reversed(counted) if not plan.countdown), None)
