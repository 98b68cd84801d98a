"""Collects the answers that lost, with their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import Groups, opposing_groups
from consortium_mcp.core.domain.verdict import Dissent
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consortium_mcp.core.domain.verdict import Response


def dissent_of(
    responses: Sequence[Response],
    supporters: Collection[str],
    groups: Groups,
    said: Sequence[tuple[tuple[str, ...], str]] = (),
) -> tuple[Dissent, ...]:
    """One entry for each group outside the support, with its argument.

    Args:
        responses: the iteration's responses.
        supporters: labels whose answer the synthesis is based on.
        groups: labels whose answers mean the same.
        said: what the arbiter wrote about dissent: (labels, argument); the labels may be empty.
    """
    answered = {r.label: r for r in responses if r.answered}
    dissent = [Dissent(labels=(), argument=argument) for labels, argument in said if not labels]
    for party in opposing_groups(list(answered.values()), supporters, groups):
        arguments = [argument for labels, argument in said if set(labels) & set(party)]
        strongest = max(
            (answered[name] for name in party), key=lambda r: r.stated_confidence or 0.0
        )
        dissent.append(
            Dissent(
                labels=party,
                final_answer=strongest.final_answer,
                argument=" ".join(arguments) or excerpt(strongest.text or ""),
            )
        )
    return tuple(dissent)


EXCERPT = 280
"""The most characters of an excerpt: a sentence or two."""


def excerpt(text: str) -> str:
    """The beginning of a response, on one line and cut between words."""
    flat = " ".join(read_reply(text).prose.split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1].rsplit(" ", 1)[0] + "…"
