"""Executors: one process and several do the same work, and nothing of them is left."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from multiprocessing import active_children

import pytest

from asm import AssemblyError
from emu.errors import GuestExited, InputError, InternalError, ScenarioError, Scene
from emu.judge.spread import processes

WRONG = ScenarioError("this is wrong", "x.heap:3", "a = b", 5, "something else")


def refuse():
    raise WRONG


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_back_in_order_from_several_processes():
    with processes(2) as executor:
        assert list(executor.map(divmod, range(20), [3] * 20)) == [divmod(n, 3) for n in range(20)]
        assert os.getpid() not in {executor.submit(os.getpid).result() for _ in range(4)}
        error = executor.submit(refuse).exception()
    assert isinstance(error, ScenarioError)
    assert (str(error), error.place, error.column) == (str(WRONG), "x.heap:3", 5)


@pytest.mark.parametrize(
    "error",
    [
        WRONG,
        AssemblyError("x.s", 3, "frob rax", "invalid mnemonic"),
        GuestExited("exit", Scene("f()", 16, None, "nop", None, None, {"rax": 1}, 5), 7),
        InternalError("oops"),
    ],
)
def test_every_error_crosses_processes_whole(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


def test_one_job_needs_no_other_process():
    with processes(1) as executor:
        assert executor is None


def test_no_process_is_left_even_of_work_that_has_not_ended():
    started, others = time.monotonic(), set(active_children())
    with processes(2) as executor:
        for _ in range(4):
            executor.submit(time.sleep, 60)
    assert set(active_children()) <= others
    assert time.monotonic() - started < 50


def test_a_worker_that_is_killed_is_an_error_with_advice():
    others = set(active_children())
    with pytest.raises(InputError) as raised, processes(2) as executor:
        executor.submit(die).result()
    assert "--jobs 2: a worker process was killed" in str(raised.value)
    assert "expected: fewer jobs" in str(raised.value)
    assert set(active_children()) <= others


SLEEPING = textwrap.dedent("""
    import sys, time
    from emu.judge.spread import processes

    def sleep(_):
        print("working", flush=True)
        time.sleep(60)

    if __name__ == "__main__":
        try:
            with processes(2) as executor:
                list(executor.map(sleep, range(4)))
        except KeyboardInterrupt:
            sys.exit(130)
""")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_workers_end_when_the_process_is_interrupted_or_killed(tmp_path, number, status):
    script = tmp_path / "sleeping.py"
    script.write_text(SLEEPING)
    made = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, script],  # whoever started us may ignore it
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    with made:
        for _ in range(2):
            assert made.stdout.readline() == "working\n"
        if number == signal.SIGINT:
            os.killpg(made.pid, number)  # as a terminal does: to all of them
        else:
            made.send_signal(number)
        assert made.wait(timeout=20) == status
        said = made.stderr.read()  # ends when the last worker has closed it
    assert "Traceback" not in said
    assert number == signal.SIGKILL or not said
