"""The table of supported system calls, in Markdown, from the rows themselves.

`python -m syscalls.documentation` writes it to README.md beside this file.
"""

from __future__ import annotations

from pathlib import Path

from syscalls import table
from syscalls.row import Row

README = Path(__file__).with_name("README.md")
SECTIONS = {
    "Memory": table.MEMORY,
    "Files": table.FILES,
    "Sockets": table.SOCKETS,
    "Signals": table.SIGNALS,
    "Time": table.TIME,
    "The process": table.PROCESS,
}
_HEAD = """# The system calls that there are

Written by `python -m syscalls.documentation` from the rows themselves. Each file of a family says
how it differs from Linux. Every other call answers ENOSYS, and is counted.
"""


def markdown() -> str:
    """The whole file."""
    sections = (_section(title, rows) for title, rows in SECTIONS.items() if rows)
    return _HEAD + "".join(sections)


def _section(title: str, rows: tuple[Row, ...]) -> str:
    lines = "".join(f"| {row.number} | `{row.name}` | {row.note} |\n" for row in rows)
    return f"\n## {title}\n\n| number | call | supported |\n|---:|---|---|\n{lines}"


if __name__ == "__main__":
    README.write_text(markdown())
