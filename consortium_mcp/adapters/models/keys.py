"""Providers' keys: which model lacks one, and which keys only this shell's environment has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import llm
import llm.plugins

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Snapshot


def missing_for(
    model: Any,  # noqa: ANN401 (llm's models share no public base)
    keys: dict[tuple[str | None, str | None], str | None],
) -> str | None:
    """What the model lacks: a key, or what its own `consortium_missing()` says.

    `keys` caches the answer for each key and its variable.
    """
    if callable(own := getattr(model, "consortium_missing", None)):
        return str(reason) if (reason := own()) else None
    if not model.needs_key or model.key:
        return None
    name = (model.needs_key, model.key_env_var)
    if name not in keys:
        try:
            model.get_key()
            keys[name] = None
        except llm.NeedsKeyException as error:
            keys[name] = str(error)
        except (OSError, ValueError) as error:
            keys[name] = f"llm's key store cannot be read: {error}"
    return keys[name]


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
