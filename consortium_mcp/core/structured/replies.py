"""Reads a member's reply to an object, and takes out what breaks the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.reading.json_objects import json_object
from consortium_mcp.core.structured.places import Place
from consortium_mcp.core.structured.values import MORE, NO_VOTE, Path, at, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.structured.schema import Breach, Schema


class ReadObject(NamedTuple):
    """A member's object."""

    given: dict[str, Any] | None
    """As the member gave it; `None` where the reply holds no object."""
    votes: dict[str, Any] | None
    """The same with `NO_VOTE` for each value that breaks the schema, or was cut off."""
    breaches: tuple[Breach, ...]
    cut_off: bool = False
    """Whether the reply ended before the object did."""

    @property
    def complaint(self) -> str | None:
        """What to tell a member whose reply is of no use; `None` where it is."""
        if self.given is None:
            return "Your reply holds no JSON object. Reply with the object alone."
        if self.votes == {} and not self.breaches and not self.cut_off:
            return None
        if self.votes and any(
            each is not NO_VOTE and each is not MORE for _, each in leaves(self.votes)
        ):
            return None
        if self.cut_off:
            return "Your object was cut off before it held anything. Write it shorter."
        lines = [
            f"at {'/'.join(map(str, b.path)) or 'the top'}: {b.message}" for b in self.breaches
        ]
        return "Your object does not keep to the schema: " + "; ".join(lines[:5])


def read_object(text: str, schema: Schema) -> ReadObject:
    """Read a member's reply; nothing raises.

    What breaks the schema is no vote, and what was cut off is none; the rest of the object counts.
    """
    found = json_object(text)
    if found is None:
        return ReadObject(None, None, ())
    breaches = schema.breaches(found.value)
    votes = _votes(found.value, breaches)
    if votes is not None and found.open_at is not None:
        _leave_open(votes, found.open_at, schema)
    return ReadObject(found.value, votes, tuple(breaches), cut_off=found.open_at is not None)


def _leave_open(votes: dict[str, Any], path: Path, schema: Schema) -> None:
    """Mark what has no end: what stands nowhere in it may have been there."""
    place = Place(schema)
    for depth in range(len(path) + 1):
        held = at(votes, path[:depth])
        if isinstance(held, list):
            held.append(MORE)
        elif isinstance(held, dict):
            held |= {name: NO_VOTE for name in place.names if name not in held}
        if depth < len(path):
            step = path[depth]
            place = place.element(step) if isinstance(step, int) else place.property(step)


_ABOUT_PARTS = frozenset(
    {
        "required", "dependentRequired", "dependencies", "minItems", "maxItems", "uniqueItems",
        "minProperties", "maxProperties", "contains", "minContains", "maxContains",
    }
)  # fmt: skip
"""Keywords that a value breaks by what it lacks or has too much of: its parts are votes still."""


def _votes(given: dict[str, Any], breaches: Sequence[Breach]) -> dict[str, Any] | None:
    whole = [b for b in breaches if not b.path and b.keyword not in _ABOUT_PARTS]
    if whole:
        return None
    votes: dict[str, Any] = _copied(given)
    for breach in breaches:
        if breach.path and breach.keyword not in _ABOUT_PARTS:
            holder: Any = at(votes, breach.path[:-1])
            if holder is not NO_VOTE:  # as a whole
                holder[breach.path[-1]] = NO_VOTE
    return votes


def _copied(value: Any) -> Any:  # noqa: ANN401 (a JSON value)
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
