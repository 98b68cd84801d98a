"""The fields of an agreed object, as text: the contested ones each, the others counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.verdict import FieldOutcome, ValueVote

MOST_SHOWN = 20
_LONGEST = 80
"""Characters of a value or a path."""


def field_lines(fields: Sequence[FieldOutcome]) -> list[str]:
    """What to say of the fields; nothing where there are none."""
    if not fields:
        return []
    contested = sorted((f for f in fields if len(f.votes) > 1), key=lambda f: f.confidence)
    agreed = len(fields) - len(contested)
    lines = [f"- {agreed} of {len(fields)} are agreed by all who gave one"]
    lines += [_contested(field) for field in contested[:MOST_SHOWN]]
    if more := len(contested) - MOST_SHOWN:
        lines += [f"- … {more} more contested"] if more > 0 else []
    return lines


def _contested(field: FieldOutcome) -> str:
    first, *others = field.votes
    against = "; ".join(_vote(vote) for vote in others)
    by = "by the arbiter, " if field.settled_by == "arbiter" else ""
    path = " ".join(field.path.split())  # members may have named it
    return (
        f"- {path[:_LONGEST] or '(the object)'}: {_vote(first)}, not {against} "
        f"({by}confidence {field.confidence:.2f})"
    )


def _vote(vote: ValueVote) -> str:
    value = "nothing" if vote.missing else _short(vote.value)
    return f"{value} ({', '.join(vote.labels)})"


def _short(value: Any) -> str:  # noqa: ANN401 (a JSON value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
