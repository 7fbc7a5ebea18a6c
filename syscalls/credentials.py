"""credentials(7), capabilities(7): user and group ids, and what root may do.

The process starts as root of a container: it has every capability but those to change what would
be shared with others (the clock, the network, modules, devices) or to look into them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from syscalls.abi import EINVAL, EPERM, Errno

KEEP = 0xFFFF_FFFF
"""As an id: no id at all, and "as it is" where one would be set."""


class Cap(IntEnum):
    """What this kernel asks for or gives up; numbers of include/uapi/linux/capability.h."""

    CHOWN = 0
    DAC_OVERRIDE = 1
    DAC_READ_SEARCH = 2
    FOWNER = 3
    FSETID = 4
    SETGID = 6
    SETUID = 7
    SETPCAP = 8
    LINUX_IMMUTABLE = 9
    NET_ADMIN = 12
    SYS_MODULE = 16
    SYS_RAWIO = 17
    SYS_ADMIN = 21
    SYS_BOOT = 22
    SYS_NICE = 23
    SYS_RESOURCE = 24
    SYS_TIME = 25
    MKNOD = 27
    MAC_OVERRIDE = 32
    MAC_ADMIN = 33
    SYSLOG = 34
    WAKE_ALARM = 35
    LAST = 40


def _set(*capabilities: Cap) -> int:
    return sum(1 << capability for capability in capabilities)


ALL = (1 << Cap.LAST + 1) - 1
_NOT_OURS = _set(
    Cap.NET_ADMIN, Cap.SYS_MODULE, Cap.SYS_RAWIO, Cap.SYS_ADMIN, Cap.SYS_BOOT, Cap.SYS_TIME,
    Cap.MAC_OVERRIDE, Cap.MAC_ADMIN, Cap.SYSLOG, Cap.WAKE_ALARM,
)  # fmt: skip
CONTAINER = ALL & ~_NOT_OURS
_FILES = _set(
    Cap.CHOWN, Cap.DAC_OVERRIDE, Cap.DAC_READ_SEARCH, Cap.FOWNER, Cap.FSETID, Cap.LINUX_IMMUTABLE,
    Cap.MKNOD, Cap.MAC_OVERRIDE,
)  # fmt: skip
"""What follows the filesystem's user id."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The four ids of a user, or of a group. Each change gives new ones, or EPERM.

    privileged: whether any id may be taken, with CAP_SETUID or CAP_SETGID.
    """

    real: int = 0
    effective: int = 0
    saved: int = 0
    filesystem: int = 0

    @property
    def three(self) -> tuple[int, int, int]:
        return self.real, self.effective, self.saved

    def set(self, wanted: int, privileged: bool) -> Ids:
        """setuid(2): all of them for the privileged, else the effective one."""
        if wanted == KEEP:
            raise Errno(EINVAL)
        if privileged:
            return Ids(wanted, wanted, wanted, wanted)
        _one_of(wanted, self.real, self.saved)
        return replace(self, effective=wanted, filesystem=wanted)

    def set_two(self, real: int, effective: int, privileged: bool) -> Ids:
        """setreuid(2): the saved id follows where the real one is set, or could differ."""
        if not privileged:
            _one_of(real, KEEP, self.real, self.effective)
            _one_of(effective, KEEP, *self.three)
        new_real = self.real if real == KEEP else real
        new = self.effective if effective == KEEP else effective
        follows = real != KEEP or effective not in (KEEP, self.real)
        return Ids(new_real, new, new if follows else self.saved, new)

    def set_three(self, wanted: tuple[int, int, int], privileged: bool) -> Ids:
        """setresuid(2): each of them, to any of them."""
        if not privileged:
            for one in wanted:
                _one_of(one, KEEP, *self.three)
        real, effective, saved = (
            old if new == KEEP else new for old, new in zip(self.three, wanted, strict=True)
        )
        return Ids(real, effective, saved, effective)

    def set_filesystem(self, wanted: int, privileged: bool) -> Ids:
        """setfsuid(2): never an error, only no change."""
        allowed = privileged or wanted in (*self.three, self.filesystem)
        return replace(self, filesystem=wanted) if allowed and wanted != KEEP else self


def _one_of(wanted: int, *allowed: int) -> None:
    if wanted not in allowed:
        raise Errno(EPERM)


Change = Callable[[Ids, bool], Ids]
"""(ids, whether privileged) -> new ids."""


@dataclass(slots=True)
class Credentials:
    """Ids, groups and sets of capabilities, each set a word of bits."""

    user: Ids = field(default_factory=Ids)
    group: Ids = field(default_factory=Ids)
    groups: tuple[int, ...] = ()
    effective: int = CONTAINER
    permitted: int = CONTAINER
    inheritable: int = 0
    ambient: int = 0
    bounding: int = CONTAINER
    keep_capabilities: bool = False

    def can(self, capability: Cap) -> bool:
        return bool(self.effective >> capability & 1)

    def require(self, capability: Cap) -> None:
        """EPERM without it."""
        if not self.can(capability):
            raise Errno(EPERM)

    def become(self, new: Ids) -> None:
        """New user ids: who stops being root loses what root may (capabilities(7))."""
        old, self.user = self.user, new
        if 0 in old.three and 0 not in new.three:
            self.ambient = 0
            if not self.keep_capabilities:
                self.permitted = self.effective = 0
        if old.effective == 0 != new.effective:
            self.effective = 0
        elif old.effective != 0 == new.effective:
            self.effective = self.permitted

    def become_on_files(self, new: Ids) -> None:
        """A new filesystem id of the user: the capabilities about files follow."""
        old, self.user = self.user, new
        if old.filesystem == 0 != new.filesystem:
            self.effective &= ~_FILES
        elif old.filesystem != 0 == new.filesystem:
            self.effective |= _FILES & self.permitted
