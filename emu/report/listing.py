"""Machine code beside its source: of an image, or of a program that was compiled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asm.image import Image, SourceLine
from emu.process.disassembly import Instruction, disassemble
from emu.process.objects import LoadedObject
from emu.process.sources import Symbol
from emu.process.started import StartedProgram

_BYTES_A_ROW = 8


def listing(image: Image) -> Iterator[str]:
    """One line for each source line that made bytes: address, bytes, place, source."""
    width = max((len(line.place) for line in image.lines), default=0)
    names = {address: name for name, address in image.symbols.items()}
    for line in image.lines:
        if line.address in names:
            yield f"\n{line.address:#x} <{names[line.address]}>"
        data = image.bytes_at(line.address, line.size)
        rows = [data[i : i + _BYTES_A_ROW] for i in range(0, len(data), _BYTES_A_ROW)]
        head = rows[0].hex(" ")
        yield f"{line.address:#10x}  {head:<23}  {line.place:<{width}}  {line.text.rstrip()}"
        for number, row in enumerate(rows[1:], 1):
            yield f"{line.address + number * _BYTES_A_ROW:#10x}  {row.hex(' ')}"


def program_listing(process: StartedProgram, functions: Iterable[str]) -> Iterator[str]:
    """A line for each line of source, and under it one for each instruction: address, bytes, text.

    Of all functions of the allocator's file whose source is known; of a file without debug
    information, of the functions that are named.
    """
    addresses = {process.address_of(name): name for name in functions}
    first = next(address for address in addresses if address is not None)
    own = process.objects.holding(first)
    covered = [one for one in own.symbols if own.line_at(one.address)]
    for function in covered or [one for one in own.symbols if one.address in addresses]:
        name = addresses.get(function.address, function.name)
        yield f"\n{function.address:#x} <{name}>"
        yield from _function_lines(own, function)


def _function_lines(own: LoadedObject, function: Symbol) -> Iterator[str]:
    last: SourceLine | None = None
    for instruction in disassemble(own.bytes_at(function.address, function.size), function.address):
        line = own.line_at(instruction.address)
        if line is not None and (last is None or line.place != last.place):
            yield f"{line.place}  {line.text.rstrip()}"
        last = line
        yield _instruction_line(own, instruction)


def _instruction_line(own: LoadedObject, instruction: Instruction) -> str:
    data = own.bytes_at(instruction.address, instruction.size)
    return f"{instruction.address:#14x}  {data.hex(' '):<30}  {instruction}"
