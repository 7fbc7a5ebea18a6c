"""What the sanitizer found, as text: the access, the block, where it was given and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from emu.sanitizer.book import Block
from emu.sanitizer.errors import HeapError, counted
from emu.sanitizer.leaks import Leak, Loss
from emu.sanitizer.objects import Objects, Stack


def error(found: HeapError, objects: Objects) -> str:
    """Some lines."""
    place = f", {found.place}" if found.place else ""
    lines = [f"{found.rule}: {found.message}{place}", *stack(found.stack, objects)]
    if found.block is not None:
        lines += _history(found.block, objects)
    return "\n".join(lines)


def leak(found: Leak, objects: Objects) -> str:
    """Some lines."""
    first = f"leak: {_in_blocks(found.blocks)} {found.loss}"
    by = found.blocks[0].by
    return "\n".join([first, f"     given by {by}", *stack(found.stack, objects)])


def summary(errors: int, leaks: Sequence[Leak]) -> str:
    """One line."""
    said = ["1 error" if errors == 1 else f"{errors} errors"]
    for loss in Loss:
        blocks = [block for one in leaks if one.loss is loss for block in one.blocks]
        if blocks:
            said.append(f"{_in_blocks(blocks)} {loss}")
    return ", ".join(said)


def _in_blocks(blocks: Sequence[Block]) -> str:
    count = "1 block" if len(blocks) == 1 else f"{len(blocks)} blocks"
    return f"{counted(sum(block.size for block in blocks))} in {count}"


def stack(places: Stack, objects: Objects) -> Iterator[str]:
    """A line for each place, up to `main`; none for what called that."""
    for place in places:
        if objects.at(place) is not None:
            yield f"       in {_frame(place, objects)}"
        symbol = objects.sources_at(place).symbol_at(place)
        if symbol is not None and symbol.name == "main":
            break


def _history(block: Block, objects: Objects) -> Iterator[str]:
    yield f"     given by {block.by}"
    yield from stack(block.given, objects)
    if block.to:
        yield f"     taken back by {block.to}"
        yield from stack(block.taken, objects)


def _frame(place: int, objects: Objects) -> str:
    """main (overflow.c:9): p[10] = 1;"""
    sources = objects.sources_at(place)
    line, symbol = sources.line_at(place), sources.symbol_at(place)
    name = symbol.name if symbol else f"{place:#x}"
    if line is not None:
        text = f": {line.text.strip()}" if line.text.strip() else ""
        return f"{name} ({PurePosixPath(line.file).name}:{line.line}){text}"
    file = objects.at(place)
    return f"{name} ({PurePosixPath(file.path).name})" if file else name
