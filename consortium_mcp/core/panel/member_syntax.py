"""From what people write (`gpt-4o:2`) to the members of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import InvalidMember, UnknownModel
from consortium_mcp.core.domain.text import closest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


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
            f"{len(counts)} counts for {len(models)} models: give one for each model, in the same "
            "order, or a single one for all."
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
    hint = f"The closest known ids: {', '.join(close)}." if close else "No known id is close to it."
    return f"Unknown model {name!r}. {hint}"
