"""Parses members as people write them, such as `gpt-4o:2`."""

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
    """Parse `model` or `model:count`.

    The longest known id wins, because ids may contain colons: `gpt-4o:2` means two, `qwen3:4b` is
    one model if that id is known, and `qwen3:4b:3` means three of `qwen3:4b`.

    Args:
        text: what the user wrote.
        known: every id and alias that llm knows.

    Returns:
        The id or alias, and the count (1 to 32).

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
    """Combine members with counts that are given separately, as in `-m gpt-4o -n 2`.

    Args:
        models: members as written.
        counts: one for each model, in the same order; or a single one, for every model without a
            count of its own; or none.
        known: every id and alias.

    Raises:
        InvalidMember: the number of counts fits neither form, or a model has a different count.
        UnknownModel: a model is unknown.
    """
    if len(counts) > 1 and len(counts) != len(models):
        raise InvalidMember(
            f"{len(counts)} counts for {len(models)} models: give one for each model, in the same "
            "order, or a single one for all."
        )
    one_for_all = len(counts) == 1
    members = []
    for place, model in enumerate(models):
        name, own_count = parse_member(model, known)
        has_no_count = model.strip() == name
        count = counts[0] if one_for_all else counts[place] if counts else own_count
        if not (has_no_count or one_for_all or count == own_count):
            raise InvalidMember(f"{model!r} says {own_count} and its count says {count}: give one.")
        members.append(f"{name}:{count if has_no_count else own_count}")
    return members


def unknown_model_message(name: str, known: Collection[str]) -> str:
    """The message that a model is unknown, with the closest known ids."""
    close = closest(name, known)
    hint = f"The closest known ids: {', '.join(close)}." if close else "No known id is close to it."
    return f"Unknown model {name!r}. {hint}"
