"""emu exec as a person uses it: what a program is given, how it ends, what is said of that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compiled import compiled


@pytest.fixture(scope="module")
def asks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled("asks", "glibc, static", tmp_path_factory.mktemp("asks"))


def emu_exec(
    *args: object, given: bytes = b"", folder: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "emu.cli", "exec", *map(str, args)],
        input=given, capture_output=True, cwd=folder, timeout=100, check=False,
    )  # fmt: skip


def said(*args: object, folder: Path | None = None) -> str:
    """What it printed; nothing else may have happened."""
    done = emu_exec(*args, folder=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().rstrip("\n")


# What it is given


def test_every_run_is_the_same_unless_the_seed_is_another(asks: Path) -> None:
    first = said(asks, "random")
    assert said(asks, "random") == first
    assert said("--seed", 1, asks, "random") != first
    assert said("--seed", "0x1", asks, "random") == said("--seed", 1, asks, "random")


def test_time_begins_in_2000_and_sleeping_takes_none(asks: Path) -> None:
    assert said(asks, "time") == "946684800"
    begun = time.monotonic()
    assert said(asks, "sleep", 100) == "100"
    assert time.monotonic() - begun < 60


def test_the_hosts_clocks_for_those_who_want_them(asks: Path) -> None:
    assert abs(int(said("--host-time", asks, "time")) - time.time()) < 60


def test_its_environment_is_its_own(asks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hidden")
    assert said(asks, "variable", "SECRET") == "(none)"
    assert said("--env", "SECRET", asks, "variable", "SECRET") == "hidden"
    assert said("-e", "A=1=2", "-e", "B", asks, "variable", "A") == "1=2"
    assert said(asks, "variable", "HOME") == "/"


def test_its_working_folder_is_ours_if_it_can_see_it(asks: Path, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert said("--root", tmp_path, asks, "folder", folder=inner) == "/a/b"
    assert said("--root", inner, asks, "folder", folder=tmp_path) == "/"
    assert said(asks, "folder", folder=inner) == "/"


# What it may see


def test_it_sees_what_is_under_its_root_and_nothing_else(asks: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "seen").write_text("seen\n")
    (tmp_path / "hidden").write_text("hidden\n")
    os.symlink(tmp_path / "hidden", root / "absolute")
    os.symlink("../hidden", root / "relative")
    os.symlink("/seen", root / "within")
    assert said("--root", root, asks, "read", "/seen") == "seen"
    assert said("--root", root, asks, "read", "within") == "seen"
    assert said("--root", root, asks, "read", "/../../seen") == "seen"
    for path in ("absolute", "relative", "../hidden", tmp_path / "hidden", "/etc/passwd"):
        assert said("--root", root, asks, "read", path) == "No such file or directory"
    assert said(asks, "read", "/etc/passwd") == "No such file or directory"


def test_it_writes_in_the_folder_that_was_opened_for_it(asks: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    world = ("--root", tmp_path, "--writable", tmp_path / "open")
    assert said(*world, asks, "write", "/open/file") == ""
    assert (tmp_path / "open" / "file").read_text() == "written\n"
    assert said(*world, asks, "write", "/file") == "Read-only file system"
    assert said("--root", tmp_path, asks, "write", "/open/file") == "Read-only file system"


# How it ends


def test_a_signal_is_128_and_its_number(asks: Path) -> None:
    done = emu_exec(asks, "kill", 15)
    assert done.returncode == 128 + 15
    assert b"killed by SIGTERM" in done.stderr


def test_a_fault_is_reported_with_its_place(asks: Path) -> None:
    done = emu_exec(asks, "null")
    assert done.returncode == 128 + 11
    report = done.stderr.decode()
    assert "page fault: write to 0x0, where nothing is mapped" in report
    assert "(main+0x" in report
    assert emu_exec("--quiet", asks, "null").stderr == b""


@pytest.mark.parametrize(
    ("options", "ask", "report"),
    [
        (["--budget", "1000000"], "loop", "budget spent: not done within 1000000 instructions"),
        (["--memory", "8M"], "touch", "memory spent: more than 8388608 bytes of memory written to"),
        (["--output", "1K"], "talk", "output spent: more than 1024 bytes written"),
        ([], "pause", "deadlocked: the process waits for a signal, and nobody is there"),
    ],
)
def test_each_limit_ends_it_with_3_and_a_report(
    asks: Path, options: list[str], ask: str, report: str
) -> None:
    done = emu_exec(*options, asks, ask)
    assert done.returncode == 3
    assert report in done.stderr.decode()


def test_open_files_are_limited_as_linux_limits_them(asks: Path) -> None:
    assert said("--files", 10, asks, "open") == "9 Too many open files"


def test_the_stack_grows_to_its_limit(asks: Path) -> None:
    assert said(asks, "deep", 1900) == "1"
    assert emu_exec(asks, "deep", 2100).returncode == 128 + 11


def test_what_is_missing_answers_enosys_and_is_named(asks: Path) -> None:
    done = emu_exec(asks, "fork")
    assert done.stdout == b"-1 Function not implemented\n"
    assert b"answered ENOSYS: clone (1)" in done.stderr


def test_a_reader_that_leaves_early_ends_it_by_sigpipe(asks: Path) -> None:
    command = [sys.executable, "-m", "emu.cli", "exec", "-q", str(asks), "talk"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as talking:
        assert talking.stdout is not None
        talking.stdout.read(100)
        talking.stdout.close()
        assert talking.wait(60) == 128 + 13


# What is watched


def test_strace_goes_to_a_file_and_is_cut_as_told(asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "trace"
    assert said("--strace", "-o", out, "-s", 3, asks, "variable", "HOME") == "/"
    lines = out.read_text().splitlines()
    assert lines[0].startswith(f'execve("{asks}", ["'[:20])
    assert '..., "var"..., "HOM"...], ' in lines[0]
    assert lines[-2:] == ["exit_group(0)                           = ?", "+++ exited with 0 +++"]


def test_calls_are_counted_the_same_in_every_run(asks: Path) -> None:
    first, second = (emu_exec("-c", asks, "time").stderr.decode() for _ in range(2))
    assert first == second
    assert "    calls    errors syscall" in first
    assert "1         1 rseq" in first


# What is wrong with the input


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["./none"], "./none: cannot be read: no such file or directory"),
        (["."], ".: cannot be read: is a directory"),
        (["--root", "none", "x"], "--root none: cannot be used: no such file or directory"),
        (["--root", "text", "x"], "--root text: is no folder"),
        (["--root", ".", "no-such-program"], "no such program in the root's PATH"),
        (["--root", ".", "/text"], "cannot be run: permission denied"),
        (["./text"], "it is not executable"),
        (["./odd"], "it is no ELF file"),
        (["./script"], "its interpreter /bin/none cannot be read: ENOENT"),
        (["--writable", ".", "./odd"], "a writable folder lies under a root"),
        (["--seed", "x", "./odd"], "--seed x: is no number"),
        (["--memory", "1Q", "./odd"], "`1Q` is not a number"),
        (["--env", "=1", "./odd"], "a variable needs a name"),
        (["--strace", "-o", "odd", "./odd"], "the trace would overwrite the program"),
        ([], "Missing argument 'PROGRAM'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_ends_with_2_and_says_what(
    args: list[str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no program\n")
    for name, text in (("odd", "no program\n"), ("script", "#!/bin/none\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    done = emu_exec(*args, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


# What is no program, and closed standard files


def test_a_pipe_and_a_device_are_no_programs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o755)
    for name in (tmp_path / "pipe", "/dev/zero"):
        done = emu_exec(name)
        assert done.returncode == 2
        assert done.stderr.endswith(b"cannot be run: it is no regular file\n")


def test_no_name_is_no_program() -> None:
    done = emu_exec("")
    assert (done.returncode, b"no such file" in done.stderr) == (2, True)


def test_a_program_of_the_hosts_may_be_named_as_what_it_will_be_itself() -> None:
    done = emu_exec(
        "--root", "/", "/proc/self/exe", "-c", "import os; os.readlink('/proc/self/exe')"
    )
    assert done.returncode != 4, done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_files_are_no_bug_and_no_other_file_takes_their_place(
    asks: Path, tmp_path: Path, closed: str
) -> None:
    trace = tmp_path / "trace"
    command = f'exec "$0" -m emu.cli exec --strace -o "$1" "$2" variable HOME {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, str(trace), str(asks)],
        capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (b"" if ">&-" in closed.replace("2>&-", "") else b"/\n")
    lines = trace.read_text().splitlines()
    assert lines[0].startswith("execve(")
    assert lines[-1] == "+++ exited with 0 +++"
    assert "/" not in lines
