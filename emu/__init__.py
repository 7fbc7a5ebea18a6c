"""A laboratory for memory allocators: their machine code on an emulated CPU and Linux.

from emu import Heap, run
"""

from emu.heap import Heap
from emu.run import Run, run

__all__ = ["Heap", "Run", "run"]
