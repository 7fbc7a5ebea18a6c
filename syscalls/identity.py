"""Who the process is: numbers that system calls and /proc must tell alike."""

from __future__ import annotations

PID = 1000
PPID = 1
