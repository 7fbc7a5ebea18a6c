"""How code that Unicorn has made looks whether it shall leave a block: found in its library."""

from __future__ import annotations

import ctypes
import re
from typing import NamedTuple

from emu.process.binding import library
from emu.process.engine import Engine


class ExitCheck(NamedTuple):
    """engine: what the function is given. flag: address of an int, below 0 once it shall leave."""

    engine: int
    function: int
    flag: int


_BEGINNING = re.compile(
    rb"(?:\xf3\x0f\x1e\xfa)?\x4c\x8b\x87(....)\x41\x8b\x80(....)\x85\xc0", re.DOTALL
)
"""mov r8, [rdi + cpu]; mov eax, [r8 + flag]; test eax, eax."""
_SIZE = 20


def exit_check(engine: Engine) -> ExitCheck | None:
    """None where the function is not as we know it."""
    try:
        function = ctypes.cast(library.helper_check_exit_request_x86_64, ctypes.c_void_p).value or 0
    except AttributeError:
        return None
    found = _BEGINNING.match(ctypes.string_at(function, _SIZE))
    if found is None:
        return None
    cpu_at, flag_at = (int.from_bytes(part, "little") for part in found.groups())
    cpu = ctypes.c_uint64.from_address(engine.address + cpu_at).value
    return ExitCheck(engine.address, function, cpu + flag_at)
