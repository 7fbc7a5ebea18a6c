"""emu build: what it writes, what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emu import native
from emu.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def emu(*words: str) -> Result:
    return CliRunner().invoke(main, ["build", *words])


def test_a_library_and_the_header_are_written(folder: Path) -> None:
    done = emu()
    assert (done.exit_code, done.stderr) == (0, "")
    made = folder / "libosmem.so"
    assert made.read_bytes() == native.built("osmem", "libosmem.so")
    assert (folder / "osmem.h").read_text() == native.header("osmem")
    size = made.stat().st_size
    assert done.stdout == f"libosmem.so  {size} bytes, of osmem\nosmem.h\n"
    assert {path.name for path in folder.iterdir()} == {"libosmem.so", "osmem.h"}


def test_an_object_is_written_where_it_is_asked_for(folder: Path) -> None:
    (folder / "sub").mkdir()
    assert emu("-o", "sub/mine.o").exit_code == 0
    assert (folder / "sub" / "mine.o").read_bytes() == native.built("osmem", "mine.o")
    assert {path.name for path in folder.glob("sub/*")} == {"mine.o", "osmem.h"}


def test_the_allocator_may_be_a_file(folder: Path) -> None:
    (folder / "mine.s").write_text('.include "osmem/osmem.s"\n')
    assert emu("--allocator", "mine.s").exit_code == 0
    assert (folder / "osmem.h").read_text().startswith(native.MADE + " from mine.s.")


def test_files_of_ours_are_written_again(folder: Path) -> None:
    """The new library is a new file: who has loaded the old one keeps it."""
    assert emu().exit_code == 0
    with (folder / "libosmem.so").open("rb") as old:
        before = old.read()
        assert emu("--as-malloc").exit_code == 0
        old.seek(0)
        assert old.read() == before
    assert (folder / "libosmem.so").read_bytes() != before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "osmem.a"), "emu: osmem.a: neither a library nor an object\n"
                            "expected: a name that ends in .so or .o\n"),
        (("-o", "osmem"), "emu: osmem: neither a library nor an object\n"
                          "expected: a name that ends in .so or .o\n"),
        (("-o", "no/such.o"), "emu: no/such.o: cannot be written: no such file or directory\n"),
        (("-o", "dir.o"), "emu: dir.o: cannot be written: is a directory\n"),
        (("--allocator", "nix.s"), "emu: unknown allocator `nix.s`\n"
                                   "expected: a shipped one (osmem, indexed), a .s file\n"),
        (("--allocator", "dir.o"), "emu: dir.o: this is a directory\nexpected: a .s file\n"),
        (("--allocator", "/dev/null"), "emu: /dev/null: this is no assembly source\n"
                                       "expected: a .s file\n"),
    ],
)  # fmt: skip
def test_wrong_input_is_told(words: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "dir.o").mkdir()
    done = emu(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(said)
    assert {path.name for path in folder.iterdir()} == {"dir.o"}


def test_a_line_that_cannot_be_moved_is_told(folder: Path) -> None:
    (folder / "mine.s").write_text('.include "osmem/osmem.s"\ntable: .quad os_free\n')
    done = emu("--allocator", "mine.s")
    assert done.exit_code == 2
    assert done.stderr.startswith("emu: mine.s:2: an address in the text")


def test_somebodys_header_is_not_replaced(folder: Path) -> None:
    (folder / "osmem.h").write_text("int mine;\n")
    done = emu()
    assert done.exit_code == 2
    assert done.stderr.startswith("emu: osmem.h: another header is there already")
    assert (folder / "osmem.h").read_text() == "int mine;\n"
    assert not (folder / "libosmem.so").exists()
