"""What callers hold during a replay: live bytes after each call, and promises that collide."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from emu.bench.plan import Step
from emu.view.finding import Finding


class Live:
    """Blocks in use, by what was asked for. bytes: after each call; findings: of collisions."""

    def __init__(self, steps: Sequence[Step], results: Sequence[int]) -> None:
        self._size: dict[int, int] = {}
        self._order: list[int] = []
        self._now = 0
        self.bytes: list[int] = []
        self.findings: list[Finding] = []
        for number, (step, result) in enumerate(zip(steps, results, strict=False), 1):
            self._follow(number, step, result, results[step.of] if step.of is not None else 0)
            self.bytes.append(self._now)

    def _follow(self, number: int, step: Step, result: int, old: int) -> None:
        if step.kind == "free" or (step.kind == "realloc" and (result or not step.size)):
            self._take(old)
        if step.kind != "free" and result:
            self._give(number, result, step.count * step.size)

    def _take(self, address: int) -> None:
        size = self._size.pop(address, None)
        if size is not None:
            self._now -= size
            del self._order[bisect_left(self._order, address)]

    def _give(self, number: int, address: int, size: int) -> None:
        at = bisect_left(self._order, address)
        for other in self._order[max(0, at - 1) : at + 1]:
            if other < address + size and address < other + self._size[other]:
                message = f"{size} bytes at {address:#x} overlap {self._size[other]} at {other:#x}"
                self.findings.append(Finding("overlap", f"{message}, which are in use", number))
        self._take(address)
        self._size[address] = size
        self._now += size
        insort(self._order, address)
