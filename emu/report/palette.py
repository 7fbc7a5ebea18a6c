"""Colours by role, the same in the terminal, the page and the pictures.

They differ in lightness as well as in hue, so that they can be told apart by eyes that do not see
all colours; the letters are for those who see none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """What a byte of the heap can be, or what a report has to say of it."""

    name: str
    letter: str
    colour: str


USED = Role("used", "#", "#2a6f97")
FREE = Role("free", ".", "#f4d58d")
HEADER = Role("header", "H", "#444444")
SLACK = Role("slack", "s", "#9ecae1")
MAPPED = Role("mapped", "M", "#7b5ea7")
ERROR = Role("error", "!", "#c1121f")

ROLES: dict[str, Role] = {
    role.name: role for role in (USED, FREE, HEADER, SLACK, MAPPED, ERROR)
}  # fmt: skip
