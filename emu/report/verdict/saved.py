"""The scenarios of a verdict as files that emu run and emu debug play."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from asm.errors import why
from emu.errors import InputError
from emu.judge.verdict import Evidence
from emu.report.verdict.checked import Checked, file_name, statements

MARK = "# Saved by emu check"
_PATTERN = "[0-9][0-9]*-*.heap"


def prepare(folder: Path) -> None:
    """Makes the folder. InputError where that fails, or where others' files are in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = [file for file in sorted(folder.glob(_PATTERN)) if not _is_ours(file)]
    except OSError as error:
        raise InputError(f"cannot be made: {why(error)}", str(folder)) from None
    if foreign:
        raise InputError(
            "may be overwritten, and was not saved by emu check", str(foreign[0]),
            expected="a new folder, or one that an earlier check saved to",
        )  # fmt: skip


def save(checked: Checked, folder: Path) -> tuple[str, ...]:
    """A file a defect, instead of those that an earlier check saved there; their paths."""
    prepare(folder)
    try:
        for file in folder.glob(_PATTERN):
            file.unlink()
        return tuple(
            _write(checked, folder / file_name(index, defect), index)
            for index, defect in enumerate(checked.defects)
        )
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", str(folder)) from None


def _write(checked: Checked, path: Path, index: int) -> str:
    path.write_text(text(checked, index, str(path)), encoding="utf-8")
    return str(path)


def _is_ours(file: Path) -> bool:
    with file.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline().startswith(MARK)


def text(checked: Checked, index: int, path: str) -> str:
    """The file: what it shows, how it is played, and the scenario."""
    assert checked.verdict is not None
    verdict, defect = checked.verdict, checked.defects[index]
    evidence = defect.evidence
    about = f"contract {verdict.contract}, seed {verdict.seed}"
    head = [
        *_comment("", f"{MARK.lstrip('# ')}: {defect.rule} of {checked.allocator}, {about}."),
        "#",
        *_comment("", f"{defect.rule}: {defect.message}"),
        *_comment("Expected: ", evidence.expected),
        *_comment("Happened: ", evidence.happened),
        *_comment("At: ", _where(evidence)),
        *(line for command in checked.commands(index, path) for line in _comment("    ", command)),
    ]
    return "\n".join([*head, "", *statements(defect)]) + "\n"


def _where(evidence: Evidence) -> str:
    source = f"{evidence.source}: {' '.join(evidence.source_text.split())}"
    return "; ".join(filter(None, (evidence.instruction, evidence.source and source)))


def _comment(label: str, words: str) -> list[str]:
    lines = "".join(c if c.isprintable() or c == "\n" else "\u00b7" for c in words).splitlines()
    return [f"# {label if i == 0 else ' ' * len(label)}{line}" for i, line in enumerate(lines)]


def short_names(allocators: Sequence[str]) -> dict[str, str]:
    """A name for files and folders, for each: as much of its path, from the end, as it takes.

    alice/malloc.s and bob/malloc.s are alice-malloc and bob-malloc.
    """
    paths = {name: PurePath(name).with_suffix("").parts for name in allocators if name}
    longest = max((len(parts) for parts in paths.values()), default=0)
    for count in range(1, longest + 1):
        names = {name: _joined(parts[-count:]) for name, parts in paths.items()}
        if len(set(names.values())) == len(names):
            return names
    return {
        name: f"{number}-{_joined(parts[-1:])}"
        for number, (name, parts) in enumerate(paths.items(), 1)
    }


def _joined(parts: tuple[str, ...]) -> str:
    return "-".join("".join(c if c.isalnum() or c in "._-" else "-" for c in p) for p in parts)
