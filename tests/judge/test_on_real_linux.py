"""Allocators assembled by GNU as, on the host's CPU and kernel: they answer as the model does."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from asm import source
from asm.source import PACKAGE
from emu.judge.model import MAX_REQUEST, Model

DRIVER = Path(__file__).parent / "driver.c"
CALLS = 1500
STATUS = {"free": 0, "alloc": 1}
HUGE = (131031, 131040, 200_000, MAX_REQUEST, MAX_REQUEST + 1, 2**64 - 1, 1 << 46)


@pytest.fixture(scope="module", params=["osmem", "indexed"])
def program(request, tmp_path_factory):
    """The driver, linked with an allocator."""
    folder, name = tmp_path_factory.mktemp("real"), f"{request.param}.s"
    statements = source.read(PACKAGE / request.param / name)
    (folder / name).write_text("".join(f"{s.source}\n" for s in statements))
    made = folder / "driver"
    subprocess.run(
        ["gcc", "-O1", "-static", "-z", "noexecstack", "-o", made, DRIVER, folder / name],
        check=True,
    )
    return made


class Calls:
    """Random calls, told to the model and written down for the driver."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.model = Model.fresh(0x10000)
        self.lines: list[str] = []
        self.answers: list[str] = []
        self.slots: list[int] = []
        self.live: list[int] = []

    def size(self) -> int:
        choose = self.random.random()
        if choose < 0.05:
            return self.random.choice(HUGE)
        return self.random.randrange(5000) if choose < 0.3 else self.random.randrange(200)

    def one(self) -> None:
        kind = self.random.choice("mmmcrrff") if self.live else "m"
        result = getattr(self, f"_{kind}")()
        self.slots.append(result)
        if result:
            self.live.append(len(self.slots) - 1)
        self.answers.append(self._shown(result))

    def _m(self) -> int:
        size = self.size()
        self.lines.append(f"m {size}")
        return self.model.malloc(size)

    def _c(self) -> int:
        count, size = self.random.randrange(4), self.random.randrange(2000)
        self.lines.append(f"c {count} {size}")
        return self.model.calloc(count, size)

    def _r(self) -> int:
        slot, size = self._any(), self.size()
        self.lines.append(f"r {slot} {size}")
        new = self.model.realloc(self.slots[slot], size)
        if new or not size:
            self.live.remove(slot)
        return new

    def _f(self) -> int:
        slot = self._any()
        self.lines.append(f"f {slot}")
        self.model.free(self.slots[slot])
        self.live.remove(slot)
        return 0

    def _any(self) -> int:
        return self.random.choice(self.live)

    def _shown(self, result: int) -> str:
        model = self.model
        if not result:
            words = [f"null {model.errno}"]
        elif result in model.mapped:
            words = [f"map {model.mapped[result]}"]
        else:
            words = [f"heap+{result - 0x10000}"]
        words += [f"{a - 0x10000}:{size}:{STATUS[status]}" for a, size, status in model.blocks]
        return " ".join(words)


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_and_every_block_is_the_models(program, seed):
    calls = Calls(seed)
    for _ in range(CALLS):
        calls.one()
    done = subprocess.run(
        [program], input="\n".join(calls.lines) + "\n", capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == calls.answers
