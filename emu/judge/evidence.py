"""Evidence: a small failure played once more and recorded, to see which instruction did it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emu.heap import Heap
from emu.judge.culprit import culprit, with_source
from emu.judge.failure import Failure, Found, Operations
from emu.judge.player import Player
from emu.judge.shrink import shrink
from emu.judge.subject import has_blocks
from emu.judge.task import Case
from emu.judge.verdict import Defect, Evidence
from emu.scenario.spelling import spelled, text
from emu.trace.trace import Trace

TOUCHES_LIVE = "allocator-touches-live"

_EXPECTED = {
    "overlap": "no byte of a new block is in use",
    "misaligned": "the payload is a multiple of the alignment",
    "outside": "the whole block lies in memory that the kernel gave",
    "contents-changed": "blocks in use keep what the program wrote into them",
    "realloc-contents": "the contents come along, as many bytes as the smaller size",
    "calloc-not-zero": "every byte is zero",
    "calloc-overflow": "NULL: the product does not fit in 64 bits",
    "refused": "a block: there is memory",
    TOUCHES_LIVE: "blocks in use are the program's: they are not even read",
    "convention": "the caller's registers and stack come back as they were",
    "fault": "the call returns",
    "budget": "the call returns",
    "exit": "NULL, and the process lives",
    "memory": "the call returns, and takes no more memory than it needs",
}
_DEATHS = frozenset({"fault", "budget", "exit", "memory"})
_OF_NO_BYTES = "a block of 0 bytes is NULL, or has a place of its own: it is freed by it"
_BLOCKS = "the blocks tile the heap, linked both ways, as their headers say"


@dataclass(frozen=True, slots=True)
class Examination:
    """What a task finds out about one failure."""

    case: Case
    failure: Failure


@dataclass(frozen=True, slots=True)
class Examined:
    """A failure made small, as a defect; two with the same key have the same cause."""

    failure: Failure
    key: tuple[str, str]
    defect: Defect


def examine(examination: Examination) -> Examined:
    """In any process, as `perform`. What only a sanitizing heap shows is shown by one again."""
    case, failure = examination.case, examination.failure
    operations = shrink(case, failure.operations, failure.cause)
    return _examined(case, failure, operations)


def _examined(case: Case, failure: Failure, operations: Operations) -> Examined:
    """Plays it once more: all but the last call unseen, as far as pictures are concerned."""
    player, rule = case.player(), failure.cause.rule
    heap = player.heap
    recorder = heap.trace(accesses=rule not in _DEATHS, registers=rule == "convention")
    *first, last = operations
    with recorder:
        for operation in first:
            player.play(operation)
        before = _picture(heap)
        found = next((one for one in player.play(last) if one.rule == rule), _unseen(failure))
    seen = _seen(recorder.trace, found, player)
    expected = _expected(found, player)
    evidence = replace(seen, expected=expected, happened=found.message, before=before)
    if player.died is None:
        evidence = replace(evidence, after=_picture(heap))
    about = [f"{rule}: {found.message}", *_shown_by(failure)]
    scenario = text((*operations, *found.expected), about)
    defect = Defect(
        rule, found.message, scenario, failure.topic, evidence, heap_start=failure.heap_start
    )
    guilty = evidence.source or evidence.instruction
    if failure.cause.follows or rule == "errno":
        guilty = ""
    return Examined(failure, (rule, guilty), defect)


def _shown_by(failure: Failure) -> Iterator[str]:
    if failure.cause.rule == TOUCHES_LIVE:
        yield "It is seen by emu run --sanitize."
    if failure.heap_start is not None:
        yield f"It is seen by emu run --heap-start {failure.heap_start:#x}."


def _seen(trace: Trace, found: Found, player: Player) -> Evidence:
    """Which instruction did it; and its line, or that of whoever called it."""
    if player.died is not None:
        scene, moment = player.died.scene, len(trace) - 1
        instruction = f"{scene.symbol or hex(scene.address)}: {scene.code}"
        if scene.place:
            text = (scene.text or "").strip()
            return Evidence("", "", instruction=instruction, source=scene.place, source_text=text)
    else:
        guilty = culprit(trace, found, player)
        moment = len(trace) - 1 if guilty is None else guilty
        where = trace.where(moment)
        instruction = f"{where.symbol}: {where.text}"
    line = with_source(trace, moment).line
    if line is None:
        return Evidence("", "", instruction=instruction)
    text = line.text.strip()
    return Evidence("", "", instruction=instruction, source=line.place, source_text=text)


def _unseen(failure: Failure) -> Found:
    """Where it does not show again, which would be strange: what was seen first."""
    return Found(failure.cause.rule, failure.message)


def _expected(found: Found, player: Player) -> str:
    if found.expected:
        return "; ".join(spelled(one).removeprefix("expect ") for one in found.expected)
    if found.rule == "overlap" and _is_empty(found.address, player):
        return _OF_NO_BYTES
    return _EXPECTED.get(found.rule, _BLOCKS)


def _is_empty(address: int | None, player: Player) -> bool:
    """Whether one of the blocks at an address has no bytes."""
    return any(held.address == address and not held.size for held in player.live.values())


def _picture(heap: Heap) -> str:
    return str(heap) if has_blocks(heap) else ""
