"""The machinery of files: what names stand for, how paths are followed, what is open.

Bottom up: numbers, stat, host (the only place where the host is asked), file and its kinds, node
and its kinds, place (a name in the tree), walk (a path), filesystem (all of it, for one process).
Knows nothing of system calls, registers or guest memory.
"""
