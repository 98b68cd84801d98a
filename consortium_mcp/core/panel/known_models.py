"""What a model's name tells: its family, and whether it is one of a provider's current models."""

from __future__ import annotations

import re
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
"""Provider (the llm plugin's name) -> its series of general models, best first, each named by one
of its models, as llm 0.36 and the plugins of autumn 2026 spell them. The default panel takes at
most one model from each provider: the newest of the best series, by the version in its name."""
EXTRAS = ("anthropic", "gemini", "openrouter", "mistral", "ollama")
"""Extras of this package; each installs the llm plugin of its name, such as llm-anthropic."""
PANEL_WITHOUT_ARBITER = 3
"""From this many ready providers on, the first one's model only judges, as judges favour their own
answers."""
LOCAL_SERVERS = frozenset({"ollama", "lmstudio", "llamafile", "llama_server", "vllm", "localai"})
"""Providers that are a server on the user's own machine, or near it."""
MOST_LOCAL = 3
"""The most models of local servers in a default panel: one machine computes them all."""


def current_panel(
    ready: Collection[str], local: Collection[str] = ()
) -> tuple[list[str], str] | None:
    """Choose members and arbiter from the current models that are ready, one per provider.

    Args:
        ready: the ids that can be called.
        local: those of them that a local server offers; they are taken, of different families
            first, where fewer than two providers are ready.

    Returns:
        The members' ids and the arbiter's, or `None` where there are fewer than two models.
    """
    newest = [
        [each for each in (_newest_of_series(model, ready) for model in models) if each]
        for models in CURRENT_MODELS.values()
    ]
    found = [models[0] for models in newest if models]
    if len(found) < _FEWEST:
        families = {family(each) or each: each for each in sorted(local, reverse=True)}
        others = [each for each in sorted(local) if each not in families.values()]
        found += [*reversed(families.values()), *others][:MOST_LOCAL]
    if len(found) < _FEWEST:
        return None
    members = found[1:] if len(found) >= PANEL_WITHOUT_ARBITER else found
    return members, found[0]


_FEWEST = 2
"""One model is no consortium."""
_DATE = re.compile(r"[-@]?(?:20[0-9]{2}-?[01][0-9]-?[0-3][0-9])")
_VERSION = re.compile(r"[0-9]+(?:[.-][0-9]+)*")


def _newest_of_series(model: str, ready: Collection[str]) -> str | None:
    """The ready model of the same series with the highest version; of equals, without a date."""
    series = [each for each in ready if _series(each) == _series(model)]
    return max(series, key=lambda each: (_version(each), -len(each), each), default=None)


def _series(model: str) -> str:
    """`claude-opus-5-5` and `claude-opus-4-8-20260101` are of the series `claude-opus-#`."""
    return _VERSION.sub("#", _DATE.sub("", model))


def _version(model: str) -> tuple[int, ...]:
    numbers = re.findall(r"[0-9]+", _DATE.sub("", model))
    return tuple(int(number) for number in numbers)
