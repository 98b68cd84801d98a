"""Asks every llm plugin for its models, each in a thread of its own with a deadline.

For every lookup llm runs the hooks of all plugins again: one that raises fails the lookup, and one
that waits for a dead host hangs it. So the hooks run once here. A plugin that fails is named in the
snapshot, and the others are not affected.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import llm
import llm.plugins
from llm.models import ModelWithAliases

from consortium_mcp.adapters.models.failures import described
from consortium_mcp.adapters.models.keys import readiness_of
from consortium_mcp.adapters.models.plugin_calls import PluginCall
from consortium_mcp.adapters.models.snapshot import SLOW_IMPORT, SLOW_LISTING, Entry, Snapshot
from consortium_mcp.adapters.wire.sdk_patches import patch_sdks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLUGIN_WAIT = 3.0
"""Seconds that all plugins together may delay a snapshot by importing, and again by listing their
models, for which some ask a server. What comes later is in the next snapshot."""
_SNAPSHOT_LOCK = threading.Lock()
"""One snapshot at a time: plugins and calls that still run belong to the whole process."""


def take_snapshot(seconds: float = PLUGIN_WAIT) -> Snapshot:
    """Ask every plugin for its models, all at once; see `PLUGIN_WAIT` for `seconds`."""
    with _SNAPSHOT_LOCK:
        return _build_snapshot(seconds)


def _build_snapshot(seconds: float) -> Snapshot:
    errors = _load_plugins(seconds)
    user_aliases = _user_aliases(errors)
    user_options = _user_options(errors)
    entries: dict[str, Entry] = {}
    names: dict[str, str] = {}
    keys: dict[tuple[str | None, str | None], str | None] = {}
    for provider, found in _list_all(errors, seconds):
        for model in found:
            if _is_consortium(model.model):
                continue
            entry = _entry(model, provider, user_aliases, keys, seconds)
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
        installed = metadata.entry_points(group="llm")
        wanted = [each for each in installed if not plugins.has_plugin(each.name)]
        for entry_point in wanted:
            if entry_point.name not in _IMPORTS:
                _IMPORTS[entry_point.name] = PluginCall(entry_point.load)
        deadline = time.monotonic() + seconds
        for name in dict.fromkeys(each.name for each in wanted):
            attempt = _IMPORTS[name]
            if not attempt.ended_within(deadline - time.monotonic()):
                errors[name] = SLOW_IMPORT
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


def _list_all(
    errors: dict[str, str], seconds: float
) -> Iterator[tuple[str, list[ModelWithAliases]]]:
    """Each provider's models.

    All hooks run at once, but for those that ask what is registered already: they run after.
    """
    hooks = list(_model_hooks())
    last = [hook for hook in hooks if "model_aliases" in hook.arguments]
    registered: list[ModelWithAliases] = []
    for several in ([hook for hook in hooks if hook not in last], last):
        for hook in several:
            if hook.function not in _LISTINGS:
                _LISTINGS[hook.function] = Listing(hook, list(registered))
        deadline = time.monotonic() + seconds
        for hook in several:
            found, error = _listed(hook, deadline - time.monotonic())
            if error:
                errors[hook.provider] = error
            registered += found
            yield hook.provider, found


def _listed(hook: ModelHook, seconds: float) -> tuple[list[ModelWithAliases], str | None]:
    """The models that one hook has registered in time, and what went wrong."""
    listing = _LISTINGS[hook.function]
    if not listing.attempt.ended_within(seconds):
        return [], SLOW_LISTING
    del _LISTINGS[hook.function]
    return list(listing.found), listing.attempt.failure


def _is_consortium(model: object) -> bool:
    """Whether a model is a saved consortium, ours or llm-consortium's.

    Ours are asked as consortiums and not through llm. Those of llm-consortium are none of our
    members: they hold the names that its consortiums get here when they are imported.
    """
    own = getattr(model, "consortium_saved", False)
    return own or type(model).__module__.partition(".")[0] == "llm_consortium"


def _entry(
    model: ModelWithAliases,
    provider: str,
    user_aliases: dict[str, list[str]],
    keys: dict[tuple[str | None, str | None], str | None],
    seconds: float,
) -> Entry:
    either = model.async_model or model.model
    aliases = [*model.aliases, *user_aliases.get(either.model_id, [])]
    provider = str(getattr(either, "consortium_provider", provider))
    note = getattr(either, "consortium_note", None)
    return Entry(
        model_id=either.model_id,
        aliases=tuple(str(alias) for alias in aliases),
        provider=provider,
        at_once=getattr(either, "consortium_at_once", None),
        note=note() if callable(note) else None,
        sync_model=model.model,
        async_model=model.async_model,
        readiness=readiness_of(either, provider, keys, seconds),
        demo=bool(getattr(either, "consortium_demo", False)),
    )
