"""gdb starts the server itself, and talks to it through a pipe: `target remote | COMMAND`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from clients import gdb
from test_gdb import AT_MAIN

HERE = Path(__file__).parent
SERVER = "from stepping_target import SteppingTarget; from debugged import PROGRAM, assembled; "
SERVER += "from emu.debug.transport import serve_pipe; program = assembled(PROGRAM); "
SERVER += "serve_pipe(SteppingTarget(program.image, program.elf))"


def test_gdb_debugs_through_a_pipe():
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); {SERVER}"
    command = f"| {shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    shown = gdb(command, "break add_one", "continue", "reverse-stepi", "print $rcx", "kill")
    assert shown == f"""\
{AT_MAIN}Breakpoint 1 at 0x40004e: file guest.s, line 22.

Breakpoint 1, add_one () at guest.s:22
22\tin guest.s
again () at guest.s:6
6\tin guest.s
$1 = 3
[Inferior 1 (Remote target) killed]
"""  # fmt: skip
