"""What members and arbiters choose for the contested fields of an object."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.prompts.for_objects import candidates
from consortium_mcp.core.reading.json_objects import json_object
from consortium_mcp.core.structured.contested import Decision
from consortium_mcp.core.structured.values import NO_VOTE, pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.structured.fields import Field
    from consortium_mcp.core.structured.values import Path


def json_schema(code: str | None = None) -> dict[str, Any]:
    """The form of the reply, for models that take schemas."""
    text = {"type": "string"}
    own = {"value": text} if code is None else {"text": text}
    each = {"field": text, "choice": text, **own}
    fields: dict[str, Any] = {"fields": {"type": "array", "items": _object(each)}}
    if code is not None:
        fields = {"code": {"type": "string", "enum": [code]}, **fields}
    return _object(fields)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def read_votes(text: str, fields: Sequence[Field]) -> dict[Path, Any] | None:
    """The values that a member stands behind, by path; `None` where the reply has no choices."""
    chosen = _choices(text, fields)
    if chosen is None:
        return None
    votes = {}
    for at, choice in chosen.items():
        shown = candidates(fields[at])
        if choice.number is not None and 0 < choice.number <= len(shown):
            votes[fields[at].path] = shown[choice.number - 1].value
        elif choice.number is None and choice.value is not NO_VOTE:
            votes[fields[at].path] = choice.value
    return votes


def read_decisions(text: str, fields: Sequence[Field], code: str) -> dict[Path, Decision]:
    """What an arbiter decided, by path.

    Raises:
        VerdictError: the reply has no choices, or not this run's code.
    """
    found = json_object(text)
    if found is None or found.value.get("code") != code:
        raise VerdictError("it holds no JSON object with this run's code")
    chosen = _choices(text, fields)
    if chosen is None:
        raise VerdictError('it has no "fields", a list of {"field": "F1", "choice": "2"}')
    decisions = {}
    for at, choice in chosen.items():
        field = fields[at]
        if choice.none:
            decisions[field.path] = Decision("none")
        elif choice.text and field.prose:
            decisions[field.path] = Decision("written", text=choice.text)
        elif choice.number is not None and 0 < choice.number <= len(field.votes):
            vote = candidates(field)[choice.number - 1]
            decisions[field.path] = Decision("picked", choice=field.votes.index(vote))
    return decisions


class _Choice(NamedTuple):
    number: int | None
    """From 1."""
    none: bool
    text: str
    value: Any
    """One's own, instead of those that are shown; `NO_VOTE` where there is none."""


def _choices(text: str, fields: Sequence[Field]) -> dict[int, _Choice] | None:
    """Field's index -> what is chosen; the last choice for a field counts."""
    found = json_object(text)
    given = found.value.get("fields") if found is not None else None
    if isinstance(given, dict):  # {"F1": "2"}
        given = [{"field": name, "choice": each} for name, each in given.items()]
    if not isinstance(given, list):
        return None
    places = {f"F{at}": at - 1 for at in range(1, len(fields) + 1)}
    places |= {pointer(field.path): at for at, field in enumerate(fields)}
    chosen = {}
    for each in given:
        name = str(each.get("field", "")).strip() if isinstance(each, dict) else ""
        at = places.get(name, places.get(name.upper()))
        if at is not None:
            chosen[at] = _choice(each, fields[at])
    return chosen


_NUMBER = re.compile(r"[(#]?([0-9]{1,6})[.:)]?(?: *\(.*\))?")
"""A number, perhaps with the labels that stand behind it."""


def _choice(given: dict[str, Any], field: Field) -> _Choice:
    choice = str(given.get("choice", "")).strip()
    number = _NUMBER.fullmatch(choice)
    text = given.get("text")
    return _Choice(
        number=int(number[1]) if number else None,
        none=choice.lower() == "none",
        text=text.strip() if isinstance(text, str) else "",
        value=_own(given.get("value"), field),
    )


def _own(value: Any, field: Field) -> Any:  # noqa: ANN401 (a JSON value)
    """A member's own value, which it writes as JSON, or plainly where it is a text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return NO_VOTE
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return value
    texts = any(isinstance(vote.value, str) for vote in field.votes)
    return value if texts and isinstance(found, int | float) else found


def _no_json(name: str) -> float:
    raise ValueError(name)
