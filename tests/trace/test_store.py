"""A trace that was saved is the same when it is loaded; what is none is refused."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_profile import SHIPPED

from emu import Heap, run
from emu.errors import InputError
from emu.process.event import (
    Discarded,
    Interrupted,
    Moved,
    Owned,
    PageFaulted,
    Refilled,
    Shown,
    SystemCalled,
    Wrote,
)  # fmt: skip
from emu.trace.event_codec import decoded, encoded
from emu.trace.store import load, save
from emu.trace.trace import Trace
from syscalls import SystemCall


def assert_equal(found: Trace, expected: Trace) -> None:
    assert found.blocks.code == expected.blocks.code
    for column in ("address", "instructions"):
        assert np.array_equal(getattr(found.blocks, column), getattr(expected.blocks, column))
    assert np.array_equal(found.entries, expected.entries)
    assert np.array_equal(found.cuts, expected.cuts)
    assert (found.accesses is None) == (expected.accesses is None)
    if found.accesses is not None and expected.accesses is not None:
        assert np.array_equal(found.accesses, expected.accesses)
    assert found.events == expected.events
    assert found.sources == expected.sources


@pytest.mark.parametrize("accesses", [False, True])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_trace_comes_back_as_it_was(path: Path, accesses: bool, tmp_path: Path) -> None:
    trace = run(path, trace=True, accesses=accesses).trace
    assert trace is not None
    save(trace, tmp_path / "trace")
    assert_equal(load(tmp_path / "trace"), trace)


def test_so_does_one_of_a_program_that_died_and_one_of_nothing(tmp_path: Path) -> None:
    for source in ("f: xor eax, eax\nmov rax, [rax]\nret", "f: ret"):
        trace = naive.recorded(source, accesses=True)
        save(trace, tmp_path / "trace")
        assert_equal(load(tmp_path / "trace"), trace)
    nothing = Trace(
        type(trace.blocks)(np.zeros(0, np.uint64), np.zeros(0, np.int64), ()),
        np.zeros(0, np.uint32), np.zeros((0, 2), np.int64),
    )  # fmt: skip
    save(nothing, tmp_path / "trace")
    assert_equal(load(tmp_path / "trace"), nothing)


EFFECTS = (Wrote(1 << 63, b"\0\xff"), Discarded(1, 2), Moved(1, 2, 3), Shown(4096, 7, b"x"),
           Owned(8192), Refilled(7, b""))  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [
        SystemCalled(1, 2, 3, SystemCall(1, "write", (1, 2, 3), -1, "EBADF"), EFFECTS),
        SystemCalled(1, 2, 3, SystemCall(60, "exit", (0,), None)),
        PageFaulted(1, 2, 3, 4096, "write", EFFECTS),
        Interrupted(1, 2, 3, EFFECTS),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_kind_of_event_comes_back(event: SystemCalled) -> None:
    assert decoded(encoded(event)) == event


def _saved(folder: Path) -> bytes:
    trace = naive.recorded("f: mov rax, [rsp]\nret", accesses=True)
    save(trace, folder / "whole")
    return (folder / "whole").read_bytes()


@given(data=st.data())
@settings(max_examples=150)
def test_a_broken_file_is_refused_and_never_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    whole = bytearray(_saved(folder))
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    else:
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / "broken").write_bytes(whole)
    with suppress(InputError):  # a byte that nothing depends on may be another
        assert isinstance(load(folder / "broken"), Trace)


def _with(whole: bytes, name: str, array: np.ndarray | None) -> bytes:
    """The same archive with another array, or without one."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.namelist():
            if member != f"{name}.npy":
                new.writestr(member, old.read(member))
        if array is not None:
            with new.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, array)
    return made.getvalue()


def _json(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("format", None),
        ("format", _json("emu trace 9")),
        ("entries", np.array([99], np.uint32)),
        ("entries", np.array([1.5])),
        ("entries", np.array([object()])),
        ("cuts", np.array([[0, 99]])),
        ("cuts", np.array([[99, 0]])),
        ("cuts", np.array([[0]])),
        ("sizes", np.array([1, 1], np.int64)),
        ("instructions", np.array([-1, 1, 1], np.int64)),
        ("code", np.zeros(3, np.uint8)),
        ("events", _json('[{"kind": "Nothing"}]')),
        ("events", _json('[{"kind": "Faulted", "at": "0"}]')),
        ("events", _json('[{"kind": "Faulted", "at": 0, "entry": 0, "accesses": 0, "rip": 1,'
                         ' "what": 1, "address": null}]')),
        ("events", _json("[" * 100_000)),
        ("events", _json("{}[")),
        ("sources", _json("{}")),
        ("sources", _json('{"symbols": [[1, 2]], "lines": []}')),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(name: str, array: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(_with(_saved(tmp_path), name, array))
    with pytest.raises(InputError, match="no trace: "):
        load(tmp_path / "other")


def test_other_files_and_no_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "empty").write_bytes(b"")
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("text", "empty", "array.npy", "missing", "."):
        with pytest.raises(InputError, match="expected: a file that was saved as a trace"):
            load(tmp_path / name)
    with pytest.raises(InputError, match="cannot be written"):
        save(naive.recorded("f: ret"), tmp_path / "no" / "folder")


def test_registers_are_kept(tmp_path):
    with Heap("osmem") as heap, heap.trace(registers=True) as recorder:
        heap.malloc(100)
    trace = recorder.trace
    save(trace, tmp_path / "registers.npz")
    found = load(tmp_path / "registers.npz")
    assert found.registers.tolist() == trace.registers.tolist()
    assert found.registers_after.tolist() == trace.registers_after.tolist()
