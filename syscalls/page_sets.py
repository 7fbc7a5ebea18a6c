"""Sets of pages, by address: which lie in a range, quickly for small ranges and for small sets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from syscalls.abi import PAGE


def among(pages: Collection[int], start: int, end: int) -> list[int]:
    """Pages in [start, end), in order; start is a page."""
    if not pages:
        return []
    if (end - start) // PAGE > len(pages):
        return sorted(page for page in pages if start <= page < end)
    return [page for page in range(start, end, PAGE) if page in pages]


def any_among(pages: Collection[int], start: int, end: int) -> bool:
    """Whether there is one."""
    if not pages:
        return False
    if (end - start) // PAGE > len(pages):
        return any(start <= page < end for page in pages)
    return any(page in pages for page in range(start, end, PAGE))


def runs(pages: list[int]) -> Iterator[tuple[int, int]]:
    """Pages in order as runs [start, end): neighbours are one."""
    run: int | None = None
    reached = 0
    for page in pages:
        if run is None:
            run = page
        elif page != reached:
            yield run, reached
            run = page
        reached = page + PAGE
    if run is not None:
        yield run, reached
