"""From what people write (`gpt-4o:2`) to the members of a run."""

from __future__ import annotations

import difflib
import random
import re
from typing import TYPE_CHECKING

from consortium_mcp.core.errors import InvalidMember, UnknownModel
from consortium_mcp.core.models import Member

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from consortium_mcp.core.models import ConsortiumConfig

MAX_COUNT = 32
_COUNT = re.compile(r"[+-]?[0-9]+")


def parse_member(text: str, known: Collection[str]) -> tuple[str, int]:
    """Read `model` or `model:count`.

    The longest known id wins, because ids hold colons themselves: `qwen3:4b` stays whole when it is
    a model, `gpt-4o:2` means two, and `qwen3:4b:3` means three of `qwen3:4b`.

    Args:
        text: what the user wrote.
        known: every id and alias that llm knows.

    Returns:
        The id or alias, and how many of it (1 to 32).

    Raises:
        InvalidMember: the text is empty, or its count is not a whole number from 1 to 32.
        UnknownModel: no part of the text is a known id; the message lists the closest ones.
    """
    name = text.strip()
    if not name:
        raise InvalidMember("A member is empty: write a model's id, such as gpt-4o or gpt-4o:2.")
    if name in known:
        return name, 1
    head, colon, tail = name.rpartition(":")
    if not colon or (head not in known and not _COUNT.fullmatch(tail)):
        raise UnknownModel(unknown_model_message(name, known))
    if head not in known:
        raise UnknownModel(unknown_model_message(head, known))
    if not _COUNT.fullmatch(tail):
        raise InvalidMember(f"{name!r}: {tail!r} is not a count. Write {head}:2 for two of {head}.")
    # Compared as text first: int() of a very long number raises a ValueError of its own.
    if len(tail) > len(str(MAX_COUNT)) + 1 or not 1 <= int(tail) <= MAX_COUNT:
        raise InvalidMember(
            f"{name!r}: a count must be from 1 to {MAX_COUNT}. Write {head}:2 for two of {head}."
        )
    return head, int(tail)


def with_counts(models: Sequence[str], counts: Sequence[int], known: Collection[str]) -> list[str]:
    """Members with counts that are given beside them, as `-m gpt-4o -n 2` does.

    Args:
        models: members as written.
        counts: one for each of the models, in their order; or one alone, for every model that
            names no count itself; or none.
        known: every id and alias.

    Raises:
        InvalidMember: there are as many counts as fit neither, or a model names another count.
        UnknownModel: a model is not known.
    """
    if len(counts) > 1 and len(counts) != len(models):
        raise InvalidMember(
            f"{len(counts)} counts for {len(models)} models: give one for each model, in their "
            "order, or one alone for all."
        )
    alone = len(counts) == 1
    members = []
    for place, model in enumerate(models):
        name, named = parse_member(model, known)
        names_none = model.strip() == name
        count = counts[0] if alone else counts[place] if counts else named
        if not (names_none or alone or count == named):
            raise InvalidMember(f"{model!r} says {named} and its count says {count}: give one.")
        members.append(f"{name}:{count if names_none else named}")
    return members


def unknown_model_message(name: str, known: Collection[str]) -> str:
    """Say that a model is unknown, and which known ids come closest."""
    close = closest(name, known)
    hint = f"The closest known ids: {', '.join(close)}." if close else "No known id comes close."
    return f"Unknown model {name!r}. {hint} `list_models` or `llm models` shows all."


def closest(name: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """The known names most like this one, best first: near in spelling, or containing it."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    wanted = name.lower()
    near = difflib.get_close_matches(wanted, by_lower, n=limit, cutoff=0.6)
    inside = [low for low in by_lower if len(wanted) > 1 and wanted in low and low not in near]
    return [by_lower[low] for low in (*near, *inside)][:limit]


def label(index: int) -> str:
    """The label of the member at this place: A to Z, then AA, AB and so on."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shuffle_labels(members: Sequence[Member], seed: str) -> tuple[Member, ...]:
    """Give each member a label that does not betray its place in the panel.

    The order of the panel stays. Judges prefer what stands first (position bias), so which response
    stands first must not depend on who wrote the configuration.
    """
    labels = [label(index) for index in range(len(members))]
    random.Random(seed).shuffle(labels)
    return tuple(
        member.model_copy(update={"label": new})
        for member, new in zip(members, labels, strict=True)
    )


def members_of_run(config: ConsortiumConfig, seed: str) -> tuple[Member, ...]:
    """The labelled members of a run: the panel, and the reserve that `escalate_to` names.

    The reserve is taken as strong, which is what it is asked for.
    """
    members = config.members
    if config.escalate_to is not None:
        last = label(len(members))
        members += (Member(label=last, model=config.escalate_to, tier="strong", reserve=True),)
    return shuffle_labels(members, seed)


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
    """Whose model this is by its name, wherever it is served; `None` where the name says nothing.

    `openrouter/anthropic/claude-sonnet-5` and `claude-opus-5` are one family: a judge favours text
    of its own family (measured: 20 points more of the votes).
    """
    name = model_id.lower().rpartition("/")[2]
    return next((house for start, house in _FAMILIES if name.startswith(start)), None)


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
plugins of autumn 2026 spell them. The panel when none is named takes at most one from each."""

EXTRAS = ("anthropic", "gemini", "openrouter", "mistral", "ollama")
"""Extras of this package; each brings llm's plugin of its name, such as llm-anthropic."""

PANEL_WITHOUT_ARBITER = 4
"""From so many ready providers on, the first one's model only judges: judges favour their own."""


def default_panel(ready: Collection[str]) -> tuple[list[str], str] | None:
    """Members and arbiter from the current models that are ready, at most one a provider.

    Returns:
        The members' ids and the arbiter's, or `None` where fewer than two providers are ready.
    """
    found = [
        next(model for model in models if model in ready)
        for models in CURRENT_MODELS.values()
        if any(model in ready for model in models)
    ]
    if len(found) < 2:  # noqa: PLR2004 (a consortium of one is none)
        return None
    members = found[1:] if len(found) >= PANEL_WITHOUT_ARBITER else found
    return members, found[0]
