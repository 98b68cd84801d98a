"""Every model that llm knows at one moment, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import llm

from consortium_mcp.adapters.installation import LOCAL_ENGINE, how_to_add, is_installed
from consortium_mcp.adapters.models.keys import Readiness
from consortium_mcp.core.domain.errors import UnknownModel
from consortium_mcp.core.panel.known_models import LOCAL_SERVERS
from consortium_mcp.core.panel.member_syntax import unknown_model_message

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE_FOR = {
    "claude": "llm-anthropic",
    "anthropic/": "llm-anthropic",
    "gemini": "llm-gemini",
    "mistral": "llm-mistral",
    "openrouter/": "llm-openrouter",
    "grok": "llm-grok",
    "deepseek": "llm-deepseek",
    "groq/": "llm-groq",
    "smollm2": LOCAL_ENGINE,
}
"""The beginning of an id -> the package that brings it; a hint for when the id is unknown."""


IN_PROCESS = frozenset(
    {"gguf", "gpt4all", "llama_cpp", "llamafile", "mlx", "mlx_llm", "mlc", "smollm2", "onnx"}
)
"""Providers whose plugins load a model into this process."""


DROPS_SYSTEM = frozenset({"cerebras", "replicate"})
"""Providers whose plugins ignore the system prompt (llm-cerebras 0.1.8, llm-replicate 0.3.1)."""


SLOW_IMPORT = "it is slow to load; it is installed, and its models are missing for now"
SLOW_LISTING = "it is slow to list its models; they are missing for now"


_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104 (compared with, not listened on)


@dataclass(frozen=True)
class Entry:
    """One model that llm knows."""

    model_id: str
    aliases: tuple[str, ...]
    provider: str
    """The plugin that provides it: `openai`, `anthropic`, …"""
    sync_model: llm.Model | llm.KeyModel
    async_model: llm.AsyncModel | llm.AsyncKeyModel | None
    readiness: Readiness
    options: dict[str, Any] = field(default_factory=dict)
    """What the user has set with `llm models options set`; a question's own options go before."""
    at_once: int | None = None
    """The most calls of its provider at the same time, where the model itself says so."""
    note: str | None = None
    """What a plan should say of it."""
    demo: bool = False
    """Too small to weigh arguments; see the local models."""

    @property
    def is_local(self) -> bool:
        """Whether it computes in this process, where one call at a time must do."""
        return self.demo or self.provider in IN_PROCESS

    @property
    def served_nearby(self) -> bool:
        """Whether a server on the user's own machine offers it."""
        host = urlsplit(self.api_base or "").hostname
        return self.provider in LOCAL_SERVERS or host in _THIS_MACHINE

    @property
    def api_base(self) -> str | None:
        """The address that it is asked at, where its user has set one."""
        model: Any = self.async_model or self.sync_model
        return str(base) if (base := getattr(model, "api_base", None)) else None

    @property
    def attachment_types(self) -> frozenset[str]:
        """The MIME types of files that it takes."""
        model: Any = self.async_model or self.sync_model
        return frozenset(getattr(model, "attachment_types", None) or ())

    @property
    def supports_tools(self) -> bool:
        """Whether it may be given tools; a model that is only sync may not."""
        model: Any = self.async_model
        return model is not None and bool(getattr(model, "supports_tools", False))

    @property
    def is_paid(self) -> bool:
        """Whether its calls may cost money, so that a price is looked for."""
        return not self.is_local and not self.served_nearby

    @property
    def drops_system(self) -> bool:
        """Whether its plugin leaves the system prompt out, so that it must go into the prompt."""
        return self.provider in DROPS_SYSTEM

    @property
    def option_names(self) -> frozenset[str]:
        """The options that it has, by llm's names."""
        model: Any = self.async_model or self.sync_model
        return frozenset(model.Options.model_fields)

    @property
    def needs_key(self) -> bool:
        """Whether its provider wants a key."""
        model: Any = self.async_model or self.sync_model
        return bool(model.needs_key)

    @property
    def key_name(self) -> str | None:
        """The name in llm of the key that a call may bring along; `None` where none may."""
        model: Any = self.async_model or self.sync_model
        if not isinstance(model, llm.KeyModel | llm.AsyncKeyModel) or model.key:
            return None
        return model.needs_key or None

    @property
    def missing(self) -> str | None:
        """Why it cannot be called yet, with the remedy; `None` where it can, or may."""
        return self.readiness.missing

    @property
    def ready(self) -> bool:
        """Whether it is known that it can be called."""
        return self.readiness == Readiness()


@dataclass(frozen=True)
class Snapshot:
    """Every model at one moment."""

    entries: dict[str, Entry]
    """By model id."""
    names: dict[str, str]
    """Every id and alias -> model id."""
    aliases: dict[str, str] = field(default_factory=dict)
    """The user's own aliases in llm -> the ids they stand for, known or not."""
    plugins: dict[str, str] = field(default_factory=dict)
    """Every installed plugin's package -> its version."""
    plugin_errors: dict[str, str] = field(default_factory=dict)
    """Every plugin that failed -> the reason."""

    @property
    def slow(self) -> bool:
        """Whether a plugin's models are missing for now."""
        return any(why in {SLOW_IMPORT, SLOW_LISTING} for why in self.plugin_errors.values())

    def find(self, name: str, others: Iterable[str] = ()) -> Entry:
        """The model of this id or alias.

        Args:
            name: the id or alias.
            others: names other than models', to suggest as well if they come close.

        Raises:
            UnknownModel: there is none; the message names the closest ids, the plugin that may be
                missing, and the plugins that failed.
        """
        if name in self.names:
            return self.entries[self.names[name]]
        # As the vendors' own APIs spell it: claude-opus-5-5 for anthropic/claude-opus-5-5.
        spelled = [each for each in self.entries if each.rpartition("/")[2] == name]
        if len(spelled) == 1:
            return self.entries[spelled[0]]
        message = unknown_model_message(name, [*self.names, *others])
        if name in self.aliases:
            message = f"{name!r} is your alias of {self.aliases[name]!r}, which llm does not know. "
            message += unknown_model_message(self.aliases[name], self.names)
        elif len(spelled) > 1:
            message += f" Several providers have it: name one of {', '.join(sorted(spelled))}."
        if hint := self.package_hint(name):
            message += f" {hint}"
        if self.plugin_errors:
            message += f" These plugins failed to load: {', '.join(self.plugin_errors)}."
        raise UnknownModel(message)

    def package_hint(self, name: str) -> str | None:
        """Which package has ids that begin like this one, and how to add it if it is not here."""
        found = next(
            (package for start, package in PACKAGE_FOR.items() if name.startswith(start)), None
        )
        if found is None:
            return None
        if found in self.plugins or is_installed(found):
            return f"{found}, which brings ids like this, is installed: name one that it has."
        return f"Ids like this come with {found}, which is not installed: {how_to_add(found)}."
