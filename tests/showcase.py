"""Makes the README's pictures from real runs: python tests/showcase.py"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from emu import Run, run
from emu.report import charts, terminal
from emu.report.html import page
from emu.report.palette import ERROR, ROLES
from emu.scenario.load import from_text, shipped

PICTURES = Path(__file__).parent.parent / ".pictures"

_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect fill="#1b1f24" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})"
  clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def fragmented() -> Run:
    """Half of the heap is free, and nothing in it is large enough."""
    lines = [f"a{number} = malloc {1480 + number % 2 * 40}" for number in range(80)]
    lines += [f"free a{number}" for number in range(0, 80, 2)]
    lines += ["last = malloc 8K"]
    lines += [f"b{number} = malloc 1500" for number in range(16)]
    return run(from_text("\n".join(lines), "fragmented.heap"))


def terminal_picture(done: Run) -> str:
    """What `emu run` shows, in colour."""
    console = Console(
        record=True, width=96, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    terminal.show(done, console)
    return console.export_svg(title="", code_format=_SVG, unique_id="emu")


def scattered() -> Run:
    """Free blocks of five sizes, none beside another, on the allocator with an index."""
    sizes = [16 + number * 7 % 5 * 24 for number in range(36)]
    lines = [f"a{n} = malloc {size}\nk{n} = malloc 8" for n, size in enumerate(sizes)]
    lines += [f"free a{number * 11 % 36}" for number in range(20)]
    return run(from_text("\n".join(lines), "scattered.heap"), "indexed")


def index_picture(done: Run) -> str:
    """The heap at the end, and the trees over its free blocks, as a page has them."""
    drawn = re.search(r'<svg role="img".*?</svg>', page(done), re.DOTALL)
    assert drawn
    colours = "".join(f".{role.name} {{ fill: {role.colour} }}" for role in ROLES.values())
    edge = f".edge {{ fill: none; stroke: {ERROR.colour}; vector-effect: non-scaling-stroke }}"
    size = 'xmlns="http://www.w3.org/2000/svg" width="860" style="height'
    text = drawn[0].replace('style="height', size, 1)
    return text.replace(">", f"><style>{colours}{edge}</style>", 1) + "\n"


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    (reuse,) = shipped(["reuse"])
    done = run(from_text(reuse.read_text(), "reuse.heap"))
    (PICTURES / "terminal.svg").write_text(terminal_picture(done))
    chart = charts.heap_over_time(fragmented()).properties(width=860, height=360)
    chart.save(PICTURES / "heap-over-time.svg")
    (PICTURES / "index.svg").write_text(index_picture(scattered()))


if __name__ == "__main__":
    main()
