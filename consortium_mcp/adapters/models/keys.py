"""Providers' keys: which model lacks one, and how none gets into a text.

Also which keys only this shell's environment has, which a desktop client will not see.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import llm
import llm.plugins

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Snapshot


class Readiness(NamedTuple):
    """Whether a model can be called: it can, it cannot because …, or that cannot be known."""

    missing: str | None = None
    """Why it cannot be called, with the remedy."""
    doubt: str | None = None
    """Why nobody can tell before it is called."""


SIGN_IN_BY_THEMSELVES = frozenset(
    {
        "azure", "azure_ai_foundry", "bedrock_claude", "bedrock_llama", "claude_cli", "codex",
        "gemini_code_assist", "github_copilot", "vertex", "watsonx",
    }
)  # fmt: skip
"""Providers whose plugins name no key, but need an account (as those of autumn 2026 are)."""


def readiness_of(
    model: Any,  # noqa: ANN401 (llm's models share no public base)
    provider: str,
    keys: dict[tuple[str | None, str | None], str | None],
) -> Readiness:
    """What the model lacks: a key, or what its own `consortium_missing()` says.

    A model to which llm passes no key may find credentials of its own, as Bedrock's does.

    Args:
        model: llm's model.
        provider: the plugin that provides it.
        keys: caches what is missing for each key and its variable.
    """
    if callable(own := getattr(model, "consortium_missing", None)):
        return Readiness(str(reason) if (reason := own()) else None)
    if not model.needs_key and provider.replace("-", "_") in SIGN_IN_BY_THEMSELVES:
        return Readiness(doubt="its plugin signs in by itself, and llm does not know whether")
    if not model.needs_key or model.key:
        return Readiness()
    name = (model.needs_key, model.key_env_var)
    if name not in keys:
        keys[name] = _missing_key(model)
    if keys[name] is None or isinstance(model, llm.KeyModel | llm.AsyncKeyModel):
        return Readiness(keys[name])
    return Readiness(doubt=f"llm has no key {model.needs_key!r}, but its plugin may need none")


def _missing_key(model: Any) -> str | None:  # noqa: ANN401
    try:
        model.get_key()
    except llm.NeedsKeyException as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"llm's key store cannot be read: {error}"
    return None


def keys_of_this_shell(snapshot: Snapshot) -> dict[str, str]:
    """Keys that are in the environment but not in llm's key store: name -> variable."""
    try:
        stored = llm.load_keys()  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        stored = {}  # `missing_for` says so for each model
    found = {}
    for entry in snapshot.entries.values():
        model = entry.async_model or entry.sync_model
        name, variable = model.needs_key, model.key_env_var
        if name and variable and variable in os.environ and name not in stored:
            found[name] = variable
    return found


# Blanking
BLANKED = "[key]"
_SHORTEST = 8
"""Characters of the shortest value that is a key: a shorter one may be a common word."""
_VARIABLE = re.compile(r"(?:API|ACCESS|SECRET|AUTH)_?KEY|_KEY$|_TOKEN$|SECRET|PASSWORD")
_NO_SECRET = re.compile(r"[A-Z][A-Z0-9_]*|[a-z]{1,12}|[0-9]{1,12}")
"""Placeholders such as `none`, `test` or another variable's name."""
# Text that begins like a provider's key, and whatever follows a word that announces a key.
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|pplx|cpk|csk|AIza|AQ\.|Bearer|Token)[-_ ]?(?=[^\s]*[0-9*])"
    r"[A-Za-z0-9_\-.*]{12,}"
    r"|(?<=key)[\"'=:\s]{1,4}(?=[^\s]*[0-9*])[A-Za-z0-9_\-.*]{8,}"
    r"|(?<=token)[\"'=:\s]{1,4}(?=[^\s]*[0-9*])[A-Za-z0-9_\-.*]{16,}",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with each key blanked, in whole and in its parts where it has a line break."""
    for value in _secrets():
        if value in text:
            text = text.replace(value, BLANKED)
    return _KEY_LIKE.sub(f" {BLANKED}", text)


def _secrets() -> tuple[str, ...]:
    """Every key in llm's store and the environment, the longest first."""
    path = Path(llm.user_dir()) / "keys.json"  # type: ignore[no-untyped-call]
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = None
    named = (value for name, value in os.environ.items() if _VARIABLE.search(name))
    return _known(changed, str(path), tuple(named))


@lru_cache(maxsize=4)
def _known(_changed: int | None, path: str, variables: tuple[str, ...]) -> tuple[str, ...]:
    values = {str(value) for value in (*_stored(path), *variables)}
    parts = {part for value in values for part in (value, value.strip(), *value.split())}
    secret = (p for p in parts if len(p) >= _SHORTEST and not _NO_SECRET.fullmatch(p))
    return tuple(sorted(secret, key=len, reverse=True))


def _stored(path: str) -> tuple[object, ...]:
    if not Path(path).exists():
        return ()
    try:
        return tuple(llm.load_keys().values())  # type: ignore[no-untyped-call]
    except (OSError, ValueError, AttributeError):
        return ()  # `keys.missing_for` says so
