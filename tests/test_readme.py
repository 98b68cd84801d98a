"""The README: short, and beginning with the two commands that show and try everything."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.support.document_commands import blocks

README = ROOT / "README.md"


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert README.read_text(encoding="utf-8").count("\n") < 120
    assert next(blocks(README)).commands == [
        "pip install uv && uv run --extra local consortium-mcp demo",
        "uv run pytest",
    ]
