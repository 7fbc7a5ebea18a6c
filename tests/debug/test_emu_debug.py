"""Real gdb on `emu debug`, in both directions: what it prints, whole."""

from __future__ import annotations

import re
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
set remotetimeout 60
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
Breakpoint 1 at 0x4002ab: file osmem/free.s, line 11.

Breakpoint 1, os_free () at osmem/free.s:11
11	        test    rdi, rdi
12	        jz      .Lfree_done

Breakpoint 1, os_free () at osmem/free.s:11
11	        test    rdi, rdi
Hardware watchpoint 2: *(long*)0x402000

Hardware watchpoint 2: *(long*)0x402000

Old value = 1000
New value = 600
split_block () at osmem/block.s:27
27	        jmp     set_back_pointer                # of what follows the rest

Hardware watchpoint 2: *(long*)0x402000

Old value = 600
New value = 1000
split_block () at osmem/block.s:26
26	        mov     [rdi + BLOCK_SIZE], rsi

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


PROGRAM = """\
#include <string.h>
#include <unistd.h>
int total;
char line[8];
static void add(int n) { total += n; }
int main(void) {
  for (int i = 1; i <= 3; i++) add(i * i);
  pipe((int *)line);
  write(1, "done\\n", 5);
  *(int *)0 = total;
}
"""
OF_PROGRAM = """\
break add
continue
watch total
continue
reverse-continue
delete
continue
watch *(long *)line
reverse-continue
delete
reverse-continue
detach
"""


@pytest.mark.skipif(not (shutil.which("gdb") and shutil.which("gcc")), reason="no gdb, or no gcc")
def test_a_program_is_gone_through_in_both_directions(tmp_path):
    source, program, script = (tmp_path / name for name in ("p.c", "p", "script.gdb"))
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-w", "-o", program, source], check=True)
    emu = f"{sys.executable} -m emu.cli debug --pipe --exec {program}"
    script.write_text(f"{BEFORE}target remote | {emu}\n{OF_PROGRAM}")
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-x", script],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    shown = re.sub(r"0x[0-9a-f]{16}", "ADDRESS", done.stdout.replace(f"{tmp_path}/", ""))
    for said in (
        "Breakpoint 1, add (n=1) at p.c:5",
        "Old value = 0\nNew value = 1\n",
        "Old value = 1\nNew value = 0\n",
        "Program received signal SIGSEGV, Segmentation fault.",
        "10\t  *(int *)0 = total;",
        "Old value = 17179869187\nNew value = 0\n",
        "No more reverse-execution history.\nADDRESS in _start ()",
    ):
        assert said in shown, shown
    assert (done.stdout + done.stderr).count("done\n") == 1


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", [], "calls no function"),
        ("a = mallok 3\n", [], "wrong.heap:1"),
        (SCENARIO, ["--allocator", "nobody"], "nobody"),
        (SCENARIO, ["another.heap"], "a single FILE"),
        (SCENARIO, ["--root", "/"], "--root is for programs"),
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
