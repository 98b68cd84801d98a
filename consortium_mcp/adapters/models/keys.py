"""Providers' keys: which model lacks one."""

from __future__ import annotations

from typing import Any, NamedTuple

import llm
import llm.plugins

from consortium_mcp.adapters.key_values import is_placeholder
from consortium_mcp.adapters.models.sign_ins import sign_in_of


class Readiness(NamedTuple):
    """Whether a model can be called: it can, it cannot because …, or that cannot be known."""

    missing: str | None = None
    """Why it cannot be called, with the remedy."""
    doubt: str | None = None
    """Why nobody can tell before it is called."""


_OWN_KEYS = {"cerebras": ("cerebras", "CEREBRAS_API_KEY")}
"""Providers whose plugins look a key up themselves: its name and variable in llm."""


def readiness_of(
    model: Any,  # noqa: ANN401 (llm's models share no public base)
    provider: str,
    keys: dict[tuple[str | None, str | None], str | None],
    seconds: float,
) -> Readiness:
    """What the model lacks: a key, or what its own `consortium_missing()` says.

    A model to which llm passes no key may find credentials of its own, as Bedrock's does.

    Args:
        model: llm's model.
        provider: the plugin that provides it.
        keys: caches what is missing for each key and its variable.
        seconds: how long an agent program is waited for, which is asked whether it is signed in.
    """
    if callable(asked := getattr(model, "consortium_readiness", None)):
        return Readiness(**asked(seconds))
    if callable(own := getattr(model, "consortium_missing", None)):
        return Readiness(str(reason) if (reason := own()) else None)
    if not model.needs_key or model.key:
        return Readiness() if model.key else _readiness_without_key(provider, seconds)
    name = (model.needs_key, model.key_env_var)
    if name not in keys:
        keys[name] = _missing_key(model)
    if keys[name] is None or isinstance(model, llm.KeyModel | llm.AsyncKeyModel):
        return Readiness(keys[name])
    return Readiness(doubt=f"llm has no key {model.needs_key!r}, but its plugin may need none")


def _readiness_without_key(provider: str, seconds: float) -> Readiness:
    """Of a model that names no key: it needs none, or its plugin looks for one by itself."""
    if provider in _OWN_KEYS:
        return Readiness(_missing_own_key(*_OWN_KEYS[provider]))
    return Readiness(**(sign_in_of(provider, seconds) or {}))


def _missing_own_key(name: str, variable: str) -> str | None:
    try:
        if key := llm.get_key("", name, variable):
            return _only_a_placeholder(name, key) if is_placeholder(key) else None
    except (OSError, ValueError) as error:
        return f"llm's key store cannot be read: {error}"
    return f"No key found - add one using 'llm keys set {name}' or set {variable}"


def _only_a_placeholder(name: str, key: str) -> str:
    shown = key.strip() or "blank"
    return (
        f"the key {name} is {shown!r}, which is only a placeholder: put the real one there, or run "
        f"`llm keys set {name}`"
    )


def _missing_key(model: Any) -> str | None:  # noqa: ANN401
    try:
        key = model.get_key()
        if isinstance(key, str) and is_placeholder(key):
            return _only_a_placeholder(model.needs_key, key)
    except llm.NeedsKeyException as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"llm's key store cannot be read: {error}"
    return None
