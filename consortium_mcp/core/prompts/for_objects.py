"""The prompts for answers that are JSON objects: the object itself, and its contested fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.prompts.for_arbiters import question_for_judges
from consortium_mcp.core.prompts.for_members import question_of
from consortium_mcp.core.prompts.quoting import boundary, quote, verdict_code
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.structured.values import ABSENT, canonical, pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.structured.fields import Field, FieldVote

LONGEST_VALUE = 2_000
"""Characters of a value that are shown; what is longer is cut in its middle."""


def system_for(member: Member, run: Run, schema: dict[str, Any]) -> str:
    """The system prompt: the member's own or the consortium's, and what the object must be."""
    own = member.system or run.config.system
    shown = json.dumps(schema, ensure_ascii=False, indent=1)
    return "\n\n".join(each for each in (own, render("member_object", schema=shown)) if each)


def prompt_for_fields(run: Run, fields: Sequence[Field]) -> str:
    """The question again, about these fields alone; who gave which value is not said."""
    mark = boundary(run, "member")
    shown = "\n\n".join(_shown(n, each, mark, labels=False) for n, each in enumerate(fields, 1))
    return render("fields_again", prompt=question_of(run), boundary=mark, fields=shown)


def prompt_for_arbiter(run: Run, fields: Sequence[Field]) -> str:
    """The contested fields, with their values and who stands behind each."""
    mark = boundary(run, "arbiter")
    shown = "\n\n".join(_shown(n, each, mark, labels=True) for n, each in enumerate(fields, 1))
    return render(
        "arbiter_fields",
        question=question_for_judges(run)[0],
        boundary=mark,
        fields=shown,
        code=verdict_code(run),
    )


def candidates(field: Field) -> list[FieldVote]:
    """A field's values in the order in which they are shown, which says nothing of their votes."""
    return sorted(field.votes, key=lambda vote: _json(vote.value))


def _shown(number: int, field: Field, mark: str, *, labels: bool) -> str:
    lines = [f"F{number} is {pointer(field.path)}."]
    if labels and field.prose:
        lines[0] += " Its texts may be written anew."
    for place, vote in enumerate(candidates(field), 1):
        who = f" ({', '.join(sorted(vote.labels))})" if labels else ""
        lines.append(f"{place}{who}: {quote(_json(vote.value), mark, LONGEST_VALUE)[0]}")
    return "\n".join(lines)


def _json(value: object) -> str:
    return "(it is not there)" if value is ABSENT else canonical(value)
