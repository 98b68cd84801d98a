"""What a model's name tells: its family, and whether it is one of a provider's current models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


_FAMILIES = (
    ("claude", "claude"),
    ("gemini", "gemini"),
    ("gemma", "gemini"),
    ("gpt", "gpt"),
    ("chatgpt", "gpt"),
    ("o1", "gpt"),
    ("o3", "gpt"),
    ("o4", "gpt"),
    ("llama", "llama"),
    ("mistral", "mistral"),
    ("mixtral", "mistral"),
    ("magistral", "mistral"),
    ("ministral", "mistral"),
    ("qwen", "qwen"),
    ("qwq", "qwen"),
    ("deepseek", "deepseek"),
    ("grok", "grok"),
    ("phi", "phi"),
    ("command", "command"),
)


def family(model_id: str) -> str | None:
    """The family of a model, by its name and wherever it is served; `None` where it is unknown.

    `openrouter/anthropic/claude-sonnet-5` and `claude-opus-5` are one family. Families matter
    because a judge favours text of its own (measured: 20 points more of the votes).
    """
    name = model_id.lower().rpartition("/")[2]
    return next((family for start, family in _FAMILIES if name.startswith(start)), None)


CURRENT_MODELS: dict[str, tuple[str, ...]] = {
    "openai": ("gpt-6-sol", "gpt-5.6-sol", "gpt-5.5", "gpt-5", "gpt-4.1"),
    "anthropic": (
        "anthropic/claude-opus-5-5",
        "anthropic/claude-sonnet-5-5",
        "anthropic/claude-opus-5",
    ),
    "gemini": ("gemini/gemini-4-argon", "gemini/gemini-3.8-flash", "gemini/gemini-3.5-flash"),
    "mistral": ("mistral/mistral-large-latest",),
    "grok": ("grok-4-latest",),
    "deepseek": ("deepseek-reasoner", "deepseek-chat"),
    "openrouter": ("openrouter/anthropic/claude-sonnet-5",),
}
"""Provider (the llm plugin's name) -> its current general models, best first, as llm 0.36 and the
plugins of autumn 2026 spell them. The default panel takes at most one from each."""
EXTRAS = ("anthropic", "gemini", "openrouter", "mistral", "ollama")
"""Extras of this package; each installs the llm plugin of its name, such as llm-anthropic."""
PANEL_WITHOUT_ARBITER = 4
"""From this many ready providers on, the first one's model only judges, as judges favour their own
answers."""


def default_panel(ready: Collection[str]) -> tuple[list[str], str] | None:
    """Choose members and arbiter from the current models that are ready, one per provider.

    Returns:
        The members' ids and the arbiter's, or `None` where fewer than two providers are ready.
    """
    found = [
        next(model for model in models if model in ready)
        for models in CURRENT_MODELS.values()
        if any(model in ready for model in models)
    ]
    if len(found) < 2:  # noqa: PLR2004 (one model is no consortium)
        return None
    members = found[1:] if len(found) >= PANEL_WITHOUT_ARBITER else found
    return members, found[0]
