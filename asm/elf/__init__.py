"""ELF files made of images: what each of them holds, one kind of section a file."""

from asm.elf.executable import executable
from asm.elf.library import library
from asm.elf.object import relocatable
from asm.elf.references import Make

__all__ = ["Make", "executable", "library", "relocatable"]
