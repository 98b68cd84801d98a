"""The prompts for answers that are JSON objects: the object itself, and its contested fields."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.prompts.for_arbiters import (
    question_cut,
    question_for_judges,
    told_to_members,
)
from consortium_mcp.core.prompts.for_members import question_of
from consortium_mcp.core.prompts.quoting import MAX_QUOTED, boundary, quote, verdict_code
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.structured.values import ABSENT, canonical, pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.structured.fields import Field, FieldVote

LONGEST_VALUE = 2_000
"""Characters of a value that are shown, or fewer where there are many; what is longer is cut in its
middle."""
_SHORTEST_CUT = 100


def system_for(member: Member, run: Run, schema: dict[str, Any]) -> str:
    """The system prompt: the member's own or the consortium's, and what the object must be."""
    own = member.system or run.config.system
    return "\n\n".join(each for each in (own, what_to_reply(schema)) if each)


def what_to_reply(schema: dict[str, Any]) -> str:
    """The part of the system prompt that says what the object must be."""
    return render("member_object", schema=_written(schema))


def prompt_for_fields(run: Run, fields: Sequence[Field]) -> str:
    """The question again, about these fields alone; who gave which value is not said."""
    mark = boundary(run, "member")
    return render(
        "fields_again",
        prompt=question_of(run),
        schema=_written(run.config.json_schema),
        boundary=mark,
        fields=_shown(fields, mark, labels=False),
    )


def prompt_for_arbiter(run: Run, fields: Sequence[Field]) -> tuple[str, tuple[str, ...]]:
    """The contested fields, with their values and who stands behind each; and warnings."""
    mark = boundary(run, "arbiter")
    question, cut = question_for_judges(run)
    prompt = render(
        "arbiter_fields",
        question=question,
        told=told_to_members(run, boundary(run, "question")),
        schema=_written(run.config.json_schema),
        boundary=mark,
        fields=_shown(fields, mark, labels=True),
        code=verdict_code(run),
    )
    return prompt, question_cut(cut)


def candidates(field: Field) -> list[FieldVote]:
    """A field's values in the order in which they are shown, which says nothing of their votes."""
    return sorted(field.votes, key=lambda vote: _json(vote.value))


def _shown(fields: Sequence[Field], mark: str, *, labels: bool) -> str:
    values = sum(len(field.votes) for field in fields)
    limit = min(LONGEST_VALUE, max(_SHORTEST_CUT, MAX_QUOTED // max(1, values)))
    return "\n\n".join(
        _field(number, field, mark, limit, labels=labels) for number, field in enumerate(fields, 1)
    )


def _field(number: int, field: Field, mark: str, limit: int, *, labels: bool) -> str:
    path = pointer(field.path)
    if not _PLAIN.fullmatch(path):  # members may have named it
        path = quote(path, mark, limit)[0]
    lines = [f"F{number} is {path}"]
    if labels and field.prose:
        lines.append("Its texts may be written anew.")
    for place, vote in enumerate(candidates(field), 1):
        who = f" ({', '.join(sorted(vote.labels)) or 'nobody any more'})" if labels else ""
        lines.append(f"{place}{who}: {quote(_json(vote.value), mark, limit)[0]}")
    return "\n".join(lines)


_PLAIN = re.compile(r"[\w/$@.-]{1,200}")


def _json(value: object) -> str:
    return "(it is not there)" if value is ABSENT else canonical(value)


def _written(schema: dict[str, Any] | None) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1)
