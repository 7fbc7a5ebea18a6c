"""What a trace tells, counted the slow way: from the addresses of a plain engine, one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import capstone
import guests

from asm.image import Image
from emu.errors import GuestDied
from emu.process.process import Process
from emu.trace.recorder import Recorder
from emu.trace.trace import Trace

_ENGINE = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
_ENGINE.detail = True


def recorded(source: str, *, accesses: bool = False) -> Trace:
    """The trace of a program's `f`, which may die."""
    with Process(guests.image(source)) as process:
        recorder = Recorder(process, accesses=accesses, sources=process.sources)
        try:
            with recorder:
                process.call("f")
        except GuestDied:
            pass
        return recorder.trace


def line_runs(image: Image, begun: list[int]) -> dict[int, int]:
    """By line number: how often its first instruction ran."""
    counts = Counter(begun)
    found: dict[int, int] = {}
    for line in image.lines:
        if line.address < image.segments[0].end:
            found.setdefault(line.line, counts[line.address])
    return found


def outcomes(image: Image, begun: list[int]) -> dict[int, tuple[int, int]]:
    """By address of a conditional jump: how often it was taken, and how often not."""
    found: dict[int, list[int]] = {}
    for place, following in pairwise(begun):
        jump = _instruction(image, place)
        if jump.id == capstone.x86.X86_INS_JMP or not jump.group(capstone.CS_GRP_JUMP):
            continue
        taken = following == jump.operands[0].imm
        found.setdefault(place, [0, 0])[0 if taken else 1] += 1
    return {place: (taken, not_) for place, (taken, not_) in found.items()}


@dataclass
class _Frame:
    function: str
    returns_to: int | None
    by_jump: bool


def costs(image: Image, begun: list[int]) -> dict[str, tuple[int, int, int]]:
    """By function: calls, own instructions, inclusive ones."""
    calls, own, inclusive = Counter[str](), Counter[str](), Counter[str]()
    stack: list[_Frame] = []
    before = None
    for place in begun:
        _arrive(image, stack, before, place, calls)
        own[stack[-1].function] += 1
        inclusive.update({frame.function for frame in stack})
        before = _instruction(image, place)
    return {name: (calls[name], own[name], inclusive[name]) for name in calls}


def _arrive(
    image: Image,
    stack: list[_Frame],
    before: capstone.CsInsn | None,
    place: int,
    calls: Counter[str],
) -> None:
    function = (image.symbol_at(place) or "").split("+")[0]
    if before is None:
        stack.append(_Frame(function, None, False))
        calls[function] += 1
        return
    if before.group(capstone.CS_GRP_CALL):
        stack.append(_Frame(function, before.address + before.size, False))
        calls[function] += 1
        return
    if before.group(capstone.CS_GRP_RET):
        while stack[-1].by_jump or stack[-1].returns_to != place:
            stack.pop()
        stack.pop()
    if stack[-1].function == function:
        return
    above = list(stack)
    while above and above[-1].function != function:
        above.pop()
    since_call = [frame.function for frame in _since_call(stack)]
    if above and (function in since_call or image.symbols[function] != place):
        del stack[len(above) :]
    else:
        stack.append(_Frame(function, None, True))
        calls[function] += 1


def _since_call(stack: list[_Frame]) -> list[_Frame]:
    first = len(stack) - 1
    while stack[first].by_jump:
        first -= 1
    return stack[first:]


def _instruction(image: Image, place: int) -> capstone.CsInsn:
    return next(_ENGINE.disasm(image.bytes_at(place, 15), place))
