"""Whether somebody is signed in where a plugin uses another program's sign-in.

Seen from files, variables and `claude auth status` alone, which cost nothing; the plugins as they
are in autumn 2026.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm

from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.sign_in import signed_in
from consortium_mcp.adapters.key_values import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "its plugin signs in by itself, and llm does not know whether"


def sign_in_of(provider: str, seconds: float) -> dict[str, str] | None:
    """What is `missing` or in `doubt`, empty if somebody is signed in; `None` for other providers.

    Args:
        provider: the plugin's name.
        seconds: how long a program is waited for.
    """
    name = provider.replace("-", "_")
    if name in _CANNOT_BE_SEEN:
        return {"doubt": UNKNOWN}
    return _SEEN[name](seconds) if name in _SEEN else None


_CANNOT_BE_SEEN = frozenset(
    {"azure", "azure_ai_foundry", "bedrock_claude", "bedrock_llama", "vertex", "watsonx"}
)
"""Providers whose plugins name no key, but need an account."""


def _codex(_seconds: float) -> dict[str, str]:
    """llm-openai-codex: a file of its own, else that of the program `codex`."""
    own = os.environ.get("LLM_OPENAI_CODEX_AUTH_FILE")
    home = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
    files = (Path(own) if own else _user_dir() / "auth-codex.json", home / "auth.json")
    found = next((each for each in files if each.exists()), None)
    content = _json(found)
    tokens = content.get("tokens")
    if isinstance(tokens, dict) and tokens.get("access_token"):
        return {}
    return _nobody("llm codex login")


def _claude_cli(seconds: float) -> dict[str, str]:
    """llm-claude-cli: the program `claude`, which it finds on the PATH alone."""
    if shutil.which("claude") is None:
        return {"missing": "the program claude is not on the PATH"}
    state = signed_in(Claude(), seconds)
    return {"yes": {}, "no": _nobody("claude"), "unknown": {"doubt": UNKNOWN}}[state]


def _gemini_code_assist(_seconds: float) -> dict[str, str]:
    """llm-gemini-code-assist: a file of its own, else that of the program `gemini`."""
    own = _user_dir() / "gemini-code-assist" / "oauth_creds.json"
    theirs = Path.home() / ".gemini" / "oauth_creds.json"
    is_there = any(_json(each).get("access_token") for each in (own, theirs))
    return {} if is_there else _nobody("llm gemini-ca auth")


def _github_copilot(_seconds: float) -> dict[str, str]:
    """llm-github-copilot: a variable, a key in llm's store, or a token that has not expired."""
    tokens = (os.environ.get(each, "") for each in ("GH_COPILOT_TOKEN", "GITHUB_COPILOT_TOKEN"))
    if not all(map(is_placeholder, tokens)):
        return {}
    name = os.environ.get("GITHUB_COPILOT_API_KEY_FILE", "github_copilot_api_key.json")
    token = _json(_user_dir() / name)
    expires = token.get("expires_at")
    if token.get("token") and isinstance(expires, (int, float)) and expires > time.time():
        return {}
    if _json(_user_dir() / "keys.json").get("github_copilot_access_token"):
        return {}
    return _nobody("llm github_copilot auth login")


_SEEN: dict[str, Callable[[float], dict[str, str]]] = {
    "codex": _codex,
    "claude_cli": _claude_cli,
    "gemini_code_assist": _gemini_code_assist,
    "github_copilot": _github_copilot,
}


def _nobody(command: str) -> dict[str, str]:
    return {"missing": f"nobody is signed in: run `{command}`"}


def _user_dir() -> Path:
    return Path(llm.user_dir())  # type: ignore[no-untyped-call]


def _json(path: Path | None) -> dict[str, Any]:
    """The object in the file; empty where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
