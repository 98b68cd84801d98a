"""Counts again where members looked at a field once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.structured import confidence
from consortium_mcp.core.structured.contested import changed
from consortium_mcp.core.structured.fields import Agreed, Field, FieldVote
from consortium_mcp.core.structured.likeness import groups_of
from consortium_mcp.core.structured.places import Place
from consortium_mcp.core.structured.values import ABSENT, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.structured.schema import Schema
    from consortium_mcp.core.structured.values import Path


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
    data = changed(
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
    with_value = changed(agreed.data, [field._replace(value=value)])
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
