"""What Linux keeps of a process beside its memory and its files."""

from __future__ import annotations

from dataclasses import dataclass, field

from syscalls.credentials import Credentials
from syscalls.identity import PID, SESSION
from syscalls.resources import Resources

DEFAULT_SLACK = 50_000


@dataclass(slots=True)
class Task:
    """Most of it is only remembered, and told when it is asked for.

    tid_address: what set_tid_address left; robust_list: address of the head. policy, priority: of
    the scheduler, with reset_on_fork. slack: of timers, in nanoseconds. membarriers: the kinds of
    barrier that were registered.
    """

    group: int = PID
    session: int = SESSION
    credentials: Credentials = field(default_factory=Credentials)
    resources: Resources = field(default_factory=Resources)
    tid_address: int = 0
    robust_list: int = 0
    nice: int = 0
    policy: int = 0
    priority: int = 0
    reset_on_fork: bool = False
    io_priority: int = 0
    personality: int = 0
    membarriers: int = 0
    most_mapped: int = 0
    death_signal: int = 0
    dumpable: int = 1
    slack: int = DEFAULT_SLACK
    no_new_privileges: bool = False
    subreaper: bool = False
    no_huge_pages: bool = False
