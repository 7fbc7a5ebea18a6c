"""The rows of the system calls on memory."""

from __future__ import annotations

from syscalls import kinds as k
from syscalls.brk import brk
from syscalls.madvise import madvise
from syscalls.mincore import mincore
from syscalls.mlock import mlock, mlock2, mlockall, munlock, munlockall
from syscalls.mmap import mmap
from syscalls.mprotect import mprotect, pkey_mprotect
from syscalls.mremap import mremap
from syscalls.msync import msync
from syscalls.munmap import munmap
from syscalls.row import Row

MEMORY = (
    Row(9, "mmap", (k.ADDRESS, k.SIZE, k.PROT, k.MAP_FLAGS, k.FD, k.OFFSET), k.ADDRESS, mmap,
        "memory and files; no huge pages"),
    Row(10, "mprotect", (k.ADDRESS, k.SIZE, k.PROT), k.INT, mprotect, "whole"),
    Row(11, "munmap", (k.ADDRESS, k.SIZE), k.INT, munmap, "whole"),
    Row(12, "brk", (k.ADDRESS,), k.ADDRESS, brk, "whole"),
    Row(25, "mremap", (k.ADDRESS, k.SIZE, k.SIZE, k.MREMAP_FLAGS, k.ADDRESS), k.ADDRESS, mremap,
        "whole"),
    Row(26, "msync", (k.ADDRESS, k.SIZE, k.MSYNC_FLAGS), k.INT, msync, "whole"),
    Row(27, "mincore", (k.ADDRESS, k.SIZE, k.MINCORE_OUT), k.INT, mincore,
        "files are taken to be in memory"),
    Row(28, "madvise", (k.ADDRESS, k.SIZE, k.MADVICE), k.INT, madvise,
        "no holes in files, no huge pages, no paging out"),
    Row(149, "mlock", (k.ADDRESS, k.SIZE), k.INT, mlock, "whole"),
    Row(150, "munlock", (k.ADDRESS, k.SIZE), k.INT, munlock, "whole"),
    Row(151, "mlockall", (k.MLOCKALL_FLAGS,), k.INT, mlockall, "whole"),
    Row(152, "munlockall", (), k.INT, munlockall, "whole"),
    Row(325, "mlock2", (k.ADDRESS, k.SIZE, k.MLOCK2_FLAGS), k.INT, mlock2, "whole"),
    Row(329, "pkey_mprotect", (k.ADDRESS, k.SIZE, k.PROT, k.INT), k.INT, pkey_mprotect,
        "no keys: as mprotect with the key -1"),
)  # fmt: skip
