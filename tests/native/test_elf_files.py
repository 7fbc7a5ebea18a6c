"""The files of `emu build`, read by binutils, gdb and pyelftools."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from asm import AssemblyError, assemble
from asm.elf.references import moved_numbers
from asm.image import Image
from asm.source import PACKAGE
from emu import native
from tests.native.building import HERE, build, link, run

FILES = ("libosmem.so", "osmem.o")
TABLE = "\n.data\n.p2align 3\ntable: .quad os_free, table\n"
GDB = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
GDB += ["-iex", "set breakpoint pending on"]


@pytest.fixture(scope="module")
def image() -> Image:
    return assemble(PACKAGE / "osmem" / "osmem.s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for name in FILES:
        build(made, name)
    return made


def _read(path: Path) -> Any:
    return ELFFile(io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize("more", ["", TABLE], ids=["osmem", "with addresses"])
@pytest.mark.parametrize("name", FILES)
def test_readelf_has_no_complaint(name: str, more: str, tmp_path: Path) -> None:
    source = tmp_path / "mine.s"
    source.write_text('.include "osmem/osmem.s"\n' + more)
    strict = ["--lint"] if name == "libosmem.so" else []  # it minds the empty .note.GNU-stack
    said = run("readelf", "-aW", *strict, "--debug-dump", str(build(tmp_path, name, source)))
    assert "arning" not in said
    assert ("R_X86_64_RELATIVE" in said) is bool(more and name == "libosmem.so")
    assert ("R_X86_64_64 " in said) is (name == "osmem.o")


def test_the_library_has_the_bytes_that_run_in_the_emulator(folder: Path, image: Image) -> None:
    elf = _read(folder / "libosmem.so")
    for segment in image.segments:
        assert elf.get_section_by_name(f".{segment.name}").data() == segment.data


def test_the_object_differs_only_where_the_linker_writes(folder: Path, image: Image) -> None:
    elf = _read(folder / "osmem.o")
    written = {
        relocation["r_offset"] + byte
        for relocation in elf.get_section_by_name(".rela.text").iter_relocations()
        for byte in range(4)
    }
    text = elf.get_section_by_name(".text").data()
    assert len(text) == len(image.segments[0].data)
    differing = {
        n for n, (a, b) in enumerate(zip(text, image.segments[0].data, strict=True)) if a != b
    }
    assert differing <= written
    assert len(written) == 4 * sum("rip +" in line.text for line in image.lines)


@pytest.mark.parametrize("name", FILES)
def test_nm_knows_every_name_with_its_size_and_its_kind(
    name: str, folder: Path, image: Image
) -> None:
    told = {}
    for line in run("nm", "-S", str(folder / name)).splitlines():
        _, size, kind, symbol = line.split()
        told[symbol] = (kind, int(size, 16))
    assert set(told) == set(image.symbols)
    for symbol, (kind, size) in told.items():
        letter = "t" if image.symbols[symbol] < image.segments[0].end else "d"
        assert kind == (letter.upper() if symbol in image.exported else letter)
        assert size
    text = sum(size for kind, size in told.values() if kind in "tT")
    assert text == len(image.segments[0].data)


def test_only_global_labels_are_exported(folder: Path, image: Image) -> None:
    said = run("nm", "-D", "--format=just-symbols", str(folder / "libosmem.so"))
    assert set(said.split()) == image.exported


def test_code_is_not_writable_and_data_not_executable(folder: Path, tmp_path: Path) -> None:
    """Of the file, and of the process that has loaded it."""
    elf = _read(folder / "libosmem.so")
    flags = {p["p_type"]: p["p_flags"] for p in elf.iter_segments()}
    assert flags["PT_GNU_STACK"] == 6
    assert "PT_GNU_RELRO" in flags
    source = tmp_path / "maps.c"
    source.write_text("""
        #include <fcntl.h>
        #include <unistd.h>
        #include "osmem.h"
        int main(void) {
            static char text[1 << 16];
            int fd = open("/proc/self/maps", O_RDONLY);
            os_free(os_malloc(1));
            for (long got; (got = read(fd, text, sizeof text)) > 0;)
                if (write(1, text, got) != got) return 1;
            return 0;
        }""")
    maps = run(str(link(source, build(tmp_path, "libosmem.so"))))
    rights = [line.split()[1] for line in maps.splitlines() if line.endswith("/libosmem.so")]
    assert rights == ["r--p", "r-xp", "rw-p", "r--p"]
    assert not re.search("^[^ ]+ .wx", maps, re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_gdb_stops_inside_by_line_and_knows_all_callers(name: str, folder: Path) -> None:
    """Also the lines of the C file that is linked with it."""
    program = link(HERE / "uses.c", folder / name, "-g", "-O0")
    commands = ("break split_block", "run", "bt", "delete", "continue")
    words = [word for command in commands for word in ("-ex", command)]
    said = _gdb(*words, str(program))
    frames = re.findall(r"^#(\d).* (\w+) \(.*\) at .*/([\w.]+):(\d+)$", said, re.MULTILINE)
    assert [frame[1] for frame in frames[:4]] == ["split_block", "heap_alloc", "work", "main"]
    assert [frame[2] for frame in frames[:4]] == ["block.s", "malloc.s", "uses.c", "uses.c"]
    source = (PACKAGE / "osmem" / "malloc.s").read_text().splitlines()
    assert "call    split_block" in source[int(frames[1][3]) - 1]
    assert "exited normally" in said


def _gdb(*words: str) -> str:
    done = subprocess.run([*GDB, *words], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def test_the_soname_is_the_name_of_the_file(tmp_path: Path) -> None:
    said = run("readelf", "-d", str(build(tmp_path, "libother.so")))
    assert "Library soname: [libother.so]" in said


@pytest.mark.parametrize("name", FILES)
def test_the_same_allocator_makes_the_same_file(name: str) -> None:
    assert native.built("osmem", name) == native.built("osmem", name)


# Addresses


def test_an_address_in_the_text_is_refused_in_a_library_alone(tmp_path: Path) -> None:
    source = tmp_path / "mine.s"
    source.write_text('.include "osmem/osmem.s"\ntable: .quad os_free\n')
    with pytest.raises(AssemblyError, match=r"mine\.s:2: an address in the text.*put it into"):
        native.built(source, "libosmem.so")
    native.built(source, "osmem.o")


@pytest.mark.parametrize("name", FILES)
def test_a_place_in_empty_data_is_refused(name: str, tmp_path: Path) -> None:
    source = tmp_path / "bare.s"
    source.write_text(
        ".globl os_malloc, os_calloc, os_realloc, os_free\n"
        "os_malloc: os_calloc: os_realloc: os_free:\nlea rax, [rip + place]\nret\n"
        ".data\nplace:\n"
    )
    with pytest.raises(AssemblyError, match=r"bare\.s:3: this names a place in \.data, where"):
        native.built(source, name)


def test_numbers_that_moved_are_found_wherever_they_stand() -> None:
    by, width = 1 << 28, 8
    numbers = {3: 0x400000, 11: 0xFFFF_FFFF_F000_0000, 30: 0xF0FF_FFFF}
    before, after = bytearray(b"\xaa" * 40), bytearray(b"\xaa" * 40)
    for offset, value in numbers.items():
        before[offset : offset + width] = value.to_bytes(8, "little")
        after[offset : offset + width] = ((value + by) % 2**64).to_bytes(8, "little")
    assert list(moved_numbers(bytes(before), bytes(after), by, width)) == [3, 11, 30]
    after[25] ^= 1
    with pytest.raises(ValueError, match="0x19 is no address"):
        list(moved_numbers(bytes(before), bytes(after), by, width))
