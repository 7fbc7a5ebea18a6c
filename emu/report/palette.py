"""Colours by role, the same in the terminal, the page and the pictures.

They differ in lightness as well as in hue, so that they can be told apart by eyes that do not see
all colours; the letters are for those who see none.
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.view.blocks import Block, Status


@dataclass(frozen=True, slots=True)
class Role:
    """What a byte of the heap can be, or what a report has to say of it."""

    name: str
    letter: str
    colour: str

    @property
    def label(self) -> str:
        """What a legend says: "# used"."""
        return f"{self.letter} {self.name}"


USED = Role("used", "#", "#2a6f97")
FREE = Role("free", ".", "#f4d58d")
HEADER = Role("header", "H", "#444444")
SLACK = Role("slack", "s", "#9ecae1")
MAPPED = Role("mapped", "M", "#7b5ea7")
OTHER = Role("the allocator's", "-", "#d9d9d9")
ERROR = Role("error", "!", "#c1121f")

ROLES: dict[str, Role] = {
    role.name: role for role in (USED, FREE, HEADER, SLACK, MAPPED, ERROR)
}  # fmt: skip


def painted(role: Role) -> str:
    """A style for the terminal."""
    return f"{'black' if role in (FREE, SLACK, OTHER) else 'white'} on {role.colour}"


def parts(block: Block, requested: int | None) -> list[tuple[Role, int, int]]:
    """What a block is made of: (role, start, end), in address order.

    requested: what the caller asked for; what the block has beyond it is slack.
    """
    used = block.size if requested is None else min(requested, block.size)
    payload = [
        (USED, block.address, block.address + used),
        (SLACK, block.address + used, block.end),
    ]
    if block.status in (Status.FREE, Status.UNKNOWN):
        role = FREE if block.status is Status.FREE else ERROR
        payload = [(role, block.address, block.end)]
    every = [(HEADER, block.header, block.address), *payload]
    return [(role, start, end) for role, start, end in every if start < end]
