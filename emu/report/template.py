"""The templates of pages: HTML that fetches nothing, filled in by Jinja."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emu.report.charts import needed


def template(name: str, filters: Mapping[str, Any]) -> Any:
    """A file of emu/report/templates. InputError where the extra `report` is not installed."""
    jinja2 = needed("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emu.report"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= filters
    return environment.get_template(name)
