"""What a loader reads of a shared library: .hash, .dynsym, .dynstr, .rela.dyn and .dynamic."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from asm.elf.constants import RelocationType, SectionFlag, SectionType, Tag
from asm.elf.file import Section
from asm.elf.relocations import RELOCATION_SIZE, relocation
from asm.elf.strings import Strings
from asm.elf.symbols import SYMBOL_SIZE, Symbol, dynamic_symbols

_ENTRY = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Moved:
    """An address written out at `place`: the loader adds to it where the library is."""

    place: int
    value: int


def count_of_tables(moved: Sequence[Moved]) -> int:
    """How many sections `tables` makes."""
    return 4 if moved else 3


def tables(
    exported: Iterable[Symbol], moved: Sequence[Moved], name: str, start: int
) -> list[Section]:
    """The sections that .dynamic points to, at their addresses from `start` on."""
    strings = Strings()
    strings.add(name)
    symbols = list(exported)
    table = dynamic_symbols(symbols, strings)
    names = Section(".dynstr", bytes(strings), SectionType.STRTAB, SectionFlag.ALLOC)
    sections = [_hash([symbol.name for symbol in symbols]), table, names]
    if moved:
        sections.append(_relocations(moved))
    return list(_placed(sections, start))


def dynamic(tables: Sequence[Section], name: str, moved: int, address: int) -> Section:
    """.dynamic itself. moved: how many addresses the loader must change."""
    at = {section.name: section.address for section in tables}
    size = {section.name: len(section.data) for section in tables}
    strings = next(section.data for section in tables if section.name == ".dynstr")
    entries = [
        (Tag.SONAME, strings.index(name.encode() + b"\0")),
        (Tag.HASH, at[".hash"]),
        (Tag.STRTAB, at[".dynstr"]),
        (Tag.SYMTAB, at[".dynsym"]),
        (Tag.STRSZ, size[".dynstr"]),
        (Tag.SYMENT, SYMBOL_SIZE),
    ]
    if moved:
        entries += [
            (Tag.RELA, at[".rela.dyn"]),
            (Tag.RELASZ, size[".rela.dyn"]),
            (Tag.RELAENT, RELOCATION_SIZE),
            (Tag.RELACOUNT, moved),
        ]
    return Section(
        ".dynamic",
        b"".join(_ENTRY.pack(*entry) for entry in [*entries, (Tag.NULL, 0)]),
        SectionType.DYNAMIC,
        SectionFlag.ALLOC | SectionFlag.WRITE,
        address,
        align=4096,
        entry_size=_ENTRY.size,
        link=".dynstr",
    )


def _placed(sections: Iterable[Section], start: int) -> Iterator[Section]:
    for section in sections:
        start += -start % section.align
        yield replace(section, address=start)
        start += len(section.data)


def _hash(names: Sequence[str]) -> Section:
    """Names to their numbers in .dynsym: a bucket a name; those of one bucket form a chain."""
    buckets, chains = [0] * max(1, len(names)), [0] * (1 + len(names))
    for number, name in enumerate(names, 1):
        bucket = _hashed(name) % len(buckets)
        chains[number], buckets[bucket] = buckets[bucket], number
    words = [len(buckets), len(chains), *buckets, *chains]
    return Section(
        ".hash",
        struct.pack(f"<{len(words)}I", *words),
        SectionType.HASH,
        SectionFlag.ALLOC,
        align=8,
        entry_size=4,
        link=".dynsym",
    )


def _hashed(name: str) -> int:
    """The System V ABI's function, chapter 5."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF000_0000
        value = (value ^ high >> 24) & ~high & 0xFFFF_FFFF
    return value


def _relocations(moved: Iterable[Moved]) -> Section:
    return Section(
        ".rela.dyn",
        b"".join(relocation(one.place, RelocationType.RELATIVE, 0, one.value) for one in moved),
        SectionType.RELA,
        SectionFlag.ALLOC,
        align=8,
        entry_size=RELOCATION_SIZE,
        link=".dynsym",
    )
