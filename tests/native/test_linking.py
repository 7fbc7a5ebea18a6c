"""gcc, g++ and musl link the files of `emu build`, and what they make does what osmem.h says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emu import native
from emu.allocators import ENTRY_POINTS
from tests.native.building import HERE, build, link, run

USES = HERE / "uses.c"
LIBRARY = "libosmem.so"
OBJECT = "osmem.o"


@pytest.mark.parametrize("options", [(), ("-no-pie", "-fno-pie"), ("-fPIC",), ("-O3", "-g")])
@pytest.mark.parametrize("compiler", ["gcc", "musl-gcc"])
def test_a_program_uses_the_library(
    options: tuple[str, ...], compiler: str, tmp_path: Path
) -> None:
    """Also os_errno, of which a program must not have a copy."""
    run(str(link(USES, build(tmp_path, LIBRARY), *options, compiler=compiler)))


@pytest.mark.parametrize("options", [(), ("-no-pie", "-fno-pie"), ("-static",), ("-static-pie",)])
@pytest.mark.parametrize("compiler", ["gcc", "musl-gcc"])
def test_a_program_contains_the_object(
    options: tuple[str, ...], compiler: str, tmp_path: Path
) -> None:
    warned = ("-Wl,--fatal-warnings",)
    run(str(link(USES, build(tmp_path, OBJECT), *options, *warned, compiler=compiler)))


def test_a_cpp_program_uses_both(tmp_path: Path) -> None:
    source = tmp_path / "uses.cpp"
    source.write_text(USES.read_text().replace("NULL", "nullptr"))
    for name in (LIBRARY, OBJECT):
        run(str(link(source, build(tmp_path, name), "-std=c++11", "-Wpedantic", compiler="g++")))


def test_the_object_becomes_part_of_another_library(tmp_path: Path) -> None:
    made = build(tmp_path, OBJECT)
    run("ld", "-r", "-o", str(tmp_path / "part.o"), str(made))
    run("gcc", "-shared", "-Wl,-z,text,--fatal-warnings", "-o", str(tmp_path / "libother.so"),
        str(tmp_path / "part.o"))  # fmt: skip
    run(str(link(USES, tmp_path / "libother.so")))


def test_a_program_opens_the_library_itself(tmp_path: Path) -> None:
    library = build(tmp_path, LIBRARY)
    source = tmp_path / "opens.c"
    source.write_text("""
        #include <dlfcn.h>
        #include <stddef.h>
        int main(int count, char **words) {
            void *library = dlopen(words[count - 1], RTLD_NOW);
            if (!library) return 1;
            void *(*os_malloc)(size_t) = (void *(*)(size_t))dlsym(library, "os_malloc");
            int *os_errno = dlsym(library, "os_errno");
            char *payload = os_malloc(10);
            *payload = 1;
            return os_malloc(-1) || *os_errno != 12 || dlsym(library, "heap_alloc");
        }""")
    run("gcc", "-o", str(tmp_path / "opens"), str(source))
    run(str(tmp_path / "opens"), str(library))


@pytest.mark.parametrize("options", [(), ("-no-pie", "-fno-pie")])
def test_a_copy_of_the_errno_is_refused_and_not_silent(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    """As from a compiler that does not know the header's attribute."""
    library = build(tmp_path, LIBRARY)
    source = tmp_path / "copies.c"
    source.write_text("extern int os_errno; int main(void) { return os_errno; }")
    command = ["gcc", *options, "-o", tmp_path / "copies", source, library]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "copy relocation against non-copyable protected symbol `os_errno'" in done.stderr


def test_addresses_in_the_data_are_right_wherever_it_is(tmp_path: Path) -> None:
    """A table of the allocator's own functions, and one of its variables' places."""
    mine = tmp_path / "mine.s"
    mine.write_text(
        '.include "osmem/osmem.s"\n.globl table, number, told\n.data\n.p2align 3\n'
        "number: .quad 5\ntable: .quad os_malloc, os_free + 1, number, end - 8\nend:\n.text\n"
        "told: mov rax, [rip + table + 16]\nmov rax, [rax]\nret\n"
    )
    source = tmp_path / "table.c"
    source.write_text("""
        #include "osmem.h"
        extern char *table[4];
        extern long number, told(void);
        int main(void) {
            return table[0] != (char *)os_malloc || table[1] != (char *)os_free + 1 ||
                   table[2] != (char *)&number || table[3] != (char *)(table + 3) ||
                   told() != 5;
        }""")
    for name in (LIBRARY, OBJECT):
        run(str(link(source, build(tmp_path, name, mine), "-fPIC")))


# The header


@pytest.mark.parametrize("language", [("c", "c89"), ("c", "c2x"), ("c++", "c++98")])
def test_the_header_stands_alone(language: tuple[str, str], tmp_path: Path) -> None:
    build(tmp_path, LIBRARY)
    form, standard = language
    options = [f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    (tmp_path / "both").write_text('#include "osmem.h"\n#include "osmem.h"\n')
    run("gcc", "-x", form, *options, str(tmp_path / "both"))


def test_the_header_declares_what_there_is(tmp_path: Path) -> None:
    text = native.header("osmem")
    assert text.startswith(native.MADE + " from asm/osmem/osmem.s.")
    assert "@" not in text
    for name in (*ENTRY_POINTS, "os_errno"):
        assert f"{name}(" in text or f"int {name};" in text
    bare = tmp_path / "bare.s"
    bare.write_text(".globl os_malloc, os_calloc, os_realloc, os_free\n"
                    "os_malloc:\nos_calloc:\nos_realloc:\nos_free: ret\n")  # fmt: skip
    assert "os_errno" not in native.header(bare)
    assert "@" not in native.header(bare)
