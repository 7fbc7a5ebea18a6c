"""Real programs on the host and in the emulator: the same output, the same exit status."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from compiled import SOURCES, WAYS, compiled, in_emulator, on_host

TEXT = SOURCES / "library.c"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["library", "faults", "signals", "probes"])
def test_a_program_in_c_does_the_same(name: str, way: str, tmp_path: Path) -> None:
    program = compiled(name, way, tmp_path)
    command = [program, TEXT, "37", "two words", ""]
    expected = on_host(*command, given=b"one\ntwo\n")
    assert expected.status == {"library": 37, "faults": 0, "signals": 134, "probes": 0}[name]
    assert in_emulator(*command, given=b"one\ntwo\n") == expected


@pytest.mark.parametrize("name", ["library", "faults"])
def test_a_static_program_needs_no_root(name: str, tmp_path: Path) -> None:
    """It sees no file; but the text of the library's test is read from one."""
    program = compiled(name, "glibc, static", tmp_path)
    expected = on_host(program, "/no/such/file").stdout
    assert in_emulator(program, "/no/such/file", root=None).stdout == expected


def test_a_program_started_by_a_relative_path_finds_itself(tmp_path: Path) -> None:
    compiled("probes", "glibc, static", tmp_path)
    expected = on_host("./probes-glibc-static", folder=tmp_path)
    assert in_emulator("./probes-glibc-static", folder=tmp_path) == expected


COREUTILS = f"""
/bin/true
/bin/false
/bin/echo -e one\\ttwo
/bin/cat {TEXT}
/bin/cat
/bin/ls -1 {SOURCES}
/bin/ls /no/such/folder
/usr/bin/wc {TEXT}
/usr/bin/sort -r {TEXT}
/usr/bin/head -n 3 {TEXT}
/usr/bin/tail -c 40 {TEXT}
/usr/bin/cut -c 1-10 {TEXT}
/usr/bin/tr a-z A-Z
/usr/bin/uniq -c
/usr/bin/md5sum {TEXT}
/usr/bin/sha256sum {TEXT}
/usr/bin/od -An -tx1 {TEXT}
/usr/bin/basename {TEXT} .c
/usr/bin/dirname {TEXT}
/usr/bin/seq 1 3 20
/usr/bin/expr 6 * 7
/usr/bin/factor 1234567890
/usr/bin/printf %s-%d\\n a 7
/usr/bin/stat -c %s.%a.%F {TEXT}
/usr/bin/readlink -f {SOURCES}/../programs/library.c
/usr/bin/realpath {SOURCES}/../../README.md
/usr/bin/test -f {TEXT}
/usr/bin/test -d {TEXT}
/bin/pwd
/usr/bin/paste {TEXT} {TEXT}
/usr/bin/base64 {TEXT}
/usr/bin/cksum {TEXT}
/usr/bin/nl {TEXT}
/usr/bin/tac {TEXT}
/usr/bin/comm {TEXT} {TEXT}
/usr/bin/join -j 1 {TEXT} {TEXT}
/usr/bin/fold -w 20 {TEXT}
/usr/bin/fmt {TEXT}
/usr/bin/tsort
/usr/bin/shuf --random-source={TEXT} -i 1-20
/usr/bin/numfmt --to=iec 1234567
/usr/bin/id -u
/bin/dd if={TEXT} bs=7 count=3 skip=2 status=none
/bin/grep -n printf {TEXT}
/bin/sed -n 5,9p {TEXT}
/usr/bin/find {SOURCES} -name lib*.c
/usr/bin/diff {TEXT} {SOURCES}/faults.c
/bin/gzip -c {TEXT}
/usr/bin/env
""".strip().splitlines()


@pytest.mark.parametrize("line", COREUTILS)
def test_a_program_of_debian_does_the_same(line: str) -> None:
    command = line.split()
    given = b"b a\nc b\nc b\n"
    expected = on_host(*command, given=given, folder=SOURCES)
    ours = in_emulator(*command, given=given, folder=SOURCES)
    if command[0].endswith("/env"):  # in the order in which they were given
        assert sorted(ours.stdout.split(b"\n")) == sorted(expected.stdout.split(b"\n"))
    else:
        assert ours == expected


BUSYBOX = (
    "echo hello",
    "sh -c 'for i in 1 2 3; do echo $((i * i)); done; cd /; pwd; test -d /etc && echo yes; exit 5'",
    f"awk '{{ n += NF }} END {{ print n, NR }}' {TEXT}",
    f"sed s/printf/PRINT/ {TEXT}",
    f"sort {TEXT}",
    f"md5sum {TEXT}",
    f"gzip -c {TEXT}",
    f"od -c {TEXT}",
    f"stat -c %s {TEXT}",
    f"grep -c static {TEXT}",
    "expr 17 % 5",
    "cal 2 2000",
    "cat /no/such/file",
    "kill -0 99999",
    "no-such-applet",
)


@pytest.mark.parametrize("line", BUSYBOX)
def test_busybox_does_the_same(line: str) -> None:
    command = ["/bin/busybox", *shlex.split(line)]
    assert in_emulator(*command, folder=SOURCES) == on_host(*command, folder=SOURCES)


def test_a_script_is_run_by_its_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('#!/bin/busybox sh\necho "$0: $1, $2"\nexit 3\n')
    script.chmod(0o755)
    expected = on_host(script, "one", "two")
    assert expected.status == 3
    assert in_emulator(script, "one", "two") == expected
