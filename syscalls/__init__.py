"""Linux for one emulated process: its address space and its system calls, without a CPU.

Knows nothing of `asm` or `emu`. Memory is reached through a small protocol (memory.py), so that
the kernel runs and is tested without an emulator.
"""

from syscalls.address_space import AddressSpace
from syscalls.ending import ProcessExit
from syscalls.kernel import Kernel, SystemCall
from syscalls.region import Region
from syscalls.shortage import Limits, Shortages

__all__ = [
    "AddressSpace",
    "Kernel",
    "Limits",
    "ProcessExit",
    "Region",
    "Shortages",
    "SystemCall",
]
