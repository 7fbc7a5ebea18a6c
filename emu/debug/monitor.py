"""qRcmd: gdb's command `monitor`, for what gdb itself has no words."""

from __future__ import annotations

from collections.abc import Iterator

from emu.debug import packets
from emu.debug.maps import maps_text
from emu.debug.replies import OK, unhex
from emu.debug.target import Target

_HELP = """\
monitor help      these lines
monitor moment    where in its history the program stands
monitor maps      its memory, as /proc/self/maps shows it
"""


def answers(target: Target, command: bytes) -> Iterator[bytes]:
    """qRcmd,command in hexadecimal: what gdb prints, in as many packets as it takes, and OK."""
    words = unhex(command).decode(errors="replace").split()
    text = _text(target, words).encode(errors="replace")
    if text and not text.endswith(b"\n"):
        text += b"\n"
    most = (packets.MOST - 1) // 2
    for start in range(0, len(text), most):
        yield b"O" + text[start : start + most].hex().encode()
    yield OK


def _text(target: Target, words: list[str]) -> str:
    if words == ["help"]:
        return _HELP + target.monitor(words)
    if words == ["moment"]:
        return target.moment()
    if words == ["maps"]:
        return maps_text(target)
    said = target.monitor(words) if words else ""
    return said or f'no such command: "{" ".join(words)}"; monitor help'
