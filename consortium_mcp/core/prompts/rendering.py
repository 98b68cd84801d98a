"""Load and render `prompts/*.md`: everything that a model is ever told stands in those files.

Text that a model or a user wrote goes in through `quote`, which fences it by a boundary nobody
could foresee and takes the meaning from anything that looks like a tag of ours.
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
    """The prompt of this name with its places filled. Values are never read as templates."""
    return _template(name).substitute(values)
