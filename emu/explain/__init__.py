"""Why a call did what it did: the blocks it looked at, what it chose, what it changed."""

from emu.explain.explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
