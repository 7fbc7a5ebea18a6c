"""poll(2) and select(2): what was waited for, and behind the answer what came.

Source: asm-generic/poll.h, linux/posix_types.h, linux/eventpoll.h.
"""

from __future__ import annotations

from struct import Struct

from syscalls.text.clocks import timespec, timeval
from syscalls.text.sight import Sight, Text, array, pointer
from syscalls.text.signals import signal_set
from syscalls.text.words import choice, fields, flag_words, flags, names, numbered

_POLL = names("""
    POLLIN 1 POLLPRI 2 POLLOUT 4 POLLERR 8 POLLHUP 0x10 POLLNVAL 0x20 POLLRDNORM 0x40
    POLLRDBAND 0x80 POLLWRNORM 0x100 POLLWRBAND 0x200 POLLMSG 0x400 POLLREMOVE 0x1000
    POLLRDHUP 0x2000 POLL_BUSY_LOOP 0x8000
""")
_EPOLL = names("""
    EPOLLIN 1 EPOLLPRI 2 EPOLLOUT 4 EPOLLERR 8 EPOLLHUP 0x10 EPOLLNVAL 0x20 EPOLLRDNORM 0x40
    EPOLLRDBAND 0x80 EPOLLWRNORM 0x100 EPOLLWRBAND 0x200 EPOLLMSG 0x400 EPOLLRDHUP 0x2000
    EPOLLEXCLUSIVE 0x10000000 EPOLLWAKEUP 0x20000000 EPOLLONESHOT 0x40000000 EPOLLET 0x80000000
""")
EPOLL_OP = choice(numbered("EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD", first=1), "EPOLL_CTL")
EPOLL_CREATE = flags(names("EPOLL_CLOEXEC 0o2000000"), "EPOLL")
_POLLFD = Struct("<iHH")
_MASK = Struct("<2Q")
_MOST_SET = 1 << 20


def _asked(data: bytes) -> str:
    fd, events, _ = _POLLFD.unpack(data)
    if fd < 0:
        return fields(fd=fd)
    return fields(fd=fd, events=flag_words(events, _POLL, "POLL"))


def pollfds(value: int, sight: Sight) -> str:
    """What was waited for, as it stands there before the call."""
    return array(value, sight.arg(1) & 0xFFFFFFFF, _POLLFD.size, sight, _asked)


def poll_answer(value: int, sight: Sight) -> str:
    """What came: the files of which something is to be told, and ppoll's time that was left."""
    if sight.result == 0:
        return "0 (Timeout)"
    came = _came(value, sight)
    parts = [came] if came != "[]" else []
    if not value or not sight.arg(1):
        return f"{sight.result}"
    if len(sight.args) == 5 and sight.args[2]:
        parts.append(f"left {timespec(sight.args[2], sight)}")
    return f"{sight.result} ({', '.join(parts)})" if parts else f"{sight.result}"


def _came(value: int, sight: Sight) -> str:
    shown: list[str] = []
    for index in range(min(sight.arg(1) & 0xFFFFFFFF, 1 << 16)):
        data = sight.read(value + index * _POLLFD.size, _POLLFD.size)
        if data is None:
            shown.append(pointer(value + index * _POLLFD.size))
            break
        fd, _, events = _POLLFD.unpack(data)
        if fd < 0 or not events:
            continue
        if len(shown) >= sight.string_length:
            return f"[{', '.join([*shown, '...'])}]"
        shown.append(fields(fd=fd, revents=flag_words(events, _POLL, "POLL")))
    return f"[{', '.join(shown)}]"


def _members(value: int, sight: Sight, most: int) -> list[int] | None:
    """The descriptors of a set; None where it cannot be seen."""
    count = sight.args[0]
    if not value or count <= 0:
        return None
    size = (min(count, _MOST_SET) + 63) // 64 * 8
    data = sight.read(value, size)
    if data is None:
        return None
    word = int.from_bytes(data, "little")
    return [fd for fd in range(min(count, _MOST_SET)) if word >> fd & 1][:most]


def fd_set(value: int, sight: Sight) -> str:
    """The files that select shall look at."""
    members = _members(value, sight, _MOST_SET)
    return pointer(value) if members is None else f"[{' '.join(map(str, members))}]"


def select_answer(_: int, sight: Sight) -> str:
    """What came, set by set, and the time that was left; asked of the first argument.

    strace closes the bracket of the set before once more for a set in which nothing came.
    """
    if sight.result == 0:
        return "0 (Timeout)"
    told, ready = "", sight.result or 0
    for name, value in zip(("in", "out", "except"), sight.args[1:4], strict=True):
        members = _members(value, sight, ready) if ready else None
        if members:
            told += f"{', ' if told else ''}{name} [{' '.join(map(str, members))}"
            ready -= len(members)
        told += "]" if told and members is not None else ""
    if sight.args[4]:
        left = _timeout(sight)(sight.args[4], sight)
        told += f"{', ' if told else ''}left {left}"
    return f"{sight.result} ({told})"


def _timeout(sight: Sight) -> Text:
    return timespec if len(sight.args) == 6 else timeval


def mask_and_size(value: int, sight: Sight) -> str:
    """pselect6: a pointer to a set of signals, and its size."""
    seen = sight.unpack(value, _MASK)
    if seen is None:
        return pointer(value)
    where, size = seen
    mask = sight.read(where, 8) if size == 8 and where else None
    shown = pointer(where) if mask is None else signal_set(int.from_bytes(mask, "little"))
    return fields(sigmask=shown, sigsetsize=size)


def _event(data: bytes) -> str:
    events, word = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little")
    both = fields(u32=word & 0xFFFFFFFF, u64=word)
    return fields(events=flag_words(events, _EPOLL, "EPOLL"), data=both)


def epoll_event(value: int, sight: Sight) -> str:
    data = sight.read(value, 12) if value else None
    return pointer(value) if data is None else _event(data)


def epoll_events(value: int, sight: Sight) -> str:
    return array(value, sight.result or 0, 12, sight, _event)
