"""A Trace in a file: an .npz of numpy arrays, without pickle; texts are JSON.

format        "emu trace 1"
address instructions sizes code     Blocks: a number a block, and the bytes, end to end
entries cuts                        as in Trace
accesses                            of ACCESS; absent where they were not recorded
registers registers_after           of REGISTERS; likewise
events                              a list; event_codec.py
sources                             {"symbols": [[address, size, name], ...],
                                     "lines": [[address, size, file, line, text], ...]}
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asm.errors import why
from asm.image import SourceLine
from emu.errors import InputError
from emu.process.sources import Sources, Symbol
from emu.trace.blocks import Blocks
from emu.trace.event_codec import decoded, encoded
from emu.trace.trace import ACCESS, REGISTERS, Trace

FORMAT = "emu trace 1"
_EXPECTED = "a file that was saved as a trace"
_MEMBER = "{}.npy"
_LEVEL = 1
"""Of deflate: four times as fast as the usual 6, for a tenth more bytes."""
_BROKEN = (
    ValueError, KeyError, TypeError, IndexError, EOFError, MemoryError, OverflowError,
    RecursionError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What a file that is none of ours raises, somewhere in numpy, zipfile and json."""
_SHAPES: dict[str, tuple[Any, int]] = {
    "format": (np.uint8, 1), "address": (np.uint64, 1), "instructions": (np.int64, 1),
    "sizes": (np.int64, 1), "code": (np.uint8, 1), "entries": (np.uint32, 1),
    "cuts": (np.int64, 2), "events": (np.uint8, 1), "sources": (np.uint8, 1),
    "accesses": (ACCESS, 1), "registers": (REGISTERS, 1), "registers_after": (REGISTERS, 1),
}  # fmt: skip
"""Type and dimensions of each array."""


def save(trace: Trace, path: str | Path) -> None:
    """Everything of a trace, to one file. InputError where it cannot be written."""
    arrays = _arrays(trace)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            for name, array in arrays.items():
                with archive.open(_MEMBER.format(name), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(path)) from None


def load(path: str | Path) -> Trace:
    """The trace in a file. InputError where there is none, or another thing."""
    try:
        with Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            members = set(archive.namelist())
            found = {n: _array(archive, n) for n in _SHAPES if _MEMBER.format(n) in members}
        return _trace(found)
    except OSError as error:
        raise InputError(f"cannot be read: {why(error)}", str(path), expected=_EXPECTED) from None
    except _BROKEN as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise InputError(f"no trace: {reason}", str(path), expected=_EXPECTED) from None


# To arrays


def _arrays(trace: Trace) -> dict[str, NDArray[Any]]:
    blocks, sources = trace.blocks, trace.sources
    known = {
        "symbols": [(one.address, one.size, one.name) for one in sources.symbols],
        "lines": [(one.address, one.size, one.file, one.line, one.text) for one in sources.lines],
    }
    found: dict[str, NDArray[Any]] = {
        "format": _bytes(FORMAT.encode()),
        "address": blocks.address,
        "instructions": blocks.instructions,
        "sizes": blocks.size,
        "code": _bytes(b"".join(blocks.code)),
        "entries": trace.entries,
        "cuts": trace.cuts,
        "events": _text([encoded(event) for event in trace.events]),
        "sources": _text(known),
    }
    if trace.accesses is not None:
        found["accesses"] = trace.accesses
    if trace.registers is not None and trace.registers_after is not None:
        found["registers"] = trace.registers
        found["registers_after"] = trace.registers_after.reshape(1)
    return found


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def _text(value: object) -> NDArray[np.uint8]:
    return _bytes(json.dumps(value).encode())


# From arrays


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(_MEMBER.format(name)) as member:
        found = np.lib.format.read_array(member, allow_pickle=False)
    wanted, dimensions = _SHAPES[name]
    if found.dtype != np.dtype(wanted) or found.ndim != dimensions:
        raise ValueError(f"`{name}` is not an array of that kind")
    return found


def _trace(arrays: dict[str, NDArray[Any]]) -> Trace:
    if "format" not in arrays or arrays["format"].tobytes() != FORMAT.encode():
        raise ValueError(f"it does not say `{FORMAT}`")
    blocks = _blocks(arrays)
    entries, cuts, accesses = arrays["entries"], arrays["cuts"], arrays.get("accesses")
    _require(not len(entries) or int(entries.max()) < len(blocks), "entries")
    _require(cuts.shape[1] == 2 and _rising(cuts[:, 0], len(entries)), "cuts")
    lengths = blocks.instructions[entries[cuts[:, 0]]]
    _require(bool(np.all((cuts[:, 1] >= 0) & (cuts[:, 1] < lengths))), "cuts")
    if accesses is not None:
        _require(not len(accesses) or int(accesses["entry"].max()) < len(entries), "accesses")
        sizes = blocks.size[entries[accesses["entry"]]]
        _require(bool(np.all(accesses["offset"] < sizes)), "accesses")
    events = tuple(decoded(event) for event in _value(arrays["events"]))
    sources = _sources(_value(arrays["sources"]))
    registers, after = arrays.get("registers"), arrays.get("registers_after")
    if registers is None or after is None:
        return Trace(blocks, entries, cuts, accesses, events, sources)
    _require(len(after) == 1, "registers_after")
    whole = Trace(blocks, entries, cuts, accesses, events, sources, registers, after.reshape(()))
    _require(len(registers) == len(whole), "registers")
    return whole


def _blocks(arrays: dict[str, NDArray[Any]]) -> Blocks:
    address, instructions, sizes = (arrays[name] for name in ("address", "instructions", "sizes"))
    code = arrays["code"].tobytes()
    _require(len(address) == len(instructions) == len(sizes), "sizes")
    _require(not len(sizes) or int(sizes.min()) >= 0, "sizes")
    _require(bool(np.all((instructions >= 0) & (instructions <= sizes))), "instructions")
    ends = np.cumsum(sizes)
    _require((int(ends[-1]) if len(ends) else 0) == len(code), "code")
    pieces = zip((ends - sizes).tolist(), ends.tolist(), strict=True)
    return Blocks(address, instructions, tuple(code[start:end] for start, end in pieces))


def _rising(numbers: NDArray[Any], end: int) -> bool:
    """Whether they are indices below `end`, in order."""
    if not len(numbers):
        return True
    inside = int(numbers[0]) >= 0 and int(numbers[-1]) < end
    return inside and bool(np.all(numbers[1:] >= numbers[:-1]))


def _sources(value: Any) -> Sources:
    symbols = tuple(Symbol(*_row(row, (int, int, str))) for row in value["symbols"])
    lines = tuple(SourceLine(*_row(row, (int, int, str, int, str))) for row in value["lines"])
    return Sources(symbols, lines)


def _row(row: Any, kinds: tuple[type, ...]) -> Any:
    _require(isinstance(row, list) and tuple(map(type, row)) == kinds, "sources")
    return row


def _value(text: NDArray[Any]) -> Any:
    return json.loads(text.tobytes())


def _require(right: bool, name: str) -> None:
    if not right:
        raise ValueError(f"`{name}` does not fit the rest")
