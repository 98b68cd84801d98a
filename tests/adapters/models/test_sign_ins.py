"""Whether somebody is signed in for a plugin that uses another program's sign-in."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.agents.sign_in import forget
from consortium_mcp.adapters.models.failures import member_error
from consortium_mcp.adapters.models.sign_ins import sign_in_of
from tests.support.fake_agent import installed

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

PROVIDERS = ("codex", "claude-cli", "gemini_code_assist", "github_copilot")


@pytest.fixture
def home(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing is installed and nobody signed in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LLM_USER_PATH", str(settings.user_dir))
    for name in ("CODEX_HOME", "LLM_OPENAI_CODEX_AUTH_FILE", "GH_COPILOT_TOKEN",
                 "GITHUB_COPILOT_TOKEN", "GITHUB_COPILOT_API_KEY_FILE", "ANTHROPIC_API_KEY",
                 "ANTHROPIC_AUTH_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    forget()
    return tmp_path


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_where_nothing_is_installed_it_is_not_ready(provider: str) -> None:
    found = sign_in_of(provider, seconds=60)
    assert found is not None
    assert found["missing"]


SIGN_INS = [
    ("codex", ".codex/auth.json", {"tokens": {"access_token": "made-up"}}),
    ("codex", "llm/auth-codex.json", {"tokens": {"access_token": "made-up"}}),
    ("gemini_code_assist", ".gemini/oauth_creds.json", {"access_token": "made-up"}),
    ("gemini_code_assist", "llm/gemini-code-assist/oauth_creds.json", {"access_token": "x"}),
    ("github_copilot", "llm/keys.json", {"github_copilot_access_token": "made-up"}),
    ("github_copilot", "llm/github_copilot_api_key.json",
     {"token": "x", "expires_at": time.time() + 9_000}),
]  # fmt: skip
NOT_SIGNED_IN: list[tuple[str, str, object]] = [
    ("codex", ".codex/auth.json", {"OPENAI_API_KEY": "made-up"}),
    ("codex", ".codex/auth.json", ["not an object"]),
    ("gemini_code_assist", ".gemini/oauth_creds.json", {}),
    ("github_copilot", "llm/github_copilot_api_key.json", {"token": "x", "expires_at": 5}),
    ("github_copilot", "llm/github_copilot_api_key.json", {"token": "x", "expires_at": "soon"}),
]


@pytest.mark.parametrize(
    ("provider", "file", "content", "is_signed_in"),
    [*((*each, True) for each in SIGN_INS), *((*each, False) for each in NOT_SIGNED_IN)],
)
def test_a_sign_in_is_seen_in_its_file(  # noqa: PLR0917 (a row of the table)
    home: Path,
    settings: Settings,
    provider: str,
    file: str,
    content: object,
    is_signed_in: bool,  # noqa: FBT001
) -> None:
    inside = file.removeprefix("llm/")
    path = (home if inside == file else settings.user_dir) / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    found = sign_in_of(provider, seconds=60)
    assert (found == {}) is is_signed_in
    assert is_signed_in or "run `llm " in str(found)


@pytest.mark.skipif(sys.platform == "win32", reason="the fake program is a script")
def test_claude_is_asked_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(home / "bin", "claude")
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}/usr/bin:/bin")
    assert "run `claude`" in str(sign_in_of("claude-cli", seconds=60))
    (home / "bin" / "signed-in").touch()
    forget()
    assert sign_in_of("claude-cli", seconds=60) == {}


def test_of_others_it_cannot_be_known_or_is_not_asked() -> None:
    assert "doubt" in (sign_in_of("bedrock-claude", seconds=0) or {})
    assert sign_in_of("openai", seconds=0) is None


class BorrowKeyError(Exception):
    """As llm-openai-codex has it."""


@pytest.mark.parametrize(
    "said",
    [
        "No llm-openai-codex auth found. Run `llm codex login`.",
        "No access_token found in credentials. Please reauthenticate using: llm gemini-ca auth",
        "Claude Code CLI not found. Please install it",
        "GitHub Copilot authentication required. Run 'llm github_copilot auth login' first.",
    ],
)
def test_what_they_say_without_a_sign_in_is_a_missing_key(said: str) -> None:
    failure = member_error(BorrowKeyError(said))
    assert (failure.kind, failure.permanent, str(failure)) == ("key", True, said)
