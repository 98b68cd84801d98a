"""Until the package is published, nothing leads to a name that anybody could claim."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import CHECKOUT, ROOT

RELEASING = ROOT / "docs" / "releasing.md"
READ_BY_USERS = [
    *(each for each in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]) if each != RELEASING),
    *sorted(ROOT.glob("consortium_mcp/**/*.py")),
]
ONE_CLICK = (
    r"cursor\.com/\S*install-mcp",
    r"vscode\.dev/redirect/mcp",
    r"\b(?:cursor|vscode|vscode-insiders):(?://|mcp)",
)
FROM_AN_INDEX = (
    r"consortium-mcp\[",  # an extra can only be had by the name
    r"\b(?:pip|pipx|llm|uv tool|uv pip|uv) (?:install|add)(?: -\S+)* ['\"]?consortium-mcp\b",
    r"\buvx ['\"]?consortium-mcp\b",
    r"\"command\": \"uvx\",\s*\"args\": \[\s*\"consortium-mcp",
)


def leads_to_the_name(text: str) -> list[str]:
    """What in this text sends its reader to the unclaimed name."""
    patterns = (*ONE_CLICK, *FROM_AN_INDEX)
    return [found[0] for each in patterns for found in re.finditer(each, text)]


@CHECKOUT
def test_nothing_sends_a_user_to_the_unclaimed_name() -> None:
    found = {each.name: leads_to_the_name(each.read_text("utf-8")) for each in READ_BY_USERS}
    assert {name: said for name, said in found.items() if said} == {}, "see docs/releasing.md"


@pytest.mark.parametrize(
    "text",
    [
        "uvx 'consortium-mcp[gemini]'",
        "uvx consortium-mcp",
        "install consortium-mcp[mistral]",
        "llm install consortium-mcp",
        "uv tool install --force consortium-mcp",
        '{"command": "uvx", "args": ["consortium-mcp"]}',
        "[add](https://cursor.com/en/install-mcp?name=consortium)",
        "[add](https://vscode.dev/redirect/mcp/install?name=consortium)",
        "[add](vscode:mcp/install?%7B%7D)",
    ],
)
def test_what_would_send_a_user_there_is_recognised(text: str) -> None:
    assert leads_to_the_name(text)


def test_the_links_for_later_are_no_links_and_hold_the_server_that_is_said() -> None:
    page = RELEASING.read_text(encoding="utf-8")
    assert not any(link.startswith("https") for link in re.findall(r"\]\(([^)]+)\)", page))
    [said] = re.findall(r"hold the server `(.*?)`", page)
    [cursor, code] = [
        parse_qs(urlsplit(line).query) for line in page.splitlines() if line.startswith("https://")
    ]
    assert cursor["name"] == code["name"] == ["consortium"]
    assert json.loads(base64.b64decode(cursor["config"][0])) == json.loads(said)
    assert json.loads(code["config"][0]) == json.loads(said)
