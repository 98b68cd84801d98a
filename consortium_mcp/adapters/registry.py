"""The only finder of models: one snapshot of every llm plugin's models.

llm looks models up by running all plugins' hooks again, every time; one that raises fails every
lookup, and one that waits for a dead host hangs it. So the hooks run once, each on its own in a
thread with a deadline; what fails is named in the snapshot, and nothing else suffers.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import anyio.to_thread
import llm
import llm.plugins
from llm.models import ModelWithAliases

from consortium_mcp.adapters.attempts import Attempt
from consortium_mcp.adapters.failures import described
from consortium_mcp.adapters.sdk_tuning import tune
from consortium_mcp.core.errors import UnknownModel
from consortium_mcp.core.panel import unknown_model_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FIRST_WAIT = 3.0
"""Seconds that one plugin may hold up a snapshot. Some ask a server for the list of their models;
what comes later stands in the next snapshot."""

PLUGIN_FOR = {
    "claude": "llm-anthropic (consortium-mcp[anthropic])",
    "anthropic/": "llm-anthropic (consortium-mcp[anthropic])",
    "gemini": "llm-gemini (consortium-mcp[gemini])",
    "mistral": "llm-mistral (consortium-mcp[mistral])",
    "openrouter/": "llm-openrouter (consortium-mcp[openrouter])",
    "grok": "the plugin llm-grok",
    "deepseek": "the plugin llm-deepseek",
    "groq/": "the plugin llm-groq",
    "smollm2": "consortium-mcp[local]",
}
"""What brings ids that begin so; for the hint when such an id is unknown."""


@dataclass(frozen=True)
class Entry:
    """One model that llm knows."""

    model_id: str
    aliases: tuple[str, ...]
    provider: str
    """The plugin that brings it: `openai`, `anthropic`, …"""
    sync_model: llm.Model | llm.KeyModel
    async_model: llm.AsyncModel | llm.AsyncKeyModel | None
    missing: str | None
    """What stands between the user and a call, with the remedy; `None` when it is ready."""
    demo: bool = False
    """Too small to weigh arguments; see the local models."""

    @property
    def ready(self) -> bool:
        """Whether it can be called."""
        return self.missing is None


@dataclass(frozen=True)
class Snapshot:
    """Every model at one moment."""

    entries: dict[str, Entry]
    """By model id."""
    names: dict[str, str]
    """Every id and alias -> model id."""
    aliases: dict[str, str] = field(default_factory=dict)
    """The user's own aliases in llm -> the ids they mean, models or not."""
    plugins: dict[str, str] = field(default_factory=dict)
    """Every installed plugin's package -> its version."""
    plugin_errors: dict[str, str] = field(default_factory=dict)
    """Plugins that failed -> why."""

    def find(self, name: str, others: Iterable[str] = ()) -> Entry:
        """The model of this id or alias.

        Args:
            name: the id or alias.
            others: names of what is no model, which may come close as well.

        Raises:
            UnknownModel: there is none; the message has the closest ids, the plugin that may be
                missing, and the plugins that failed.
        """
        if name in self.names:
            return self.entries[self.names[name]]
        message = unknown_model_message(name, [*self.names, *others])
        for beginning, plugin in PLUGIN_FOR.items():
            if name.startswith(beginning):
                message += f" Ids like this come with {plugin}: install it where this runs."
                break
        if self.plugin_errors:
            message += f" These plugins failed to load: {', '.join(self.plugin_errors)}."
        raise UnknownModel(message)


class Registry:
    """Builds the snapshot once, in a thread, and again when told to."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        """What was found last, if anything was looked for."""
        self._lock = anyio.Lock()

    async def snapshot(self, *, refresh: bool = False) -> Snapshot:
        """Every model llm knows.

        Args:
            refresh: ask the plugins again, because a key or a plugin may have come.
        """
        async with self._lock:
            if self.latest is None or refresh:
                self.latest = await anyio.to_thread.run_sync(take_snapshot)
            return self.latest


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
    tune()  # the plugins have imported their SDKs by now
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


_IMPORTS: dict[str, Attempt] = {}
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
                _IMPORTS[name] = Attempt(entry_point.load)
            attempt = _IMPORTS[name]
            if not attempt.is_over(seconds):
                errors[name] = "is not imported yet, for it takes long; its models are missing"
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
        self.attempt = Attempt(lambda: hook.function(**given))

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
        return [], "has not listed its models yet, for it takes long; they are missing"
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
        missing=_missing(either, keys),
        demo=bool(getattr(either, "consortium_demo", False)),
    )


def _missing(
    model: Any,  # noqa: ANN401 (llm's models share no public base)
    keys: dict[tuple[str | None, str | None], str | None],
) -> str | None:
    """What the model lacks: a key, or what its own `consortium_missing()` says."""
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
    """Names of keys that only the environment has -> the variables; llm's key store lacks them."""
    try:
        stored = llm.load_keys()  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        stored = {}  # what `_missing` says of each model
    found = {}
    for entry in snapshot.entries.values():
        model = entry.async_model or entry.sync_model
        name, variable = model.needs_key, model.key_env_var
        if name and variable and variable in os.environ and name not in stored:
            found[name] = variable
    return found
