"""What a call answers that a signal has interrupted, before the kernel makes up its mind.

A process never sees these errnos, strace does. Source: include/linux/errno.h.
"""

from __future__ import annotations

RESTARTS = {
    512: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
    513: "ERESTARTNOINTR (To be restarted)",
    514: "ERESTARTNOHAND (To be restarted if no handler)",
    516: "ERESTART_RESTARTBLOCK (Interrupted by signal)",
}
