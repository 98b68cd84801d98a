"""Agrees the members' objects part by part.

- A property is there if at least half of the votes have it; one that the schema requires, if any
  has. An element of a list is there if at least half of the lists have it.
- Where some give an object, some a list and some a plain value, most votes decide.
- A leaf is what most votes stand behind, in the spelling of most of these. Equal votes are settled
  by the value most like all others, where each counts by how far it agrees with the rest of the
  panel in this object; then by the value's text.
- Nothing is averaged or put together: each value stood so in a member's object.

The members' order has no influence: their objects are sorted before anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.structured import confidence
from consortium_mcp.core.structured.alignment import columns_of
from consortium_mcp.core.structured.fields import Agreed, Field, FieldVote, LeftOut
from consortium_mcp.core.structured.likeness import alike, groups_of, spelling, standing, support
from consortium_mcp.core.structured.places import Place
from consortium_mcp.core.structured.values import ABSENT, MORE, NO_VOTE, canonical, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from consortium_mcp.core.structured.schema import Schema
    from consortium_mcp.core.structured.values import Path


class Ballot(NamedTuple):
    """A member's object, with `NO_VOTE` in place of what breaks the schema."""

    label: str
    votes: dict[str, Any]
    weight: float = 1.0


def agree(ballots: Sequence[Ballot], schema: Schema) -> Agreed:
    """Agree the objects of several members.

    Args:
        ballots: the members that gave an object, in any order.
        schema: what the object must be.
    """
    if not ballots:
        return Agreed(None, (), (), (), 0.0)
    ordered = sorted(ballots, key=lambda b: (canonical(b.votes), -b.weight, b.label))
    agreement = _Agreement(ordered)
    everyone = {m: ballot.votes for m, ballot in enumerate(ordered)}
    data = agreement.value(_Part((), Place(schema), everyone, required=True))
    fields = tuple(agreement.fields)
    return Agreed(
        data=data,
        fields=fields,
        left_out=tuple(agreement.left_out),
        breaches=tuple(schema.breaches(data)),
        confidence=confidence.of_whole(fields),
    )


class _Part(NamedTuple):
    """A place in the object, and what members have there."""

    path: Path
    place: Place
    values: Mapping[int, Any]
    """Member -> value; members that have nothing here are not in it."""
    silent: frozenset[int] = frozenset()
    """Members whose value here broke the schema."""
    required: bool = False


