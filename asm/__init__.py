"""Text to machine code: an assembler front end over Keystone, and the allocators it ships.

Knows nothing of `emu` or `syscalls`.
"""

from asm.assembler import assemble
from asm.errors import AssemblyError
from asm.image import Image, Segment, SourceLine

__all__ = ["AssemblyError", "Image", "Segment", "SourceLine", "assemble"]
