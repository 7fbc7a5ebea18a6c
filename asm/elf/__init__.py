"""ELF files made of images: what each of them holds, one kind of section a file."""

from asm.elf.executable import executable

__all__ = ["executable"]
