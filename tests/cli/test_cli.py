"""The command `emu`, as its own process: what it prints and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

GOOD = "a = malloc 1000\nb = malloc 24\nfree a\nc = malloc 600\nexpect c == a\n"


def emu(*args, cwd=None, env=None):
    return subprocess.run(
        [sys.executable, "-m", "emu.cli", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=60,
        check=False,
    )


@pytest.fixture
def file(tmp_path):
    def write(text, name="x.heap"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_run_that_is_well_ends_with_0(file):
    done = emu("run", file(GOOD))
    assert done.returncode == 0
    assert done.stderr == ""
    assert " 4  c = os_malloc(600)" in done.stdout
    assert "split 600 off 1000, best fit of 2" in done.stdout
    assert done.stdout.endswith("completed: 4 calls, 318 instructions, no finding\n")


def test_no_colour_where_the_output_is_no_terminal(file):
    assert "\x1b" not in emu("run", file(GOOD)).stdout


def test_a_failed_expectation_ends_with_1_and_says_what_was_found(file):
    done = emu("run", file("a = malloc 8\nexpect a == heap+0x40\n"))
    assert done.returncode == 1
    assert "x.heap:2: `expect a == heap+0x40` failed: a is heap+0x20" in done.stdout


def test_a_finding_ends_with_1(file):
    done = emu("run", "-q", file("a = malloc 8\nfree a\nfree a\n"))
    assert done.returncode == 1
    assert "double-free (#3)" in done.stdout


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = malloc 12q\n", "x.heap:1"),
        ("a = malloc 1\nfree b\n", "x.heap:2"),
        (b"\x80\x81\x82", "x.heap"),
        (b"\x00\x01\x02", "x.heap:1"),
    ],
)
def test_a_wrong_scenario_ends_with_2_and_its_place(file, text, place):
    done = emu("run", file(text))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{place}: " in done.stderr
    assert "expected: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_and_a_directory_end_with_2(tmp_path):
    for path, reason in ((tmp_path / "none.heap", "no such file"), (tmp_path, "is a directory")):
        done = emu("run", path)
        assert done.returncode == 2
        assert str(path) in done.stderr
        assert reason in done.stderr


def test_a_program_that_dies_ends_with_3_and_a_report(file):
    done = emu("run", file("a = malloc 8\nwrite a 0x1000000 1\n"))
    assert done.returncode == 3
    assert "page fault: write to" in done.stdout
    assert "asm/harness.s" in done.stdout
    assert "x.heap:2: `write a 0x1000000 1` ended the process" in done.stdout


def test_a_call_that_does_not_return_ends_with_3(file):
    looping = file(
        "\n".join(f".globl {n}\n{n}:" for n in ("os_malloc", "os_calloc", "os_realloc", "os_free"))
        + "\n jmp os_malloc\n",
        "loop.s",
    )
    done = emu("run", file("a = malloc 8\n"), "--allocator", looping, "--budget", 1000)
    assert done.returncode == 3
    assert "no return within 1000 instructions" in done.stdout
    assert "loop.s:9" in done.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frob rax\n", "bad.s:1: invalid mnemonic"),
        ("nop\nmov rax, [rdi - SIZE]\n", "bad.s:2: Keystone loses the minus"),
        (".globl os_malloc\nos_malloc: ret\n", "os_free is missing"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_wrong_allocator_ends_with_2_and_its_place(file, text, words):
    done = emu("run", file(GOOD), "--allocator", file(text, "bad.s"))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_an_unknown_allocator_ends_with_2(file, tmp_path):
    done = emu("run", file(GOOD), "--allocator", "nobody")
    assert done.returncode == 2
    assert "unknown allocator `nobody`" in done.stderr
    assert emu("run", file(GOOD), "--allocator", tmp_path).returncode == 2


def test_one_bad_file_does_not_keep_the_others_from_running(file, tmp_path):
    done = emu("run", "--json", file(GOOD), tmp_path / "none.heap", file(GOOD, "y.heap"))
    assert done.returncode == 2
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["completed"] * 2


def test_json_is_what_was_promised(file):
    path = file(
        "a = malloc 200K\nfree a\nb = malloc 10\nb = realloc b 0\nfree null\nc = malloc 0\n"
    )
    done = emu("run", "--json", path)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert list(document) == ["scenario", "allocator", "calls", "blocks", "findings", "outcome"]
    assert document["scenario"] == str(path)
    assert document["allocator"] == "osmem"
    instructions = [call.pop("instructions") for call in document["calls"]]
    assert all(isinstance(count, int) and count > 0 for count in instructions)
    mapping = [0, 204832, ["PROT_READ", "PROT_WRITE"], ["MAP_PRIVATE", "MAP_ANONYMOUS"], -1, 0]
    assert document["calls"] == [
        {
            "index": 1, "line": 1, "name": "os_malloc", "args": [204800], "result": "map1+0x20",
            "syscalls": [
                {"name": "mmap", "args": mapping, "result": "map1+0x0", "errno": None},
            ],
        },
        {
            "index": 2, "line": 2, "name": "os_free", "args": ["map1+0x20"], "result": None,
            "syscalls": [
                {"name": "munmap", "args": ["map1+0x0", 204832], "result": 0, "errno": None},
            ],
        },
        {
            "index": 3, "line": 3, "name": "os_malloc", "args": [10], "result": "heap+0x20",
            "syscalls": [
                {"name": "brk", "args": [0], "result": "heap+0x0", "errno": None},
                {"name": "brk", "args": ["heap+0x20000"], "result": "heap+0x20000", "errno": None},
            ],
        },
        {
            "index": 4, "line": 4, "name": "os_realloc", "args": ["heap+0x20", 0], "result": None,
            "syscalls": [],
        },
        {
            "index": 5, "line": 5, "name": "os_free", "args": [None], "result": None,
            "syscalls": [],
        },
        {
            "index": 6, "line": 6, "name": "os_malloc", "args": [0], "result": None,
            "syscalls": [],
        },
    ]  # fmt: skip
    assert document["blocks"] == [
        {"place": "heap+0x20", "size": 16, "status": "free"},
        {"place": "heap+0x50", "size": 130992, "status": "free"},
    ]
    assert (document["findings"], document["outcome"]) == ([], "completed")


def test_json_of_a_failure_is_still_one_line_and_the_reason_is_on_stderr(file):
    done = emu("run", "--json", file("a = malloc 8\nexpect a == null\nfree a\nfree a\n"))
    (line,) = done.stdout.splitlines()
    document = json.loads(line)
    assert document["outcome"] == "expectation failed"
    assert [finding["rule"] for finding in document["findings"]] == ["double-free"]
    assert "x.heap:2" in done.stderr


def test_json_names_a_failed_system_call(file):
    document = json.loads(emu("run", "--json", file("fail mmap 1 ENOMEM\na = malloc 1M\n")).stdout)
    (call,) = document["calls"]
    assert call["result"] is None
    assert (call["syscalls"][0]["result"], call["syscalls"][0]["errno"]) == (-1, "ENOMEM")


def test_two_runs_are_equal_to_the_byte(file):
    path = file(GOOD + "fill b 0x11\nd = calloc 10 1000\ne = malloc 1M\n")
    assert emu("run", "--json", path).stdout == emu("run", "--json", path).stdout


def test_a_page_is_written(file, tmp_path):
    done = emu("run", "-q", file(GOOD), "--html", tmp_path / "out.html")
    assert done.returncode == 0
    assert "<html" in (tmp_path / "out.html").read_text()


def test_pages_of_several_files_go_into_a_folder(file, tmp_path):
    done = emu("run", "-q", file(GOOD), file(GOOD, "y.heap"), "--html", tmp_path / "pages")
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["x.html", "y.html"]


def test_a_page_that_cannot_be_written_ends_with_2(file, tmp_path):
    done = emu("run", "-q", file(GOOD), "--html", tmp_path / "no" / "where.html")
    assert done.returncode == 2
    assert "where.html: cannot be written: there is no folder" in done.stderr
    assert not done.stdout
    two = emu("run", file(GOOD), file(GOOD, "y.heap"), "--html", file(GOOD) / "pages")
    assert (two.returncode, two.stdout) == (2, "")


@pytest.mark.parametrize("out", ["x.heap", "mine.c", "."])
def test_a_page_that_may_not_be_written_is_told_before_anything_is_run(file, tmp_path, out):
    allocator = file("void *malloc(long n) { return 0; }\nvoid free(void *p) {}\n", "mine.c")
    done = emu("run", file(GOOD), "--allocator", allocator, "--html", tmp_path / out)
    assert (done.returncode, done.stdout) == (2, "")
    assert "would overwrite" in done.stderr or "it is a folder" in done.stderr


def test_the_listing_has_address_bytes_and_source():
    done = emu("listing")
    assert done.returncode == 0
    assert "<os_malloc>" in done.stdout
    assert "  0x400000  c7 05" in done.stdout
    assert "asm/osmem/search.s:" in done.stdout


def test_the_demo_is_a_tour_of_the_shipped_scenarios():
    done = emu("demo")
    assert done.returncode == 0
    assert done.stdout.count("completed: ") == 11
    listed = emu("demo", "--list").stdout.splitlines()
    assert listed[0].startswith("alignment")
    assert len(listed) == 11
    one = emu("demo", "best-fit")
    assert one.returncode == 0
    assert "best-fit.heap on osmem" in one.stdout
    unknown = emu("demo", "nothing")
    assert (unknown.returncode, unknown.stdout) == (2, "")


@pytest.mark.parametrize("command", [(), ("run",), ("listing",), ("demo",)])
def test_help_has_examples(command):
    done = emu(*command, "--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout


def test_a_bug_of_ours_ends_with_4_and_says_so(file):
    program = (
        "import sys, emu.cli\n"
        "def broken(*args, **kwargs): raise RuntimeError('oops')\n"
        "sys.modules['emu.run'].run = broken\n"
        "emu.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", str(file(GOOD))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "emu has a bug, and met it: RuntimeError: oops" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_overwrites_neither_a_scenario_nor_another_page(file, tmp_path):
    path = file(GOOD)
    assert emu("run", "-q", path, "--html", path).returncode == 2
    assert path.read_text() == GOOD
    (tmp_path / "other").mkdir()
    twin = file(GOOD, "other/x.heap")
    done = emu("run", "-q", path, twin, "--html", tmp_path / "pages")
    assert (done.returncode, "same name" in done.stderr) == (2, True)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_output_that_takes_nothing_more_is_said(file, options):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emu.cli", "run", *options, str(file(GOOD))],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "the output cannot be written: no space left" in done.stderr


def test_letters_that_the_terminal_does_not_have_are_escaped(file):
    path = file("# caf\u00e9\n" + GOOD)
    done = emu("run", path, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "caf\\xe9" in done.stdout


def test_an_endless_allocator_name_is_no_bug_of_ours(file):
    assert emu("run", file(GOOD), "--allocator", "x" * 5000).returncode == 2


@pytest.mark.parametrize("command", ["listing", "run {path}"])
def test_a_reader_that_leaves_early_is_no_error(file, command):
    path = file("".join(f"a = malloc {n + 1}\n" for n in range(3000)))
    command = command.format(path=path)
    script = f"{sys.executable} -m emu.cli {command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"
