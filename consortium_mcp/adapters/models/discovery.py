"""Ask every llm plugin for its models, each on its own, in a thread with a deadline.

llm looks models up by running all plugins' hooks again, every time; one that raises fails every
lookup, and one that waits for a dead host hangs it. So the hooks run once; what fails is named in
the snapshot, and nothing else suffers.
"""

from __future__ import annotations

import json
import threading
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
"""Seconds that one plugin may hold up a snapshot. Some ask a server for the list of their models;
what comes later stands in the next snapshot."""
_ONE_AT_A_TIME = threading.Lock()
"""Plugins, and what is on its way, belong to the whole process, whoever asks."""


def take_snapshot(seconds: float = FIRST_WAIT) -> Snapshot:
    """Ask every plugin for its models; blocks for at most so many seconds a plugin."""
    with _ONE_AT_A_TIME:
        return _taken(seconds)


def _taken(seconds: float) -> Snapshot:
    errors = _load_plugins(seconds)
    extra = _configured_aliases(errors)
    entries: dict[str, Entry] = {}
    names: dict[str, str] = {}
    keys: dict[tuple[str | None, str | None], str | None] = {}
    taken: list[ModelWithAliases] = []
    for hook in _model_hooks():
        provider = hook.provider
        found, error = _listed(hook, list(taken), seconds)
        if error:
            errors[provider] = error
        taken += found
        for model in found:
            if getattr(model.model, "consortium_saved", False):
                continue  # ours: they are asked as consortiums, not through llm
            entry = _entry(model, provider, extra, keys)
            entries[entry.model_id] = entry
    patch_sdks()  # the plugins have imported their SDKs by now
    for entry in entries.values():
        names.update(dict.fromkeys(entry.aliases, entry.model_id))
    names.update({model_id: model_id for model_id in entries})
    aliases = {alias: model_id for model_id, own in extra.items() for alias in own}
    return Snapshot(entries, names, aliases, _versions(), errors)


def _versions() -> dict[str, str]:
    """Every installed plugin's package -> its version; llm's own parts are none."""
    return {
        distribution.metadata["name"]: distribution.version
        for _, distribution in llm.plugins.pm.list_plugin_distinfo()
    }


_IMPORTS: dict[str, PluginCall] = {}
_LISTINGS: dict[Callable[..., Any], Listing] = {}
"""What is on its way in this process, by a plugin's name and by its hook; as process-wide as llm's
own plugin manager."""


def _load_plugins(seconds: float) -> dict[str, str]:
    """Import every plugin. One that fails, or is not done yet, is blocked and named."""
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
            if not attempt.is_over(seconds):
                errors[name] = (
                    "is not imported yet: it takes long, and its models are missing for now"
                )
                plugins.set_blocked(name)
                continue
            del _IMPORTS[name]  # a failed import is tried anew with the next snapshot
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


def _configured_aliases(errors: dict[str, str]) -> dict[str, list[str]]:
    """The user's own aliases, model id -> aliases."""
    path = llm.user_dir() / "aliases.json"  # type: ignore[no-untyped-call]
    aliases: dict[str, list[str]] = {}
    if path.exists():
        try:
            for alias, model_id in json.loads(path.read_text(encoding="utf-8")).items():
                aliases.setdefault(model_id, []).append(alias)
        except (OSError, ValueError, AttributeError) as error:
            errors["aliases.json"] = f"cannot be read: {error}"
    return aliases


class ModelHook(NamedTuple):
    """A plugin's `register_models`."""

    provider: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    """What it asks for of what llm offers."""


def _model_hooks() -> Iterator[ModelHook]:
    """Each plugin's `register_models`, in llm's own order."""
    for hook in reversed(llm.plugins.pm.hook.register_models.get_hookimpls()):
        name = str(hook.plugin_name).removeprefix("llm.default_plugins.").removesuffix("_models")
        provider = name.removeprefix("llm_").removeprefix("llm-")
        yield ModelHook(provider, hook.function, tuple(hook.argnames))


class Listing:
    """One plugin's `register_models` on its way, and what it has registered so far."""

    def __init__(self, hook: ModelHook, taken: list[ModelWithAliases]) -> None:
        self.found: list[ModelWithAliases] = []
        offered = {"register": self._register, "model_aliases": taken}
        given = {name: offered[name] for name in hook.arguments}
        self.attempt = PluginCall(lambda: hook.function(**given))

    def _register(self, model: Any, async_model: Any = None, aliases: Any = None) -> None:  # noqa: ANN401
        model.model_id  # noqa: B018 (as in llm: None is the plugin's fault and raises)
        self.found.append(ModelWithAliases(model, async_model, set(aliases or [])))


def _listed(
    hook: ModelHook, taken: list[ModelWithAliases], seconds: float
) -> tuple[list[ModelWithAliases], str | None]:
    """What one hook registers within its time, and what went wrong."""
    if hook.function not in _LISTINGS:
        _LISTINGS[hook.function] = Listing(hook, taken)
    listing = _LISTINGS[hook.function]
    if not listing.attempt.is_over(seconds):
        return [], "has not listed its models yet: it takes long, and they are missing for now"
    del _LISTINGS[hook.function]
    return list(listing.found), listing.attempt.failure


def _entry(
    model: ModelWithAliases,
    provider: str,
    extra: dict[str, list[str]],
    keys: dict[tuple[str | None, str | None], str | None],
) -> Entry:
    either = model.async_model or model.model
    aliases = [*model.aliases, *extra.get(either.model_id, [])]
    return Entry(
        model_id=either.model_id,
        aliases=tuple(str(alias) for alias in aliases),
        provider=provider,
        sync_model=model.model,
        async_model=model.async_model,
        missing=missing_for(either, keys),
        demo=bool(getattr(either, "consortium_demo", False)),
    )
