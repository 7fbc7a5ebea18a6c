"""DWARF 5, for debuggers: lines, functions, and the way back to the caller."""
