"""An allocator for the real machine: a shared library or an object, and its C header."""

from emu.native.files import BUILDERS, HEADER, MADE, built, header

__all__ = ["BUILDERS", "HEADER", "MADE", "built", "header"]
