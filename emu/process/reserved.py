"""Host memory that is reserved and not yet there: the host gives pages only to what is used."""

from __future__ import annotations

import mmap

_NORESERVE = 0x4000


def reserved(size: int) -> mmap.mmap:
    """So many bytes, all zero. Private to this process, to read and to write."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE)
