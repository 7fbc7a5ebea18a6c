"""xattr(7): getxattr(2), listxattr(2), setxattr(2), removexattr(2) and their kin.

Deviation: no file has any: reading one is ENODATA, a list is empty; setting one is EOPNOTSUPP
where the guest may write, and EROFS elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from syscalls.abi import EINVAL, ENODATA, EOPNOTSUPP, ERANGE, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, NAME_MAX
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.paths import find, path_at

_PREFIXES = (b"user.", b"trusted.", b"security.", b"system.posix_acl_")


def _by_path(context: Context, path: int) -> Place:
    return find(context, AT_FDCWD, path_at(context, path))


def _by_link(context: Context, path: int) -> Place:
    return find(context, AT_FDCWD, path_at(context, path), follow=False)


def _by_fd(context: Context, fd: int) -> Place:
    return place_of(context.files.at(fd))


Finder = Callable[[Context, int], Place]


def _name_at(context: Context, address: int) -> bytes:
    name = context.user.string(address, NAME_MAX + 1, ERANGE)
    if not name:
        raise Errno(ERANGE)
    return name


def _absent(name: bytes) -> Errno:
    """ENODATA; EINVAL for a prefix alone, EOPNOTSUPP for one that Linux does not know."""
    if name in _PREFIXES:
        return Errno(EINVAL)
    return Errno(ENODATA if name.startswith(_PREFIXES) else EOPNOTSUPP)


def _get(find_place: Finder) -> Callable[[Context, int, int, int, int], int]:
    def get(context: Context, where: int, name: int, _: int, __: int) -> int:
        asked = _name_at(context, name)
        find_place(context, where)
        raise _absent(asked)

    return get


def _list(find_place: Finder) -> Callable[[Context, int, int, int], int]:
    def list_names(context: Context, where: int, _: int, __: int) -> int:
        find_place(context, where)
        return 0

    return list_names


def _set(find_place: Finder) -> Callable[[Context, int, int, int, int, int], int]:
    def set_value(context: Context, where: int, name: int, _: int, __: int, ___: int) -> int:
        _name_at(context, name)
        find_place(context, where).changeable()
        raise Errno(EOPNOTSUPP)

    return set_value


def _remove(find_place: Finder) -> Callable[[Context, int, int], int]:
    def remove(context: Context, where: int, name: int) -> int:
        asked = _name_at(context, name)
        find_place(context, where).changeable()
        raise _absent(asked)

    return remove


getxattr, lgetxattr, fgetxattr = _get(_by_path), _get(_by_link), _get(_by_fd)
listxattr, llistxattr, flistxattr = _list(_by_path), _list(_by_link), _list(_by_fd)
setxattr, lsetxattr, fsetxattr = _set(_by_path), _set(_by_link), _set(_by_fd)
removexattr, lremovexattr, fremovexattr = _remove(_by_path), _remove(_by_link), _remove(_by_fd)
