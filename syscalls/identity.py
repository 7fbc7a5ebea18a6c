"""Who the process is: the same in every run."""

from __future__ import annotations

PID = 1000
"""Of the process, and of its only thread."""
PPID = 1
UID = GID = 0
