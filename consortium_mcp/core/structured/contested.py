"""Which fields are open, and what an arbiter or members decided when they looked again.

They are asked about these alone; what is agreed is not put to them. An arbiter picks one of the
values that members gave, says that none is right, or writes a text where texts differ in their
words only. Members vote once more.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from consortium_mcp.core.structured import confidence
from consortium_mcp.core.structured.fields import FieldVote
from consortium_mcp.core.structured.likeness import groups_of
from consortium_mcp.core.structured.places import Place
from consortium_mcp.core.structured.values import ABSENT, at, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consortium_mcp.core.structured.fields import Agreed, Field
    from consortium_mcp.core.structured.schema import Schema
    from consortium_mcp.core.structured.values import Path


def contested(agreed: Agreed) -> tuple[Field, ...]:
    """The fields that members who voted give different values for, the least certain first.

    Each field's `votes` are its candidates, with the labels behind them.
    """
    open_fields = [field for field in agreed.fields if len(field.votes) > 1]
    return tuple(sorted(open_fields, key=lambda field: field.confidence))


class Decision(NamedTuple):
    """What an arbiter decided about a field."""

    kind: Literal["picked", "none", "written"]
    choice: int = 0
    """For `picked`, the place of the value in the field's `votes`."""
    text: str = ""
    """For `written`, which only a text field may be (`Field.prose`)."""


def settle(agreed: Agreed, decisions: Mapping[Path, Decision], schema: Schema) -> Agreed:
    """The agreed object after an arbiter's decisions.

    A decision that cannot be taken changes nothing: about a field that is not contested, for a
    value that is not among its votes, to take an element out of a list, a text where the field is
    no prose, or one that would break the schema where the vote did not. Where the arbiter says
    that none is right, the vote stands with confidence 0. A value that it picks has the confidence
    of those behind it: an arbiter's word does not raise it.

    Args:
        agreed: the members' agreement.
        decisions: field's path -> decision.
        schema: what the object must be.
    """
    taken = {
        field.path: settled
        for field in agreed.fields
        if (decision := decisions.get(field.path)) is not None
        and len(field.votes) > 1
        and (settled := _settled(field, decision, len(_voters(field)))) is not None
    }
    if len(schema.breaches(_changed(agreed.data, taken.values()))) > len(agreed.breaches):
        taken = {path: each for path, each in taken.items() if _is_allowed(agreed, each, schema)}
    data = _changed(agreed.data, taken.values())
    fields = tuple(taken.get(field.path, field) for field in agreed.fields)
    return agreed._replace(
        data=data,
        fields=fields,
        breaches=tuple(schema.breaches(data)),
        confidence=confidence.of_whole(fields),
    )


def _is_allowed(agreed: Agreed, settled: Field, schema: Schema) -> bool:
    return len(schema.breaches(_changed(agreed.data, [settled]))) <= len(agreed.breaches)


def _voters(field: Field) -> set[str]:
    return {label for vote in field.votes for label in vote.labels}


def _settled(field: Field, decision: Decision, members: int) -> Field | None:
    if decision.kind == "none":
        return field._replace(confidence=0.0)
    if decision.kind == "written":
        if not field.prose or not decision.text.strip():
            return None
        return field._replace(value=decision.text, settled_by="arbiter")
    if not 0 <= decision.choice < len(field.votes):
        return None
    vote = field.votes[decision.choice]
    if vote.value is ABSENT and isinstance(field.path[-1], int):
        return None  # the elements after it would move
    return field._replace(
        value=vote.value,
        agreement=vote.agreement,
        confidence=confidence.of_field(vote.agreement, members),
        votes=(vote, *(each for each in field.votes if each is not vote)),
        settled_by="arbiter",
    )


def _changed(data: Any, fields: Iterable[Field]) -> Any:  # noqa: ANN401 (a JSON value)
    """The object with these fields' values."""
    changed = copy.deepcopy(data)
    for field in fields:
        holder: Any = at(changed, field.path[:-1])
        if field.value is not ABSENT:
            holder[field.path[-1]] = copy.deepcopy(field.value)
        else:
            holder.pop(field.path[-1], None)
    return changed


def revote(
    agreed: Agreed,
    votes: Mapping[Path, Mapping[str, Any]],
    weights: Mapping[str, float],
    schema: Schema,
) -> Agreed:
    """The agreed object with these members' new votes in place of their earlier ones.

    A value that breaks the schema where the vote did not is no vote. Equal votes leave a field as
    it was.

    Args:
        agreed: the agreement so far.
        votes: field's path -> label -> the value that this member now stands behind.
        weights: the weight of each label's vote.
        schema: what the object must be.
    """
    fields = tuple(
        _recounted(field, new, weights, agreed, schema)
        if (new := votes.get(field.path)) and len(field.votes) > 1
        else field
        for field in agreed.fields
    )
    data = _changed(
        agreed.data, [new for new, old in zip(fields, agreed.fields, strict=True) if new is not old]
    )
    return agreed._replace(
        data=data,
        fields=fields,
        breaches=tuple(schema.breaches(data)),
        confidence=confidence.of_whole(fields),
    )


def _recounted(
    field: Field,
    new: Mapping[str, Any],
    weights: Mapping[str, float],
    agreed: Agreed,
    schema: Schema,
) -> Field:
    held = {label: vote.value for vote in field.votes for label in vote.labels}
    fitting = {label: value for label, value in new.items() if _fits(field, value, agreed, schema)}
    held |= fitting
    labels = sorted(held)
    place = _place(schema, field.path)
    absent = [label for label in labels if held[label] is ABSENT]
    there = [label for label in labels if held[label] is not ABSENT]
    groups = [[there[at] for at in group] for group in groups_of([held[n] for n in there], place)]
    groups += [absent] if absent else []
    total = sum(weights.get(label, 1.0) for label in labels)
    counted = [
        FieldVote(
            min((held[label] for label in group), key=_spelled),
            tuple(group),
            sum(weights.get(label, 1.0) for label in group) / total,
        )
        for group in groups
    ]
    counted.sort(
        key=lambda v: (-round(v.agreement, 9), not _same(v.value, field.value), _spelled(v.value))
    )
    best = counted[0]
    return field._replace(
        value=best.value,
        agreement=best.agreement,
        confidence=confidence.of_field(best.agreement, len(labels)),
        votes=tuple(counted),
        settled_by="vote",
    )


def _fits(field: Field, value: object, agreed: Agreed, schema: Schema) -> bool:
    """Whether the object breaks no more with this value than it does now."""
    with_value = _changed(agreed.data, [field._replace(value=value)])
    return len(schema.breaches(with_value)) <= len(agreed.breaches)


def _place(schema: Schema, path: Path) -> Place:
    place = Place(schema)
    for step in path:
        place = place.element(step) if isinstance(step, int) else place.property(step)
    return place


def _spelled(value: object) -> str:
    return "" if value is ABSENT else canonical(value)


def _same(one: object, other: object) -> bool:
    return _spelled(one) == _spelled(other) and (one is ABSENT) == (other is ABSENT)
