"""Many registers read or written in one call."""

from __future__ import annotations

import ctypes
from itertools import accumulate
from typing import Any

from emu.process.binding import POINTER, U64, check, library, register_number


class Batch:
    """A list of registers, read or written in one call; an st or xmm register is two words."""

    def __init__(self, engine: ctypes.c_void_p, names: list[str]) -> None:
        sizes = [2 if name.startswith(("xmm", "st")) else 1 for name in names]
        self._engine, self._count = engine, len(names)
        self._values = (U64 * sum(sizes))()
        self._numbers = (ctypes.c_int32 * len(names))(*map(register_number, names))
        start = ctypes.addressof(self._values)
        places = (start + 8 * words for words in accumulate(sizes[:-1], initial=0))
        self._pointers = (POINTER * len(names))(*places)

    def read(self) -> list[int]:
        check(self._call(library.uc_reg_read_batch))
        return list(self._values)

    def write(self, values: list[int]) -> None:
        self._values[:] = values  # type: ignore[assignment]
        check(self._call(library.uc_reg_write_batch))

    def _call(self, function: Any) -> int:
        status: int = function(self._engine, self._numbers, self._pointers, self._count)
        return status
