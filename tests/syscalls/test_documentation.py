"""The table of supported system calls is that of the rows."""

from __future__ import annotations

from syscalls import documentation, table
from syscalls.call_names import NAMES, arity_of


def test_the_file_is_what_the_rows_say():
    """Written anew by `python -m syscalls.documentation`."""
    assert documentation.README.read_text() == documentation.markdown()


def test_every_row_is_listed_once():
    cells = [line.split("|")[1:4] for line in documentation.markdown().splitlines() if "`" in line]
    listed = [(int(c[0]), c[1].strip()) for c in cells if c and c[0].strip().isdigit()]
    assert sorted(listed) == sorted((row.number, f"`{row.name}`") for row in table.ROWS)


def test_rows_stand_in_order_of_number_and_are_named_as_linux_names_them():
    for section in documentation.SECTIONS.values():
        numbers = [row.number for row in section]
        assert numbers == sorted(set(numbers))
        for row in section:
            assert row.name == NAMES[row.number]
            assert len(row.params) == arity_of(row.number)