class _Agreement:
    """One agreement on its way: the fields found so far."""

    def __init__(self, ballots: Sequence[Ballot]) -> None:
        self._labels = [ballot.label for ballot in ballots]
        self._weights = [ballot.weight for ballot in ballots]
        self._standing = standing([ballot.votes for ballot in ballots], self._weights)
        self.fields: list[Field] = []
        self.left_out: list[LeftOut] = []

    def _weight(self, members: Collection[int]) -> float:
        return round(sum(self._weights[m] for m in sorted(members)), 9)

    def _belief(self, members: Collection[int]) -> float:
        return round(sum(self._weights[m] * self._standing[m] for m in sorted(members)), 9)

    def value(self, part: _Part) -> Any:  # noqa: ANN401 (a JSON value)
        """The agreed value of a part that is there."""
        kinds: dict[str, list[int]] = {}
        for m, value in part.values.items():
            kinds.setdefault(kind_of(value), []).append(m)
        kind = max(sorted(kinds), key=lambda k: (self._weight(kinds[k]), self._belief(kinds[k])))
        same = {m: part.values[m] for m in sorted(kinds[kind])}
        if kind == "object":
            return self._object(part, same)
        if kind == "list":
            return self._list(part, same)
        return self._leaf(part, same)

    # Objects
    def _object(self, part: _Part, objects: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
        names: dict[str, None] = {}
        for each in objects.values():
            names |= dict.fromkeys(each)
        agreed = {}
        for name in sorted(names, key=part.place.rank):
            found = self._property(part, objects, name)
            if found is not ABSENT:
                agreed[name] = found
        if not agreed:
            self._note(part, {m: each for m, each in objects.items() if not each}, {})
        return agreed

    def _property(self, part: _Part, objects: Mapping[int, dict[str, Any]], name: str) -> Any:  # noqa: ANN401 (a JSON value, or `ABSENT`)
        having = {m: each[name] for m, each in objects.items() if name in each}
        silent = frozenset(m for m, value in having.items() if value is NO_VOTE)
        having = {m: value for m, value in having.items() if m not in silent}
        lacking = [m for m, each in objects.items() if name not in each]
        must = name in part.place.required
        if must:  # that it lacks breaks the schema
            silent |= frozenset(lacking)
        inner = _Part(
            path=(*part.path, name),
            place=part.place.property(name),
            values=having,
            silent=part.silent | silent,
            required=part.required and must,
        )
        if having and (must or self._weight(having) >= self._weight(lacking)):
            return self.value(inner)
        if having or lacking:
            self._note(inner, {}, ABSENT)
        return ABSENT

    # Lists
    def _list(self, part: _Part, lists: Mapping[int, list[Any]]) -> list[Any]:
        members = sorted(lists)
        held = [[each for each in lists[m] if _is_vote(each)] for m in members]
        cut_off = frozenset(m for m in members if MORE in lists[m])
        if not any(held):
            self._note(part, lists, [])
            return []
        columns = columns_of(
            held,
            [self._weights[m] * self._standing[m] for m in members],
            fixed=part.place.fixed_length,
            unique=part.place.unique,
        )
        elements = [
            {members[place]: held[place][at] for place, at in sorted(column.items())}
            for column in columns
        ]
        agreed: list[Any] = []
        for values in self._kept(part, elements, members, cut_off):
            index = len(agreed)
            silent = part.silent | (cut_off - values.keys())
            place = part.place.element(index)
            agreed.append(
                self.value(_Part((*part.path, index), place, values, silent, part.required))
            )
        if not agreed:
            self._note(part, {m: lists[m] for m in members if not lists[m]}, [])
        return agreed

    def _kept(
        self,
        part: _Part,
        elements: Sequence[Mapping[int, Any]],
        members: Sequence[int],
        cut_off: frozenset[int],
    ) -> list[Mapping[int, Any]]:
        """The elements that at least half have, within the schema's bounds."""
        by_weight = sorted(range(len(elements)), key=lambda at: (-self._weight(elements[at]), at))
        enough = []
        for at in by_weight:
            voting = [m for m in members if m in elements[at] or m not in cut_off]
            if 2 * self._weight(elements[at]) >= self._weight(voting):
                enough.append(at)
        enough += [at for at in by_weight if at not in enough][
            : max(0, part.place.least_elements - len(enough))
        ]
        kept = set(enough[: part.place.most_elements])
        for at in sorted(set(by_weight) - kept):
            groups = self._votes(part, elements[at])
            self.left_out.append(
                LeftOut(
                    part.path,
                    groups[0].value,
                    self._names(elements[at]),
                    self._share(elements[at], part.silent),
                )
            )
        return [each for at, each in enumerate(elements) if at in kept]

    # Leaves
    def _leaf(self, part: _Part, values: Mapping[int, Any]) -> Any:  # noqa: ANN401 (a JSON value)
        members = sorted(values)
        groups = groups_of([values[m] for m in members], part.place)
        behind = {
            members[at]: [members[each] for each in group] for group in groups for at in group
        }
        spelled = {canonical(value): m for m, value in sorted(values.items(), reverse=True)}
        spellings = {m: spelling(value) for m, value in values.items()}
        same = {m: [n for n in behind[m] if spellings[n] == spellings[m]] for m in spelled.values()}
        best = max(
            sorted(same, key=lambda m: canonical(values[m])),
            key=lambda m: (
                self._weight(behind[m]),
                self._weight(same[m]),
                self._likeness(m, values),
                self._weight([n for n in same[m] if canonical(values[n]) == canonical(values[m])]),
            ),
        )
        self._note(part, {m: values[m] for m in sorted(behind[best])}, values[best])
        return values[best]

    def _likeness(self, member: int, values: Mapping[int, Any]) -> float:
        """How far all values say the same as this member's."""
        mine = values[member]
        total = 0.0
        for m, other in values.items():
            both_texts = isinstance(mine, str) and isinstance(other, str)
            each = support(mine, other) if both_texts else alike(mine, other)
            total += self._weights[m] * self._standing[m] * each
        return round(total, 9)

    def _note(self, part: _Part, behind: Mapping[int, Any], value: Any) -> None:  # noqa: ANN401 (a JSON value, or `ABSENT`)
        """Note a leaf: its value, and the votes for it and for others."""
        everyone = set(range(len(self._labels))) - part.silent
        others = {m: value for m, value in part.values.items() if m not in behind}
        nothing = everyone - part.values.keys()
        votes = self._votes(part, others)
        own = sorted(nothing) if value is ABSENT else sorted(behind)
        votes.append(self._vote(value, own, part.silent))
        if nothing and value is not ABSENT:
            votes.append(self._vote(ABSENT, sorted(nothing), part.silent))
        mine = votes[-1 if value is ABSENT or not nothing else -2]
        rest = sorted(
            (vote for vote in votes if vote is not mine),
            key=lambda vote: (-vote.agreement, canonical(vote.value)),
        )
        mean = self._weight(range(len(self._labels))) / len(self._labels)
        count = self._weight(everyone) / mean if mean else 0.0
        self.fields.append(
            Field(
                path=part.path,
                value=value,
                agreement=mine.agreement,
                confidence=confidence.of_field(mine.agreement, count),
                voters=count,
                votes=(mine, *rest),
                settled_by="only" if len(self._labels) == 1 else "vote",
                required=part.required,
                prose=_is_prose(part),
            )
        )

    def _votes(self, part: _Part, values: Mapping[int, Any]) -> list[FieldVote]:
        """The votes for each different value."""
        members = sorted(values)
        votes = []
        for group in groups_of([values[m] for m in members], part.place):
            own = [members[at] for at in group]
            shown = min((values[m] for m in own), key=canonical)
            votes.append(self._vote(shown, own, part.silent))
        return sorted(votes, key=lambda vote: (-vote.agreement, canonical(vote.value)))

    def _vote(self, value: Any, members: Collection[int], silent: frozenset[int]) -> FieldVote:  # noqa: ANN401 (a JSON value, or `ABSENT`)
        return FieldVote(value, self._names(members), self._share(members, silent))

    def _names(self, members: Collection[int]) -> tuple[str, ...]:
        return tuple(sorted(self._labels[m] for m in members))

    def _share(self, members: Collection[int], silent: frozenset[int]) -> float:
        total = self._weight([m for m in range(len(self._labels)) if m not in silent])
        return min(1.0, self._weight(members) / total) if total else 0.0


def _is_vote(element: object) -> bool:
    """Whether a list's element says anything: not where all of it is cut off."""
    if isinstance(element, dict) and element:
        return any(value is not NO_VOTE for value in element.values())
    return element is not NO_VOTE and element is not MORE


PROSE = 80
"""Characters; a text at least this long is prose, unless the schema says otherwise."""


def _is_prose(part: _Part) -> bool:
    """Whether most texts here are long, and the schema does not say that they are short."""
    texts = sorted(len(value) for value in part.values.values() if isinstance(value, str))
    return bool(texts) and texts[len(texts) // 2] >= PROSE and not part.place.short
