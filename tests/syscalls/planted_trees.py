"""A tree of files with some of everything, to try calls on, and what is left of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def plant(root):
    """A tree with some of everything; dev, proc and sys are there for ours to lie on."""
    for name in ("dev", "proc", "sys", "a", "a/b", "a/b/c", "empty", "w", "w/sub", "tmp"):
        (root / name).mkdir(parents=True)
    for name, text in (
        ("file", "hello, world\n"), ("a/b/deep", "deep"), ("w/old", "old text\n"), ("w/sub/x", "x"),
        ("nothing", ""), ("large", "0123456789abcdef" * 4096), ("run", "#!/bin/sh\n"),
    ):  # fmt: skip
        (root / name).write_text(text)
        (root / name).chmod(0o755 if name == "run" else 0o644)
    for name, target in (
        ("link", "file"), ("absolute", "/a/b"), ("up", "../../../../file"), ("dangling", "nowhere"),
        ("loop", "loop"), ("ping", "pong"), ("pong", "ping"), ("self", "."), ("a/back", ".."),
        ("slash", "a/b/"), ("fileslash", "file/"), ("w/out", "/file"), ("w/new", "made"),
        ("rooted", "/"),
    ):  # fmt: skip
        os.symlink(target, root / name)
    previous = root / "link"
    for i in range(45):
        os.symlink(previous.name, root / f"chain{i}")
        previous = root / f"chain{i}"


def replant(root):
    """Fresh, where something may have been."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    plant(root)
    return root


def pictured(root):
    """Every name below a folder, with what can be compared of it."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            kind = stat.st_mode & 0o170000
            said = None
            if kind == 0o120000:
                said = os.readlink(path)
            elif kind == 0o100000:
                said = Path(path).read_bytes()
            found[os.path.relpath(path, root)] = (oct(stat.st_mode), stat.st_nlink, said)
    return found
