"""uname(2): a system that is always the same."""

from __future__ import annotations

import struct

from syscalls.context import Context

SYSTEM, NODE, RELEASE, VERSION, MACHINE, DOMAIN = (
    b"Linux", b"emu", b"6.1.0", b"#1 emu", b"x86_64", b"(none)",
)  # fmt: skip
_UTSNAME = struct.Struct("65s65s65s65s65s65s")


def uname(context: Context, name: int) -> int:
    context.user.pack(_UTSNAME, name, SYSTEM, NODE, RELEASE, VERSION, MACHINE, DOMAIN)
    return 0
