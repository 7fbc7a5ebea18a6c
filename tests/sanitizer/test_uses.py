"""Whether a value that was read is used: told by the code behind, as gcc makes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emu.process.disassembly import Operand, Step, steps
from emu.process.elf_symbols import functions_of
from emu.sanitizer.uses import Uses, family

SOURCE = """
#include <string.h>
struct padded { char letter; int number; unsigned low : 1, high : 3; };
volatile int sink;
extern void taking(long);

int used_branch(int *p) { if (p[3]) return 1; return 2; }
int used_result(int *p) { return p[3]; }
int used_sum(int *p) { int s = 0; for (int i = 0; i < 10; i++) s += p[i]; return s; }
int used_pointer(char **p) { return **p; }
double used_real(double *p) { return p[2] * 2; }
void used_argument(long *p) { taking(p[1]); sink = 1; }
int used_later(int *p, int *q) { int x = *p; q[0] = 0; q[1] = 1; if (x > 7) q[2] = 3; return 0; }
int used_index(int *p, int *q) { return q[*p]; }
int used_string(char *p) { int n = 0; while (*p++) n++; return n; }

void copied_word(long *p, long *q) { *q = *p; }
void copied_struct(struct padded *p, struct padded *q) { *q = *p; }
void copied_array(int *p, int *q, int n) { for (int i = 0; i < n; i++) q[i] = p[i]; }
void copied_swap(long *p, long *q) { long t = *p; *p = *q; *q = t; }
void copied_bits(struct padded *p) { p->low = 1; p->high = 2; }
void copied_counter(int *p) { p[3]++; }
void copied_and_called(long *p, long *q) { *q = *p; taking(0); }
int copied_perhaps(int *p, int v) { int x = *p; sink = 2; if (v) return x; return 0; }
void copied_dead(int *p) { int x = *p; (void)x; sink = 3; }
"""
OPTIONS = ("-O0", "-O1", "-O2", "-O3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("uses")
    (made / "uses.c").write_text(SOURCE)
    return made


def loads(folder: Path, option: str) -> dict[str, list[bool]]:
    """For each function, whether each word that it reads by a pointer is used."""
    made = folder / f"uses{option}.o"
    command = ["gcc", option, "-fno-builtin", "-fcf-protection=none", "-w", "-c"]
    subprocess.run([*command, "-o", made, folder / "uses.c"], check=True)
    code = folder / f"uses{option}.bin"
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, code], check=True)
    text = code.read_bytes()
    uses = Uses(lambda address, size: text[address : address + size])
    found: dict[str, list[bool]] = {}
    for address, name, size in functions_of(made.read_bytes()):
        if name.startswith(("used_", "copied_")):
            body = steps(text[address : address + size], address)
            found[name] = [uses.used(step.address) for step in body if _reads(step)]
    return found


def _reads(step: Step) -> bool:
    """By a pointer that was handed in, and not from the stack."""
    return step.name not in ("lea", "nop") and any(
        isinstance(one, Operand) and one.base not in ("", "rip", "rsp", "rbp")
        for one in step.operands
    )


@pytest.mark.parametrize("option", OPTIONS)
def test_a_value_that_decides_something_is_used_and_one_that_is_copied_is_not(
    folder: Path, option: str
) -> None:
    found = loads(folder, option)
    assert found
    for name, verdicts in found.items():
        assert any(verdicts) is name.startswith("used_"), (name, verdicts)


def test_parts_of_a_register_are_its_familys() -> None:
    names = "al ah ax eax rax sil r8d r15b r9 xmm3 eflags".split()
    families = "rax rax rax rax rax rsi r8 r15 r9 xmm3 rflags".split()
    assert list(map(family, names)) == families
    assert family(None) == ""
