"""What the documents quote of the software itself is what it says today.

`UPDATE_DOCS=1 uv run pytest tests/test_docs.py` writes the quotations anew.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from consortium_mcp.frontends.cli import main
from consortium_mcp.frontends.llm_commands import consortium
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = sorted(ROOT.glob("docs/*.md"))


def _paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """A command and all below it, by the names that lead to them."""
    yield path
    if isinstance(command, click.Group):
        for name, child in sorted(command.commands.items()):
            yield from _paths(child, (*path, name))


def _help(top: str, command: click.Command, path: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(
        command,
        [*path, "--help"],
        prog_name=top,
        env={"COLUMNS": "100"},
        terminal_width=100,
    )
    assert shown.exit_code == 0, shown.output
    return shown.output.strip()


def _check(path: Path, expected: str) -> None:
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(expected, encoding="utf-8")
    found = path.read_text(encoding="utf-8")
    assert found == expected, f"{path.name} is out of date: UPDATE_DOCS=1 writes it anew"


def test_the_commands_are_documented_as_they_are() -> None:
    parts = [
        "# Commands",
        (
            "The help texts of every command, written by `tests/test_docs.py`. `llm consortium` is "
            "there wherever this package is installed beside llm."
        ),
    ]
    tops = (("llm consortium", consortium), ("consortium-mcp", main))
    for top, command in tops:
        for path in _paths(command):
            shown = _help(top, command, path)
            parts += [f"## {' '.join([top, *path])}", f"```text\n{shown}\n```"]
    _check(ROOT / "docs" / "commands.md", "\n\n".join(parts) + "\n")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_in_the_documents_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (path.parent / target).exists(), target
