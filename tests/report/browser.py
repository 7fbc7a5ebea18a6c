"""Pages as Chromium shows them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def render(text: str, folder: Path) -> tuple[str, list[str]]:
    """The document after its scripts have run, and what they said on the console."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    assert browser, f"this test needs a browser: none of {', '.join(names)} is installed"
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--virtual-time-budget=8000", f"--user-data-dir={folder / 'profile'}",
            "--enable-logging=stderr", "--v=0", "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
