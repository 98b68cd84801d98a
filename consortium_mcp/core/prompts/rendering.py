"""Loads and renders `prompts/templates/*.md`, which hold every text that models are told.

Text that a model or a user wrote is inserted through `quoting.quote`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from string import Template


@cache
def _template(name: str) -> Template:
    text = resources.files("consortium_mcp.core.prompts").joinpath(f"templates/{name}.md")
    return Template(text.read_text(encoding="utf-8").strip())


def render(name: str, /, **values: object) -> str:
    """Fill in the template of this name. Values are never read as templates."""
    return _template(name).substitute(values)
