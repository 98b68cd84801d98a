from __future__ import annotations

import pytest

from consortium_mcp.core.structured.keywords import Node
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import MORE, NO_VOTE

SCHEMA = read_schema(
    {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "o": {
                "type": "object",
                "properties": {"x": {"type": "integer"}},
                "propertyNames": {"maxLength": 3},
            },
            "l": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        },
        "required": ["n"],
        "maxProperties": 4,
    }
)
EMPTY_ONLY = read_schema({"type": "object", "not": {"required": ["a"]}})


def test_what_breaks_the_schema_is_no_vote_and_the_rest_is_kept() -> None:
    read = read_object('{"n": "1", "l": [1], "o": {"x": "y", "z": 1}}', SCHEMA)
    assert read.votes == {"n": NO_VOTE, "l": [1], "o": {"x": NO_VOTE, "z": 1}}
    assert read.given == {"n": "1", "l": [1], "o": {"x": "y", "z": 1}}
    assert [breach.path for breach in read.breaches] == [("l",), ("n",), ("o", "x")]
    assert read.complaint is None


def test_a_part_that_is_no_vote_as_a_whole_has_no_parts() -> None:
    read = read_object('{"o": {"toolong": 1, "x": "y"}}', SCHEMA)
    assert read.votes is not None
    assert read.votes["o"] in (NO_VOTE, {"toolong": 1, "x": NO_VOTE})


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ('{"n": 1, "l": [1, 2', {"n": 1, "l": [1, MORE], "o": NO_VOTE}),
        ('{"n": 1, "o": {"x": 5, ', {"n": 1, "l": NO_VOTE, "o": {"x": 5}}),
        ('{"l": [5], "o": {"z": "', {"l": [5], "n": NO_VOTE, "o": {"x": NO_VOTE}}),
        ('{"l": [[1, [2', {"l": [NO_VOTE, MORE], "n": NO_VOTE, "o": NO_VOTE}),
    ],
)
def test_what_was_cut_off_is_no_vote(text: str, votes: object) -> None:
    read = read_object(text, SCHEMA)
    assert read.votes == votes
    assert read.cut_off


def test_a_member_is_told_why_its_reply_is_of_no_use() -> None:
    assert "holds no JSON object" in str(read_object("Sorry.", SCHEMA).complaint)
    read = read_object('{"a": 1}', EMPTY_ONLY)
    assert read.votes is None
    assert "does not keep to the schema: at the top" in str(read.complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"n": "one"}', "keep to the schema: at n"),  # nothing of it counts
        ("{}", '"n" is a required property'),
        ('{"n": 1', "was cut off before it held anything"),
        ('{"n": 1, "l": ["x"]}', None),
        ('{"o": {"x": 5}}', None),
    ],
)
def test_a_reply_is_of_use_where_some_of_it_counts(text: str, complaint: str | None) -> None:
    found = read_object(text, SCHEMA).complaint
    assert found is None if complaint is None else complaint in str(found)


@pytest.mark.parametrize(("schema", "use"), [({}, True), ({"minProperties": 1}, False)])
def test_an_empty_object_is_an_answer_where_it_is_valid(schema: Node, use: bool) -> None:  # noqa: FBT001
    assert (read_object("{}", read_schema(schema)).complaint is None) == use
