"""Strings, paths and buffers, quoted as in C."""

from __future__ import annotations

from syscalls.text.sight import Sight, array, low, pointer

PATH_MAX = 4096
_XATTR_SIZE_MAX = 65536
_COMM_LEN = 16
_ESCAPED = {ord(char): f"\\{name}" for char, name in zip('"\\\t\n\v\f\r', '"\\tnvfr', strict=True)}
_DIGITS = range(ord("0"), ord("7") + 1)


def quoted(data: bytes, cut: bool = False) -> str:
    """Bytes between quotes; cut: there were more."""
    following = [*data[1:], 0]
    text = "".join(_escaped(byte, behind) for byte, behind in zip(data, following, strict=False))
    return f'"{text}"' + "..." * cut


def _escaped(byte: int, behind: int) -> str:
    if byte in _ESCAPED:
        return _ESCAPED[byte]
    if 0x20 <= byte < 0x7F:
        return chr(byte)
    return f"\\{byte:03o}" if behind in _DIGITS else f"\\{byte:o}"


def path(value: int, sight: Sight) -> str:
    """A path goes to its NUL, however long other strings may be."""
    found = sight.until_nul(value, PATH_MAX) if value else None
    if found is None:
        return pointer(value)
    data, ends = found
    return quoted(data if ends else data[: PATH_MAX - 1], not ends)


def string(value: int, sight: Sight) -> str:
    """A string that ends with a NUL."""
    most = sight.string_length
    found = sight.until_nul(value, most + 1) if value else None
    if found is None:
        return pointer(value)
    return quoted(found[0][:most], len(found[0]) > most)


def thread_name(value: int, sight: Sight) -> str:
    """prctl: a name of at most 15 bytes."""
    found = sight.until_nul(value, _COMM_LEN) if value and not sight.failed else None
    if found is None:
        return pointer(value)
    return quoted(found[0][: _COMM_LEN - 1], not found[1])


def path_out(value: int, sight: Sight) -> str:
    """getcwd: a path that the call has written, as long as it answers."""
    size = sight.result or PATH_MAX
    found = None if sight.failed or not value else sight.until_nul(value, size)
    if found is None:
        return pointer(value)
    data, ends = found
    return quoted(data[: size - 1], not ends)


def hexadecimal_bytes(data: bytes, cut: bool = False) -> str:
    """Bytes that mean nothing, between quotes."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"' + "..." * cut


def random_out(value: int, sight: Sight) -> str:
    """getrandom: bytes that mean nothing."""
    size, most = sight.result or 0, sight.string_length
    data = sight.read(value, min(size, most)) if size else b""
    if sight.failed or not value or data is None:
        return pointer(value)
    return hexadecimal_bytes(data, size > most)


def buffer(value: int, size: int, sight: Sight) -> str:
    """So many bytes of memory, as far as strings are shown."""
    if not value:
        return "NULL"
    most = sight.string_length
    data = sight.read(value, min(size, most + 1)) if size else b""
    if data is None:
        return pointer(value)
    return quoted(data[:most], size > most)


def bytes_in(value: int, sight: Sight) -> str:
    """As many as the next argument says."""
    return buffer(value, sight.arg(1) & (1 << 64) - 1, sight)


def bytes_out(value: int, sight: Sight) -> str:
    """As many as the call answers."""
    return pointer(value) if sight.failed else buffer(value, sight.result or 0, sight)


def _vector(value: int, sight: Sight, left: int | None) -> str:
    """left: how many bytes of the buffers the call has filled; None for all of them."""

    def element(data: bytes) -> str:
        nonlocal left
        base = int.from_bytes(data[:8], "little")
        length = int.from_bytes(data[8:], "little")
        size = length if left is None else min(length, left)
        left = None if left is None else left - size
        return f"{{iov_base={buffer(base, size, sight)}, iov_len={length}}}"

    return array(value, sight.arg(1) & (1 << 64) - 1, 16, sight, element)


def vector_in(value: int, sight: Sight) -> str:
    return _vector(value, sight, None)


def vector_out(value: int, sight: Sight) -> str:
    """What was read into it; where that failed, where it should have gone."""
    if not sight.failed:
        return _vector(value, sight, sight.result or 0)
    seen = Sight(sight.args, sight.read, sight.string_length)
    seen.index = sight.index
    return array(value, sight.arg(1) & (1 << 64) - 1, 16, seen, _empty)


def _empty(data: bytes) -> str:
    base, length = data[:8], data[8:]
    where = pointer(int.from_bytes(base, "little"))
    return f"{{iov_base={where}, iov_len={int.from_bytes(length, 'little')}}}"


def xattr_in(value: int, sight: Sight) -> str:
    """setxattr: what no attribute can hold is not looked at."""
    size = sight.arg(1)
    return pointer(value) if size > _XATTR_SIZE_MAX else _attribute(value, size, sight)


def xattr_list(value: int, sight: Sight) -> str:
    """listxattr: nothing where only the size was asked for."""
    return bytes_out(value, sight) if sight.arg(1) else pointer(value)


def xattr_value(value: int, sight: Sight) -> str:
    """getxattr."""
    return pointer(value) if sight.failed else _attribute(value, sight.result or 0, sight)


def _attribute(value: int, size: int, sight: Sight) -> str:
    """Without the NUL at its end, if it has one; nor is it said then that there is more."""
    most = sight.string_length
    data = sight.read(value, min(size, most + 1)) if size else b""
    if not value or data is None:
        return pointer(value)
    shown = data[:most]
    if shown.endswith(b"\0"):
        return quoted(shown[:-1])
    return quoted(shown, size > most)


def file_descriptors(value: int, sight: Sight) -> str:
    """pipe: the two that were made."""
    data = None if sight.failed or not value else sight.read(value, 8)
    if data is None:
        return pointer(value)
    ends = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (0, 4))
    return "[{}, {}]".format(*ends)


def user_id(value: int, _: Sight) -> str:
    """-1 leaves an owner alone."""
    return "-1" if low(value) == low(-1) else str(low(value))
