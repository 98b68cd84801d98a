"""Fuzzing of the agreement: 300 sets of objects, and 20,000 at night."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.likeness import alike_elements, element_of
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, at, canonical, leaves

if TYPE_CHECKING:
    import random

SCHEMA = read_schema(
    {
        "type": "object",
        "properties": {
            "flag": {"type": "boolean"},
            "kind": {"enum": ["x", "y", None]},
            "n": {"type": ["number", "null"], "maximum": 5},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            "set": {"type": "array", "uniqueItems": True},
            "pair": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        },
        "required": ["flag", "rows"],
        "$defs": {
            "row": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z ]*$"},
                    "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
                },
                "required": ["name"],
                "additionalProperties": False,
            }
        },
    }
)
plain = st.none() | st.booleans() | st.integers(0, 6) | st.sampled_from(["", "a", "a b", "A", "½"])
names = st.sampled_from(["flag", "kind", "n", "tags", "set", "pair", "rows", "name", "z/~"])
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
rows = st.recursive(
    st.fixed_dictionaries({"name": st.sampled_from(["a", "a b", "b", "c d", "D"])}),
    lambda inner: st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b"]), "rows": st.lists(inner, max_size=3)}
    ),
    max_leaves=6,
)
likely = st.fixed_dictionaries(
    {"flag": st.booleans(), "rows": st.lists(rows, max_size=5)},
    optional={
        "kind": st.sampled_from(["x", "y", None, "z"]),
        "n": st.integers(0, 6) | st.none(),
        "tags": st.lists(st.sampled_from(["a", "b", "c", 1]), max_size=5),
        "set": st.lists(st.integers(0, 3), unique=True, max_size=4),
        "pair": st.lists(st.integers(0, 3), max_size=3),
    },
)
members = st.lists(likely | st.dictionaries(names, values, max_size=6), min_size=1, max_size=6)


@given(members, st.lists(st.sampled_from([1.0, 1.0, 2.0, 0.5]), min_size=6), st.randoms())
def test_any_objects_are_agreed(
    objects: list[dict[str, Any]], weights: list[float], shuffle: random.Random
) -> None:
    texts = [json.dumps(each) for each in objects]
    if len(texts) > 2:
        texts[-1] = texts[-1][: max(1, len(texts[-1]) * 2 // 3)]  # cut off
    read = [read_object(text, SCHEMA) for text in texts]
    ballots = [
        Ballot("ABCDEF"[i], each.votes, weights[i]) for i, each in enumerate(read) if each.votes
    ]
    found = agree(ballots, SCHEMA)
    if found.data is None:
        assert not ballots
        return
    # valid, or it says where not
    assert tuple(SCHEMA.breaches(found.data)) == found.breaches
    # no invented value
    given_values = {
        canonical(leaf) for each in read if each.given for _, leaf in leaves(each.given)
    }
    for path, leaf in leaves(found.data):
        assert canonical(leaf) in given_values | {"[]", "{}"}, path
    # each leaf has a field, and its votes are each member's at most once
    there = {field.path: field.value for field in found.fields if field.there}
    assert there == dict(leaves(found.data))
    for field in found.fields:
        labels = [label for vote in field.votes for label in vote.labels]
        assert len(labels) == len(set(labels))
        assert 0 <= field.confidence <= 1
        assert 0 <= field.agreement <= 1
        assert field.there or at(found.data, field.path) is ABSENT
    # the order of the members changes nothing
    shuffle.shuffle(ballots)
    again = agree(ballots, SCHEMA)
    assert again == found
    assert canonical(again.data) == canonical(found.data)


@given(values, values)
def test_likeness_is_the_same_both_ways(one: object, other: object) -> None:
    first, second = element_of(one), element_of(other)
    assert 0 <= alike_elements(first, second) <= 1
    assert abs(alike_elements(first, second) - alike_elements(second, first)) < 1e-9
    assert alike_elements(first, first) == 1
