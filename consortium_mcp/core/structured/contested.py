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

    Each field's `votes` are its candidates, with the labels behind them. Nothing is asked twice:
    whether an object is empty is asked about in its parts, and what is in doubt as a whole, as a
    list or `null`, is not asked about in its parts.
    """
    found = [f for f in agreed.fields if len(f.votes) > 1 and not _stands_in_its_parts(f)]
    wholes = {field.path for field in found}
    found = [f for f in found if not any(f.path[:n] in wholes for n in range(len(f.path)))]
    return tuple(sorted(found, key=lambda field: field.confidence))


def _stands_in_its_parts(field: Field) -> bool:
    return all(isinstance(vote.value, dict) for vote in field.votes)


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
    value that is not among its votes, a text where the field is no prose, or one that would break
    the schema where the vote did not. Where the arbiter says that none is right, or that an element
    of a list is not there, the vote stands with confidence 0. A value that it picks has the
    confidence of those behind it: an arbiter's word does not raise it.

    Args:
        agreed: the members' agreement.
        decisions: field's path -> decision.
        schema: what the object must be.
    """
    taken = {
        field.path: settled
        for field in contested(agreed)
        if (decision := decisions.get(field.path)) is not None
        and (settled := _settled(field, decision)) is not None
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


def _settled(field: Field, decision: Decision) -> Field | None:
    if decision.kind == "none":
        return field._replace(confidence=0.0)
    if decision.kind == "written":
        if not field.prose or not decision.text.strip():
            return None
        return field._replace(value=decision.text, settled_by="arbiter")
    if not 0 <= decision.choice < len(field.votes):
        return None
    vote = field.votes[decision.choice]
    if vote.value is ABSENT and _is_element(field):
        return field._replace(confidence=0.0)
    return field._replace(
        value=vote.value,
        agreement=vote.agreement,
        confidence=confidence.of_field(vote.agreement, field.voters),
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


def _is_element(field: Field) -> bool:
    """Whether it is an element of a list: it stays, as the elements after it would move."""
    return isinstance(field.path[-1], int)


def revote(
    agreed: Agreed,
    votes: Mapping[Path, Mapping[str, Any]],
    weights: Mapping[str, float],
    schema: Schema,
) -> Agreed:
    """The agreed object with these members' new votes in place of their earlier ones.

    A value that breaks the schema where the vote did not is no vote. Equal votes leave a field as
    it was. An element of a list stays, with the share of those that still have it.

    Args:
        agreed: the agreement so far.
        votes: field's path -> label -> the value that this member now stands behind.
        weights: the weight of each label's vote.
        schema: what the object must be.
    """
    voters = {label for field in agreed.fields for vote in field.votes for label in vote.labels}
    voters |= {label for given in votes.values() for label in given}
    shares = {label: weights.get(label, 1.0) for label in voters}
    recounted = [
        _recounted(field, _fitting(field, votes[field.path], agreed, schema), shares, schema)
        for field in contested(agreed)
        if field.path in votes
    ]
    if len(schema.breaches(_changed(agreed.data, recounted))) > len(agreed.breaches):
        recounted = [each for each in recounted if _is_allowed(agreed, each, schema)]
    data = _changed(agreed.data, recounted)
    new = {field.path: field for field in recounted}
    fields = tuple(new.get(field.path, field) for field in agreed.fields)
    return agreed._replace(
        data=data,
        fields=fields,
        breaches=tuple(schema.breaches(data)),
        confidence=confidence.of_whole(fields),
    )


def _fitting(
    field: Field, given: Mapping[str, Any], agreed: Agreed, schema: Schema
) -> dict[str, Any]:
    """The votes without those for a new value that breaks the schema.

    What stands among the field's votes has been checked in the object that it came from.
    """
    known = {_spelled(vote.value) for vote in field.votes}
    known |= {_spelled(ABSENT)} if _is_element(field) else set()
    return {
        label: value
        for label, value in given.items()
        if _spelled(value) in known or _is_allowed(agreed, field._replace(value=value), schema)
    }


def _recounted(
    field: Field, new: Mapping[str, Any], weights: Mapping[str, float], schema: Schema
) -> Field:
    held = {label: vote.value for vote in field.votes for label in vote.labels} | {**new}
    labels = sorted(held)
    absent = [label for label in labels if held[label] is ABSENT]
    there = [label for label in labels if held[label] is not ABSENT]
    place = _place(schema, field.path)
    groups = [[there[at] for at in group] for group in groups_of([held[n] for n in there], place)]
    groups += [absent] if absent else []
    total = sum(weights[label] for label in labels)
    counted = [
        FieldVote(
            min((held[label] for label in group), key=_spelled),
            tuple(group),
            sum(weights[label] for label in group) / total,
        )
        for group in groups
    ]
    counted.sort(
        key=lambda v: (
            _is_element(field) and v.value is ABSENT,
            -round(v.agreement, 9),
            _spelled(v.value) != _spelled(field.value),
            _spelled(v.value),
        )
    )
    best = counted[0]
    if best.value is ABSENT and _is_element(field):  # nobody has it any more
        best = FieldVote(field.value, (), 0.0)
        counted.insert(0, best)
    mean = sum(weights.values()) / len(weights)
    return field._replace(
        value=best.value,
        agreement=best.agreement,
        confidence=confidence.of_field(best.agreement, total / mean),
        voters=total / mean,
        votes=tuple(counted),
        settled_by="vote",
    )


def _place(schema: Schema, path: Path) -> Place:
    place = Place(schema)
    for step in path:
        place = place.element(step) if isinstance(step, int) else place.property(step)
    return place


def _spelled(value: object) -> str:
    return "" if value is ABSENT else canonical(value)
