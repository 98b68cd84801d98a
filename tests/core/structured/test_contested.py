from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.contested import Decision, contested, settle
from consortium_mcp.core.structured.fields import Agreed
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, Path

PROSE = "The survey found that most of the drivers had not slept enough before they set out"
SCHEMA = read_schema(
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "why": {"type": "string", "minLength": 10},
                       "list": {"items": {"type": "string"}}, "may": {}},
        "required": ["n"],
    }
)  # fmt: skip


def agreement() -> Agreed:
    objects: list[dict[str, Any]] = [
        {"n": 1, "why": PROSE, "list": ["a", "b"], "may": 1},
        {"n": 1, "why": PROSE + " at night", "list": ["a", "c"], "may": 1},
        {"n": 2, "why": PROSE, "list": ["a", "b"]},
    ]
    return agree([Ballot("ABC"[at], each) for at, each in enumerate(objects)], SCHEMA)


def test_only_what_members_differ_in_is_contested() -> None:
    found = contested(agreement())
    assert {field.path for field in found} == {("n",), ("why",), ("list", 1), ("may",)}
    n = next(field for field in found if field.path == ("n",))
    assert [(vote.value, vote.labels) for vote in n.votes] == [(1, ("A", "B")), (2, ("C",))]


@pytest.mark.parametrize(
    ("path", "decision", "value"),
    [
        (("n",), Decision("picked", 1), 2),
        (("list", 1), Decision("picked", 1), "c"),
        (("may",), Decision("picked", 1), ABSENT),
        (
            ("why",),
            Decision("written", text="Most drivers were tired."),
            "Most drivers were tired.",
        ),
    ],
)
def test_an_arbiters_decision_is_taken(path: Path, decision: Decision, value: object) -> None:
    before = agreement()
    after = settle(before, {path: decision}, SCHEMA)
    field = next(field for field in after.fields if field.path == path)
    assert (field.value, field.settled_by) == (value, "arbiter")
    assert not after.breaches
    assert after.data != before.data
    old = next(field for field in before.fields if field.path == path)
    assert field.confidence <= old.confidence
    others = [f for f in after.fields if f.path != path]
    assert others == [f for f in before.fields if f.path != path]
    assert after.confidence <= before.confidence


@pytest.mark.parametrize(
    ("path", "decision"),
    [
        (("list", 0), Decision("picked", 1)),  # not contested
        (("n",), Decision("picked", 9)),
        (("n",), Decision("written", text="a text")),
        (("why",), Decision("written", text=" ")),
        (("why",), Decision("written", text="short")),  # would break the schema
        (("nowhere",), Decision("picked", 0)),
    ],
)
def test_a_decision_that_cannot_be_taken_changes_nothing(path: Path, decision: Decision) -> None:
    before = agreement()
    assert settle(before, {path: decision}, SCHEMA) == before


def test_one_bad_decision_does_not_undo_the_others() -> None:
    decisions: dict[Path, Decision] = {
        ("why",): Decision("written", text="short"),
        ("n",): Decision("picked", 1),
    }
    after = settle(agreement(), decisions, SCHEMA)
    assert after.data == {"n": 2, "why": PROSE, "list": ["a", "b"], "may": 1}


def test_where_none_is_right_the_vote_stands_without_confidence() -> None:
    after = settle(agreement(), {("n",): Decision("none")}, SCHEMA)
    n = next(field for field in after.fields if field.path == ("n",))
    assert (n.value, n.settled_by, n.confidence) == (1, "vote", 0.0)


def test_an_element_cannot_be_taken_out() -> None:
    absent = agree(
        [Ballot("A", {"list": ["x"]}), Ballot("B", {"list": []})],
        SCHEMA,
    )
    field = next(field for field in absent.fields if field.path == ("list", 0))
    place = next(at for at, vote in enumerate(field.votes) if vote.value is ABSENT)
    assert settle(absent, {("list", 0): Decision("picked", place)}, SCHEMA) == absent
