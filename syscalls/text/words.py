"""Constants by name: words of flags, and numbers of which one is chosen."""

from __future__ import annotations

from syscalls.text.sight import Text, low

Names = dict[int, str]
"""What has a name, in strace's order: it decides which flag is printed first."""


def names(text: str, prefix: str = "") -> Names:
    """A table from "NAME number NAME number ..."."""
    words = text.split()
    return {
        int(value, 0): prefix + name for name, value in zip(words[::2], words[1::2], strict=True)
    }


def numbered(text: str, prefix: str = "", first: int = 0) -> Names:
    """A table of names for the numbers from `first` on; "-" leaves one out."""
    return {n: prefix + word for n, word in enumerate(text.split(), first) if word != "-"}


def bits(text: str, prefix: str = "", first: int = 0) -> Names:
    """A table of names for the bits from `first` on; "-" leaves one out."""
    return {1 << n: prefix + word for n, word in enumerate(text.split(), first) if word != "-"}


def flag_words(value: int, known: Names, unknown: str, zero: str = "0") -> str:
    """A word of flags. What has no name comes last; `unknown` comments where nothing has one."""
    if not value:
        return known.get(0, zero)
    found = []
    rest = value
    for flag, name in known.items():
        if flag and rest & flag == flag:
            found.append(name)
            rest &= ~flag
    if not found:
        return f"{value:#x} {_comment(unknown)}"
    return "|".join([*found, f"{rest:#x}"] if rest else found)


def one_of(value: int, known: Names, unknown: str) -> str:
    """The name of a number."""
    if value in known:
        return known[value]
    return f"{value:#x} {_comment(unknown)}" if value else f"0 {_comment(unknown)}"


def _comment(unknown: str) -> str:
    """Of what kind a number is; most kinds have a prefix, some are told as they are."""
    return f"/* {unknown} */" if "?" in unknown else f"/* {unknown}_??? */"


def flags(known: Names, unknown: str, zero: str = "0") -> Text:
    """The text of an unsigned int of flags."""
    return lambda value, _: flag_words(low(value), known, unknown, zero)


def long_flags(known: Names, unknown: str, zero: str = "0") -> Text:
    """The text of an unsigned long of flags."""
    return lambda value, _: flag_words(value & (1 << 64) - 1, known, unknown, zero)


def choice(known: Names, unknown: str) -> Text:
    """The text of an int of which each value is something else."""
    return lambda value, _: one_of(low(value), known, unknown)


def fields(**values: object) -> str:
    """A structure: {name=value, name=value}."""
    return "{" + ", ".join(f"{name}={value}" for name, value in values.items()) + "}"
