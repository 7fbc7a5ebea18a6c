"""What cannot be undone."""

from __future__ import annotations


class CannotKeep(Exception):
    """There is something that could not be put back: str(error) says what."""
