"""An ELF file of an image, read by pyelftools and by binutils."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gnu_as
import pytest
from elftools.elf.elffile import ELFFile

from asm import assemble
from asm.dwarf.encoding import sleb, uleb
from asm.elf import executable
from asm.elf.constants import FileType
from asm.elf.file import Section, write
from asm.elf.strings import Strings
from asm.image import Image
from asm.source import PACKAGE

ROOTS = [PACKAGE / "osmem" / "osmem.s", PACKAGE / "harness.s", PACKAGE / "probe" / "count.s"]
HARNESS = 1 << 47
Assemble = Callable[..., Image]


def _read(file: bytes) -> Any:
    return ELFFile(io.BytesIO(file))


@pytest.fixture(scope="module")
def osmem() -> Image:
    return assemble(PACKAGE / "osmem" / "osmem.s")


@pytest.fixture(scope="module")
def both(osmem: Image) -> list[Image]:
    return [osmem, assemble(PACKAGE / "harness.s", HARNESS)]


# Sections, segments, symbols


def test_every_segment_is_a_section_and_is_loaded_where_it_belongs(both: list[Image]) -> None:
    elf = _read(executable(both))
    segments = [segment for image in both for segment in image.segments]
    loaded = [part for part in elf.iter_segments() if part["p_type"] == "PT_LOAD"]
    assert [(p["p_vaddr"], p.data(), p["p_memsz"]) for p in loaded] == [
        (s.address, s.data, len(s.data)) for s in segments
    ]
    assert [part["p_flags"] for part in loaded] == [5, 6, 5]  # r-x, rw-, r-x
    assert all(part["p_offset"] % 4096 == part["p_vaddr"] % 4096 for part in loaded)
    for name, segment in zip([".text", ".data", ".text.harness"], segments, strict=True):
        section = elf.get_section_by_name(name)
        assert (section["sh_addr"], section.data()) == (segment.address, segment.data)


def test_every_symbol_has_the_address_and_the_binding_of_the_source(both: list[Image]) -> None:
    table = _read(executable(both)).get_section_by_name(".symtab")
    symbols = {s.name: s for s in table.iter_symbols() if s["st_info"]["type"] != "STT_FILE"}
    for image in both:
        for name, address in image.symbols.items():
            assert symbols[name]["st_value"] == address
            binding = "STB_GLOBAL" if name in image.exported else "STB_LOCAL"
            assert symbols[name]["st_info"]["bind"] == binding


def test_names_have_types_and_sizes(program: Assemble) -> None:
    image = program("""
        .intel_syntax noprefix
        .globl  first, shared
first:  nop
        nop
        .p2align 4
second: ret
other:
third:  jmp     first
table:  .quad   first, second
        .p2align 4
last:   ret
behind:
        .data
shared: .long   1
        .p2align 3
