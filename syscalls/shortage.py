"""Running out on purpose: planned failures, and limits."""

from __future__ import annotations

from dataclasses import dataclass, field


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


@dataclass(slots=True)
class _Planned:
    name: str
    countdown: int
    errno: int


@dataclass(slots=True)
class Shortages:
    """Planned failures: "the second mmap from now on answers ENOMEM"."""

    planned: list[_Planned] = field(default_factory=list)

    def plan(self, name: str, nth: int, errno: int) -> None:
        """The nth call of `name` from now on (1 is the next) answers with `errno`, once."""
        if nth < 1:
            raise ValueError(f"calls are counted from 1, not from {nth}")
        self.planned.append(_Planned(name, nth, errno))

    def due(self, name: str) -> int | None:
        """Counts one call; the errno if this is one that shall fail."""
        errno = None
        for plan in self.planned:
            if plan.name == name:
                plan.countdown -= 1
                if plan.countdown == 0:
                    errno = plan.errno
        self.planned = [plan for plan in self.planned if plan.countdown > 0]
        return errno
