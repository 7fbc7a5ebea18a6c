"""A cluster of dask, a real one on loopback: its workers do the work, or the error says why not."""

from __future__ import annotations

import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import dask_cluster
import pytest

from asm.source import PACKAGE
from emu.allocators import Choice
from emu.errors import InputError, ScenarioError
from emu.judge import cluster as module
from emu.judge.cluster import Setting, cluster
from emu.scenario.load import load

OSMEM = Choice("osmem")
IN_C = Choice(str(Path(__file__).parent.parent / "bench" / "first_fit.c"))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """The machine may be busy."""
    monkeypatch.setattr(module, "PATIENCE", 60)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    with dask_cluster.running(tmp_path_factory.mktemp("cluster"), 2) as running:
        yield running.address


@pytest.fixture(scope="module")
def setting():
    return Setting.here([OSMEM, IN_C], [])


def test_both_workers_work_in_the_clients_folder_and_answer_in_order(
    scheduler, setting, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with cluster(scheduler, Setting.here([OSMEM], [])) as executor:
        assert list(executor.map(divmod, range(9), [3] * 9)) == [divmod(n, 3) for n in range(9)]
        assert executor.submit(os.getcwd).result() == str(tmp_path)
        slow = [executor.submit(time.sleep, 0.3) for _ in range(4)]
        pids = {future.result() for future in [executor.submit(os.getpid) for _ in range(8)]}
        assert all(future.result() is None for future in slow)
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_an_error_comes_back_whole(scheduler, setting, tmp_path):
    wrong = tmp_path / "x.heap"
    wrong.write_text("a = malloc 12q\n")
    with cluster(scheduler, setting) as executor:
        error = executor.submit(load, wrong).exception()
    assert isinstance(error, ScenarioError)
    assert (error.place, error.source, error.column) == (f"{wrong}:1", "a = malloc 12q", 12)


def test_what_differs_on_a_worker_is_an_error_that_names_it(scheduler, setting, tmp_path):
    trace = tmp_path / "x.heap"
    trace.write_text("a = malloc 8\n")
    file = (str(trace), "0" * 64)
    none = Choice(str(tmp_path / "none.s"))
    for other, message in (
        (replace(setting, package="0"), "its emu is another"),
        (replace(setting, allocators=((OSMEM, "0"),)), "osmem is other code there"),
        (replace(setting, allocators=((none, "0"),)), "unknown allocator"),
        (replace(setting, files=(file,)), "x.heap is another file there"),
        (replace(setting, files=((f"{trace}.no", "0"),)), "cannot be read: no such file"),
        (replace(setting, folder=str(tmp_path / "no")), "there is no folder"),
    ):
        with pytest.raises(InputError) as raised, cluster(scheduler, other) as executor:
            executor.submit(os.getpid).result()
        assert message in str(raised.value)
        assert f"worker on {socket.gethostname()}" in str(raised.value)
        assert "expected: what the client has" in str(raised.value)


def enter(address, setting):
    with cluster(address, setting):
        pass


def test_a_worker_with_another_version_is_refused_at_once(scheduler, setting, monkeypatch):
    monkeypatch.setattr(module, "_version", lambda: "99.0")
    with pytest.raises(InputError, match=r"worker tcp://.* has osmem-emu 0\.1\.0\n") as raised:
        enter(scheduler, setting)
    assert "expected: version 99.0" in str(raised.value)


def test_a_worker_without_the_package_is_refused_at_once(scheduler, setting, monkeypatch):
    monkeypatch.setattr(module, "_version", lambda: "0.1.0")
    monkeypatch.setattr(module, "_DISTRIBUTION", "nobody-has-this")
    with pytest.raises(InputError, match="has nobody-has-this none"):
        enter(scheduler, setting)


def test_code_is_compared_and_not_names(tmp_path):
    for folder, text in (("one", "ret"), ("two", "nop\n ret")):
        (tmp_path / folder).mkdir()
        labels = "".join(
            f".globl os_{n}\nos_{n}:\n" for n in ("malloc", "calloc", "realloc", "free")
        )
        (tmp_path / folder / "inner.s").write_text(f"{labels} {text}\n")
        (tmp_path / folder / "x.s").write_text('.include "inner.s"\n')
    digests = {
        module._code_digest(Choice(str(tmp_path / folder / "x.s"))) for folder in ("one", "two")
    }
    assert len(digests) == 2
    same = Choice(str(PACKAGE / "osmem" / "osmem.s"))
    assert module._code_digest(same) == module._code_digest(OSMEM)


@pytest.fixture
def hurried(patient, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 1)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:{port}", "connection refused"),
        ("tcp://127.0.0.1:99999", ""),
        ("tcp://no host:1", "this is no address"),
        ("nonsense", "this is no address"),
        ("http://127.0.0.1:{port}", "this is no address"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_said_at_once(setting, address, reason):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = address.format(port=unused.getsockname()[1])
    with pytest.raises(InputError) as raised:
        enter(address, setting)
    assert f"--scheduler {address}: no scheduler answers there: {reason}" in str(raised.value)
    assert "expected: the address that `dask scheduler` prints" in str(raised.value)


def test_somebody_else_at_the_address_is_said_within_seconds(hurried, setting):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(InputError, match="no scheduler answers there: timed out"):
            enter(f"tcp://127.0.0.1:{silent.getsockname()[1]}", setting)


def test_a_scheduler_without_workers_is_said_within_seconds(hurried, setting, tmp_path):
    with (
        dask_cluster.running(tmp_path, 0) as running,
        pytest.raises(InputError, match="the scheduler has no workers"),
    ):
        enter(running.address, setting)


def test_a_task_that_ends_its_worker_is_an_error(setting, tmp_path):
    with (
        dask_cluster.running(tmp_path, 1) as running,
        pytest.raises(InputError, match="a task has ended several workers"),
        cluster(running.address, setting) as executor,
    ):
        executor.submit(os._exit, 1).result()


def lose(executor, scheduler):
    future = executor.submit(time.sleep, 60)
    scheduler.send_signal(signal.SIGKILL)
    future.result(timeout=30)


def test_a_scheduler_that_goes_away_is_an_error(setting, tmp_path):
    with (
        dask_cluster.running(tmp_path, 1) as running,
        pytest.raises(InputError, match="the connection to the scheduler was lost"),
        cluster(running.address, setting) as executor,
    ):
        lose(executor, running.scheduler)