buffer: .zero   40
end:
""")
    table = _read(executable(image)).get_section_by_name(".symtab")
    told = {
        s.name: (s["st_info"]["type"], s["st_size"], s["st_shndx"])
        for s in table.iter_symbols()
        if s.name
    }
    assert told == {
        "main.s": ("STT_FILE", 0, "SHN_ABS"),
        "first": ("STT_FUNC", 2, 1),
        "second": ("STT_FUNC", 1, 1),
        "other": ("STT_FUNC", 2, 1),
        "third": ("STT_FUNC", 2, 1),
        "table": ("STT_OBJECT", 16, 1),
        "last": ("STT_FUNC", 1, 1),
        "behind": ("STT_NOTYPE", 0, 1),
        "shared": ("STT_OBJECT", 4, 2),
        "buffer": ("STT_OBJECT", 40, 2),
        "end": ("STT_NOTYPE", 0, 2),
    }


def test_it_begins_at_its_start_or_where_it_is_told(program: Assemble) -> None:
    image = program("nop\n_start: ret")
    assert _read(executable(image))["e_entry"] == image.symbols["_start"]
    assert _read(executable(image, entry=0x400000))["e_entry"] == 0x400000
    assert _read(executable(program("f: ret")))["e_entry"] == 0


def test_images_that_overlap_are_refused(osmem: Image) -> None:
    with pytest.raises(ValueError, match="osmem begins below the end of the image before it"):
        executable([osmem, osmem])


def test_sections_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two sections of one name"):
        write(FileType.REL, [Section(".text", b""), Section(".text", b"")])


def test_a_file_without_segments_has_no_program_headers() -> None:
    elf = _read(write(FileType.REL, [Section(".text", b"\xc3", align=16)]))
    assert (elf["e_type"], elf["e_phnum"], elf["e_phoff"]) == ("ET_REL", 0, 0)
    assert elf.get_section_by_name(".text").data() == b"\xc3"


def test_a_string_is_stored_once() -> None:
    strings = Strings()
    assert [strings.add(name) for name in ("one", "", "two", "one")] == [1, 0, 5, 1]
    assert bytes(strings) == b"\0one\0two\0"


@pytest.mark.parametrize(
    ("number", "unsigned"), [(0, "00"), (127, "7f"), (128, "8001"), (624485, "e58e26")]
)
def test_numbers_are_written_as_the_standard_shows(number: int, unsigned: str) -> None:
    assert uleb(number).hex() == unsigned


@pytest.mark.parametrize(
    ("number", "signed"),
    [(2, "02"), (-2, "7e"), (127, "ff00"), (-127, "817f"), (128, "8001"), (-129, "ff7e")],
)
def test_signed_numbers_are_written_as_the_standard_shows(number: int, signed: str) -> None:
    assert sleb(number).hex() == signed


# DWARF


def _rows(file: bytes) -> list[tuple[int, Path | None, int]]:
    """(address, file, line) of every row; None where a sequence ends."""
    made = []
    dwarf = _read(file).get_dwarf_info()
    for unit in dwarf.iter_CUs():
        lines = dwarf.line_program_for_CU(unit)
        header = lines.header
        for entry in lines.get_entries():
            if (state := entry.state) is None:
                continue
            name = header.file_entry[state.file]
            folder = header.include_directory[name.dir_index].decode()
            path = None if state.end_sequence else Path(folder) / name.name.decode()
            made.append((state.address, path, state.line))
    return made


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.stem)
def test_there_is_one_row_for_each_line_of_code(root: Path) -> None:
    image = assemble(root)
    text = image.segments[0]
    lines = [line for line in image.lines if line.address < text.end]
    assert _rows(executable(image)) == [
        *((line.address, image.files[line.file], line.line) for line in lines),
        (text.end, None, lines[-1].line),
    ]


def test_at_every_instruction_the_row_says_what_the_image_says(osmem: Image) -> None:
    rows = _rows(executable(osmem))
    text = osmem.segments[0]
    instructions = gnu_as.listing(text.data, text.address)
    for instruction in instructions:
        address = int(instruction.split()[0], 16)
        _, path, number = [row for row in rows if row[0] <= address][-1]
        line = osmem.line_at(address)
        assert line
        assert (path, number) == (osmem.files[line.file], line.line)
    assert len(instructions) > 300


def test_lines_far_apart_and_backward_are_kept(program: Assemble) -> None:
    """Distances that no special opcode reaches, lines that go back, and a second file."""
    far = "\n" * 5000
    source = f'nop\n{far}nop\n.include "sub/low.s"\n.zero 70000\nnop'
    image = program(source, **{"sub/low.s": "ret"})
    rows = _rows(executable(image))
    assert rows == [
        *((line.address, image.files[line.file], line.line) for line in image.lines),
        (image.segments[0].end, None, image.lines[-1].line),
    ]
    assert {path.name for _, path, _ in rows if path} == {"main.s", "low.s"}


def test_every_function_has_its_range(both: list[Image]) -> None:
    elf = _read(executable(both))
    dwarf = elf.get_dwarf_info()
    table = elf.get_section_by_name(".symtab")
    expected = {
        (s.name, s["st_value"], s["st_size"], s["st_info"]["bind"] == "STB_GLOBAL")
        for s in table.iter_symbols()
        if s["st_info"]["type"] == "STT_FUNC"
    }
    found = set()
    for unit, image in zip(dwarf.iter_CUs(), both, strict=True):
        top = unit.get_top_DIE().attributes
        text = image.segments[0]
        assert top["DW_AT_low_pc"].value == text.address
        assert top["DW_AT_high_pc"].value == len(text.data)
        assert top["DW_AT_language"].value == 0x8001
        folder, name = (top[f"DW_AT_{a}"].value.decode() for a in ("comp_dir", "name"))
        assert Path(folder, name) == image.source
        for entry in unit.get_top_DIE().iter_children():
            pairs = entry.attributes.items()
            found.add(tuple(value.value for _, value in pairs))
    assert {(n.decode(), low, high, bool(e)) for n, e, low, high in found} == expected


def test_address_ranges_lead_to_the_units(both: list[Image]) -> None:
    dwarf = _read(executable(both)).get_dwarf_info()
    ranges = dwarf.get_aranges()
    units = [unit.cu_offset for unit in dwarf.iter_CUs()]
    for unit, image in zip(units, both, strict=True):
        text = image.segments[0]
        assert ranges.cu_offset_at_addr(text.address) == unit
        assert ranges.cu_offset_at_addr(text.end - 1) == unit
        assert ranges.cu_offset_at_addr(text.end) is None


# Binutils


@pytest.mark.parametrize("source", ["", "f: ret", ".data\nd: .quad 1", "f: nop\n.data\nd: .byte 1"])
def test_readelf_has_no_complaint(source: str, program: Assemble, tmp_path: Path) -> None:
    _readelf(executable(program(source)), tmp_path)


def test_readelf_has_no_complaint_about_two_images(both: list[Image], tmp_path: Path) -> None:
    said = _readelf(executable(both), tmp_path)
    assert "osmem.s" in said
    assert "DW_CFA_def_cfa" in said


def _readelf(file: bytes, folder: Path) -> str:
    path = folder / "file.elf"
    path.write_bytes(file)
    command = ["readelf", "-aW", "--debug-dump", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "arning" not in done.stdout
    return done.stdout


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.stem)
def test_gnu_as_gives_each_instruction_the_same_line(root: Path, tmp_path: Path) -> None:
    """It gives none to what is stored in the text."""
    image = assemble(root)
    statements = gnu_as.flattened(root)
    (tmp_path / "flat.s").write_text(statements)
    flat = assemble(tmp_path / "flat.s")
    assert flat.segments == image.segments
    ours = tmp_path / "ours.elf"
    ours.write_bytes(executable(flat))
    text = image.segments[0]
    theirs, part = tmp_path / "theirs.elf", tmp_path / "part.o"
    _run("as", "--64", "-g", "-o", str(part), str(tmp_path / "flat.s"))
    start = f"--section-start=.text={text.address:#x}"
    _run("ld", "-e", "0", start, f"--section-start=.data={text.end + 4095 & -4096:#x}",
         "-o", str(theirs), str(part))  # fmt: skip
    gnu = _decoded(theirs)
    own = _decoded(ours)
    assert set(gnu) <= set(own)
    behind = {flat.line_at(address).text.split()[0] for _, address in set(own) - set(gnu)}
    assert all(word.startswith(".") for word in behind)
    assert len(gnu) > 5


def _decoded(file: Path) -> list[tuple[int, int]]:
    """(line, address) as objdump decodes them."""
    said = _run("objdump", "--dwarf=decodedline", str(file))
    rows = re.findall(r"^flat\.s +(\d+) +(0x[0-9a-f]+|0) .*x$", said, re.MULTILINE)
    return [(int(line), int(address, 16)) for line, address in rows]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
