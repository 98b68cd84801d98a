"""Asks every llm plugin for its models, each in a thread of its own with a deadline.

For every lookup llm runs the hooks of all plugins again: one that raises fails the lookup, and one
that waits for a dead host hangs it. So the hooks run once here. A plugin that fails is named in the
snapshot, and the others are not affected.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import llm
import llm.plugins
from llm.models import ModelWithAliases

from consortium_mcp.adapters.models.failures import described
from consortium_mcp.adapters.models.keys import missing_for
from consortium_mcp.adapters.models.plugin_calls import PluginCall
from consortium_mcp.adapters.models.sdk_patches import patch_sdks
from consortium_mcp.adapters.models.snapshot import Entry, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_WAIT = 3.0
"""Seconds that one plugin may delay a snapshot. Some ask a server for the list of their models; a
list that comes later is in the next snapshot."""
_SNAPSHOT_LOCK = threading.Lock()
"""One snapshot at a time: plugins and calls that still run belong to the whole process."""


def take_snapshot(seconds: float = FIRST_WAIT) -> Snapshot:
    """Ask every plugin for its models; blocks for at most `seconds` per plugin."""
    with _SNAPSHOT_LOCK:
        return _build_snapshot(seconds)


def _build_snapshot(seconds: float) -> Snapshot:
    errors = _load_plugins(seconds)
    user_aliases = _user_aliases(errors)
    user_options = _user_options(errors)
    entries: dict[str, Entry] = {}
    names: dict[str, str] = {}
    keys: dict[tuple[str | None, str | None], str | None] = {}
    registered: list[ModelWithAliases] = []
    for hook in _model_hooks():
        provider = hook.provider
        found, error = _list_models(hook, list(registered), seconds)
        if error:
            errors[provider] = error
        registered += found
        for model in found:
            if getattr(model.model, "consortium_saved", False):
                continue  # ours: they are asked as consortiums, not through llm
            entry = _entry(model, provider, user_aliases, keys)
            options = user_options.get(entry.model_id, {})
            entries[entry.model_id] = replace(entry, options=options)
    patch_sdks()  # the plugins have imported their SDKs by now
    for entry in entries.values():
        names.update(dict.fromkeys(entry.aliases, entry.model_id))
    names.update({model_id: model_id for model_id in entries})
    aliases = {alias: model_id for model_id, own in user_aliases.items() for alias in own}
    return Snapshot(entries, names, aliases, _plugin_versions(), errors)


def _plugin_versions() -> dict[str, str]:
    """Every installed plugin's package -> its version, without the parts of llm itself."""
    return {
        distribution.metadata["name"]: distribution.version
        for _, distribution in llm.plugins.pm.list_plugin_distinfo()
    }


_IMPORTS: dict[str, PluginCall] = {}
_LISTINGS: dict[Callable[..., Any], Listing] = {}
"""Imports by plugin name, and listings by hook, that still run. They belong to the process, as
llm's plugin manager does."""


def _load_plugins(seconds: float) -> dict[str, str]:
    """Import every plugin. Block those that fail or take too long, and say why, by name."""
    errors: dict[str, str] = {}
    plugins = llm.plugins.pm
    if llm.plugins.LLM_LOAD_PLUGINS is None:
        for entry_point in metadata.entry_points(group="llm"):
            name = entry_point.name
            if plugins.has_plugin(name):
                continue
            if name not in _IMPORTS:
                _IMPORTS[name] = PluginCall(entry_point.load)
            attempt = _IMPORTS[name]
            if not attempt.ended_within(seconds):
                errors[name] = (
                    "is not imported yet: it takes long, and its models are missing for now"
                )
                plugins.set_blocked(name)
                continue
            del _IMPORTS[name]  # a failed import is tried again with the next snapshot
            if attempt.failure:
                errors[name] = attempt.failure
                plugins.set_blocked(name)
            else:
                plugins.unblock(name)
                plugins.load_setuptools_entrypoints("llm", name)
    try:
        llm.plugins.load_plugins()  # type: ignore[no-untyped-call]
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a plugin's code is foreign)
        errors["llm"] = described(error)
    return errors


def _user_aliases(errors: dict[str, str]) -> dict[str, list[str]]:
    """The user's own aliases: model id -> aliases."""
    aliases: dict[str, list[str]] = {}
    for alias, model_id in _user_file("aliases.json", errors).items():
        aliases.setdefault(str(model_id), []).append(alias)
    return aliases


def _user_options(errors: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What `llm models options set` has saved: model id -> options."""
    found = _user_file("model_options.json", errors)
    return {model_id: each for model_id, each in found.items() if isinstance(each, dict)}


def _user_file(name: str, errors: dict[str, str]) -> dict[str, Any]:
    """The object in a JSON file of llm's folder; empty where there is none."""
    path = llm.user_dir() / name  # type: ignore[no-untyped-call]
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        errors[name] = f"cannot be read: {error}"
        return {}
    if isinstance(found, dict):
        return found
    errors[name] = "cannot be read: it is no object"
    return {}


class ModelHook(NamedTuple):
    """One plugin's `register_models` hook."""

    provider: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    """The parameters that it takes, of those that llm offers."""


def _model_hooks() -> Iterator[ModelHook]:
    """Each plugin's `register_models` hook, in llm's order."""
    for hook in reversed(llm.plugins.pm.hook.register_models.get_hookimpls()):
        name = str(hook.plugin_name).removeprefix("llm.default_plugins.").removesuffix("_models")
        provider = name.removeprefix("llm_").removeprefix("llm-")
        yield ModelHook(provider, hook.function, tuple(hook.argnames))


class Listing:
    """A call of one plugin's `register_models`, and the models it has registered so far."""

    def __init__(self, hook: ModelHook, registered: list[ModelWithAliases]) -> None:
        self.found: list[ModelWithAliases] = []
        available = {"register": self._register, "model_aliases": registered}
        arguments = {name: available[name] for name in hook.arguments}
        self.attempt = PluginCall(lambda: hook.function(**arguments))

    def _register(self, model: Any, async_model: Any = None, aliases: Any = None) -> None:  # noqa: ANN401
        model.model_id  # noqa: B018 (as in llm: None is the plugin's fault and raises)
        self.found.append(ModelWithAliases(model, async_model, set(aliases or [])))


def _list_models(
    hook: ModelHook, registered: list[ModelWithAliases], seconds: float
) -> tuple[list[ModelWithAliases], str | None]:
    """The models that one hook registers in time, and what went wrong."""
    if hook.function not in _LISTINGS:
        _LISTINGS[hook.function] = Listing(hook, registered)
    listing = _LISTINGS[hook.function]
    if not listing.attempt.ended_within(seconds):
        return [], "has not listed its models yet: it takes long, and they are missing for now"
    del _LISTINGS[hook.function]
    return list(listing.found), listing.attempt.failure


def _entry(
    model: ModelWithAliases,
    provider: str,
    user_aliases: dict[str, list[str]],
    keys: dict[tuple[str | None, str | None], str | None],
) -> Entry:
    either = model.async_model or model.model
    aliases = [*model.aliases, *user_aliases.get(either.model_id, [])]
    return Entry(
        model_id=either.model_id,
        aliases=tuple(str(alias) for alias in aliases),
        provider=provider,
        sync_model=model.model,
        async_model=model.async_model,
        missing=missing_for(either, keys),
        demo=bool(getattr(either, "consortium_demo", False)),
    )
