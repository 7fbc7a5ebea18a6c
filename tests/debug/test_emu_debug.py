"""Real gdb on `emu debug`, in both directions: what it prints, whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIO = "a = malloc 1000\nb = malloc 24\nfree a\nc = malloc 600\n"
EMU = [sys.executable, "-c", "from emu.cli import main; main()", "debug"]
BEFORE = """\
set width 0
set height 0
set confirm off
set debuginfod enabled off
set style enabled off
"""
SESSION = """\
break os_free
continue
stepi
reverse-stepi
watch *(long*)0x402000
continue
reverse-continue
reverse-continue
delete
continue
detach
"""
EXPECTED = """\
os_malloc () at osmem/malloc.s:9
9	        mov     esi, THRESHOLD
Breakpoint 1 at 0x4002b7: file osmem/free.s, line 11.

Breakpoint 1, os_free () at osmem/free.s:11
11	        test    rdi, rdi
12	        jz      .Lfree_done

Breakpoint 1, os_free () at osmem/free.s:11
11	        test    rdi, rdi
Hardware watchpoint 2: *(long*)0x402000

Hardware watchpoint 2: *(long*)0x402000

Old value = 1000
New value = 600
split_block () at osmem/block.s:51
51	        jmp     set_back_pointer                # of what follows the rest

Hardware watchpoint 2: *(long*)0x402000

Old value = 600
New value = 1000
split_block () at osmem/block.s:50
50	        mov     [rdi + BLOCK_SIZE], rsi

Breakpoint 1, os_free () at osmem/free.s:11
11	        test    rdi, rdi

No more reverse-execution history.
leave () at harness.s:20
20	        int     0xff
[Inferior 1 (Remote target) detached]
"""


@pytest.mark.skipif(not shutil.which("gdb"), reason="no gdb")
def test_a_session_through_a_pipe(tmp_path):
    scenario, script = tmp_path / "past.heap", tmp_path / "script.gdb"
    scenario.write_text(SCENARIO)
    emu = f"{sys.executable} -m emu.cli debug --pipe {scenario}"
    script.write_text(f"{BEFORE}target remote | {emu}\n{SESSION}")
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-x", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    folder = f"{Path(__file__).parents[2]}/asm/"
    lines = [line for line in done.stdout.splitlines() if not line.startswith("Reading ")]
    assert "\n".join(lines).replace(folder, "") + "\n" == EXPECTED


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", [], "calls no function"),
        ("a = mallok 3\n", [], "wrong.heap:1"),
        (SCENARIO, ["--allocator", "nobody"], "nobody"),
    ],
)
def test_wrong_input_is_told(tmp_path, text, arguments, said):
    scenario = tmp_path / "wrong.heap"
    scenario.write_text(text)
    done = subprocess.run(
        [*EMU, scenario, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
