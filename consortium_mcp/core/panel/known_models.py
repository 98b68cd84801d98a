"""What a model's name tells: its family, and whether it is one of a provider's current models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Price = Callable[[str], float | None]
    """The dollars for a million tokens in and out; `None` where they are not known."""


_FAMILIES = (
    ("claude", "claude"),
    ("gemini", "gemini"),
    ("gemma", "gemini"),
    ("gpt", "gpt"),
    ("chatgpt", "gpt"),
    ("codex", "gpt"),
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
    program, _, rest = model_id.lower().partition("/")
    name = rest.partition("/")[0] if program == "agent" else model_id.lower().rpartition("/")[2]
    return next((family for start, family in _FAMILIES if name.startswith(start)), None)


def reason_to_favour(arbiter: str, members: Collection[str]) -> str | None:
    """A warning where a member is the arbiter's own model, or one of its family."""
    remedy = "Name another if you can."
    if arbiter in members:
        own = "is also a member, and models favour their own answers"
        return f"The arbiter {arbiter} {own}. {remedy}"
    kin = family(arbiter)
    relatives = sorted({each for each in members if kin and family(each) == kin})
    if relatives:
        related = f"is of the same family as {', '.join(relatives)}, and models favour their own"
        return f"The arbiter {arbiter} {related}. {remedy}"
    return None


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
MOST_TOGETHER = 3
"""The most models in a default panel of one provider, or of one machine that computes them all."""


def current_panel(
    ready: Collection[str],
    local: Collection[str] = (),
    providers: Mapping[str, str] | None = None,
    price: Price = lambda _model: None,
) -> tuple[list[str], str] | None:
    """Choose members and arbiter from the general models that are ready, one per provider.

    Where they are fewer than two, other families that the same providers serve join them, as with
    OpenRouter or Bedrock alone; then the models of a local server.

    Args:
        ready: the ids that can be called.
        local: those of them that a local server offers.
        providers: the provider of each id, to know the series that the table does not have yet.
        price: what a model costs, as a hint of its class.

    Returns:
        The members' ids and the arbiter's, or `None` where there are fewer than two models.
    """
    elsewhere = [each for each in ready if each not in local]
    found = [
        _newer(best, provider, elsewhere, providers or {}, price)
        for provider, models in CURRENT_MODELS.items()
        if (best := _best_of_table(models, elsewhere)) is not None
    ]
    if len(found) < _FEWEST:
        found += _of_other_families(elsewhere, found, price)
    if len(found) < _FEWEST:
        found += _of_other_families(local, found, price)
    if len(found) < _FEWEST:
        found += [each for each in sorted(local) if _is_general(each) and each not in found]
    if len(found) < _FEWEST:
        return None
    members = found[1:] if len(found) >= PANEL_WITHOUT_ARBITER else found
    return members, found[0]


def panel_of_programs(
    signed_in: Collection[str],
    ready: Collection[str],
    price: Price = lambda _model: None,
) -> tuple[list[str], str] | None:
    """Choose members and arbiter from the agent programs, one a family, and what else is ready.

    Args:
        signed_in: the ids of the programs that can answer.
        ready: the ids of the models with a key; the best of each other family joins.
        price: what a model costs, as a hint of its class.

    Returns:
        The members' ids and the arbiter's, or `None` where there are fewer than two.
    """
    programs = {family(each) or each: each for each in sorted(signed_in, reverse=True)}
    found = sorted(programs.values())
    found += _of_other_families(ready, found, price)
    if not programs or len(found) < _FEWEST:
        return None
    members = found[1:] if len(found) >= PANEL_WITHOUT_ARBITER else found
    return members, found[0]


_FEWEST = 2
"""One model is no consortium."""
_DATE = re.compile(r"[-@]?(?:20[0-9]{2}-?[01][0-9]-?[0-3][0-9])|-(?:0[1-9]|1[0-2])[0-3][0-9]$")
_VERSION = re.compile(r"[0-9]+(?:[.-][0-9]+)*")
_SPECIAL = re.compile(
    r"embed|rerank|\bbge\b|minilm|whisper|tts|audio|speech|transcri|realtime|image|vision|video|dall"
    r"|sora|imagen|veo|moderation|guard|search|research|computer|codex|coder|code\b|robotics|ocr"
    r"|instruct-beta|base$|live|native",
    re.IGNORECASE,
)
"""Models for one purpose, in their makers' names."""
_SMALL = re.compile(
    r"(?<![a-z])mini|nano|lite|small|tiny|haiku|instant|air\b|luna|flash"
    r"|[-:_.](?:[0-9]\.)?[0-9]b\b",
    re.IGNORECASE,
)
"""Classes below the general one; a panel takes them only where there is nothing else."""


def _is_general(model: str) -> bool:
    return _SPECIAL.search(model) is None


def _best_of_table(models: Collection[str], ready: Collection[str]) -> str | None:
    newest = (_newest_of_series(model, ready) for model in models)
    return next((each for each in newest if each), None)


def _newer(
    best: str,
    provider: str,
    ready: Collection[str],
    providers: Mapping[str, str],
    price: Price,
) -> str:
    """A general model of the provider with a higher first number, of a series not known yet."""
    others = [
        each
        for each in ready
        if providers.get(each) == provider
        and family(each) == family(best)
        and _is_general(each)
        and not _SMALL.search(each)
        and _version(each)[:1] > _version(best)[:1]
        and not _is_cheaper_class(price(each), price(best))
    ]
    return max(others, key=lambda each: (_version(each), -len(each), each), default=best)


def _is_cheaper_class(dollars: float | None, of_best: float | None) -> bool:
    """Whether it costs less than a third: a smaller model, whatever its name says."""
    return dollars is not None and of_best is not None and dollars < of_best / 3


def _of_other_families(ready: Collection[str], found: Collection[str], price: Price) -> list[str]:
    """The best general model of each family that is not there yet, three in all."""

    def rank(model: str) -> tuple[bool, tuple[int, ...], float, tuple[int, ...], int, str]:
        """Of one generation the dearest, such as Opus before Sonnet."""
        version = _version(model)
        general = _SMALL.search(model) is None
        return general, version[:1], price(model) or 0.0, version, -len(model), model

    taken = {family(each) or each for each in found}
    best: dict[str, str] = {}
    for each in sorted(filter(_is_general, ready), key=rank, reverse=True):
        maker = family(each)
        if maker is not None and maker not in taken:
            best.setdefault(maker, each)
    return list(best.values())[: MOST_TOGETHER - len(found)]


def _newest_of_series(model: str, ready: Collection[str]) -> str | None:
    """The ready model of the same series with the highest version; of equals, without a date."""
    series = [each for each in ready if _series(each) == _series(model)]
    return max(series, key=lambda each: (_version(each), -len(each), each), default=None)


def _series(model: str) -> str:
    """`claude-opus-5-5` and `claude-opus-4-8-20260101` are of the series `claude-opus-#`."""
    return _VERSION.sub("#", _DATE.sub("", model))


def _version(model: str) -> tuple[int, ...]:
    """The numbers in its name, without those of its size and its date."""
    name = re.sub(r"[-:_.]?[0-9.]+[bm]\b", "", _DATE.sub("", model.rpartition("/")[2]))
    return tuple(int(number) for number in re.findall(r"[0-9]+", name))
