"""What the documents say of the software itself is what it does today.

`UPDATE_DOCS=1 uv run pytest tests/test_docs.py` writes their quotations anew.
"""

from __future__ import annotations

import inspect
import os
import re
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters import settings as environment
from consortium_mcp.adapters import team_settings
from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.request import SETTINGS
from tests.conftest import CHECKOUT, ROOT
from tests.support import documented

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

DOCUMENTS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")])


def _check(path: Path, expected: str) -> None:
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(expected, encoding="utf-8")
    found = path.read_text(encoding="utf-8")
    assert found == expected, f"{path.name} is out of date: UPDATE_DOCS=1 writes it anew"


@CHECKOUT
def test_the_commands_are_documented_as_they_are() -> None:
    _check(ROOT / "docs" / "commands.md", documented.commands())


@pytest.mark.anyio
async def test_the_tools_are_documented_as_they_are(settings: Settings) -> None:
    _check(ROOT / "docs" / "tools.md", await documented.tools(settings))


@CHECKOUT
def test_the_settings_are_documented_as_they_are() -> None:
    _check(ROOT / "docs" / "settings.md", documented.settings_table())


OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_every_variable_that_is_read_is_documented() -> None:
    source = inspect.getsource(environment) + inspect.getsource(team_settings)
    read = set(re.findall(r'"((?:CONSORTIUM|LLM)_[A-Z_]+)"', source))
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATING, re.MULTILINE)) == read


def test_a_request_and_a_configuration_have_the_same_settings() -> None:
    """What can be asked for is what a consortium has; its members are asked for as `models`."""
    resolved = set(ConsortiumConfig.model_fields) - {"name", "members", "json_schema"}
    assert SETTINGS.keys() - {"models", "schema"} == resolved


@CHECKOUT
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_in_the_documents_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|cursor:|vscode:)([^)#]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
