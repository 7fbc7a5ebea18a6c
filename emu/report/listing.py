"""An image's machine code beside its source."""

from __future__ import annotations

from collections.abc import Iterator

from asm.image import Image

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
