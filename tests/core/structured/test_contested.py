from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.structured import confidence
from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.contested import Decision, contested, revote, settle
from consortium_mcp.core.structured.fields import Agreed, Field
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, Path, at

PROSE = "The survey found that most of the drivers had not slept enough before they set out"
SCHEMA = read_schema(
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "why": {"type": "string", "minLength": 10},
                       "list": {"items": {"type": "string"}}, "may": {}},
        "required": ["n"],
    }
)  # fmt: skip


def agreement_of_three() -> Agreed:
    objects: list[dict[str, Any]] = [
        {"n": 1, "why": PROSE, "list": ["a", "b"], "may": 1},
        {"n": 1, "why": PROSE + " at night", "list": ["a", "c"], "may": 1},
        {"n": 2, "why": PROSE, "list": ["a", "b"]},
    ]
    return agree([Ballot(label, each) for label, each in zip("ABC", objects, strict=True)], SCHEMA)


def field_at(agreed: Agreed, *path: str | int) -> Field:
    return next(field for field in agreed.fields if field.path == path)


def test_only_what_members_differ_in_is_contested() -> None:
    found = contested(agreement_of_three())
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
    before = agreement_of_three()
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
    before = agreement_of_three()
    assert settle(before, {path: decision}, SCHEMA) == before


def test_one_bad_decision_does_not_undo_the_others() -> None:
    decisions: dict[Path, Decision] = {
        ("why",): Decision("written", text="short"),
        ("n",): Decision("picked", 1),
    }
    after = settle(agreement_of_three(), decisions, SCHEMA)
    assert after.data == {"n": 2, "why": PROSE, "list": ["a", "b"], "may": 1}


def test_where_none_is_right_the_vote_stands_without_confidence() -> None:
    after = settle(agreement_of_three(), {("n",): Decision("none")}, SCHEMA)
    n = next(field for field in after.fields if field.path == ("n",))
    assert (n.value, n.settled_by, n.confidence) == (1, "vote", 0.0)


def test_an_element_is_not_taken_out_but_doubted() -> None:
    absent = agree(
        [Ballot("A", {"list": ["x"]}), Ballot("B", {"list": []})],
        SCHEMA,
    )
    field = field_at(absent, "list", 0)
    place = next(at for at, vote in enumerate(field.votes) if vote.value is ABSENT)
    after = settle(absent, {("list", 0): Decision("picked", place)}, SCHEMA)
    assert after.data == {"list": ["x"]}
    assert field_at(after, "list", 0).confidence == 0.0


def test_whether_an_object_is_empty_is_asked_in_its_parts() -> None:
    schema = read_schema({"properties": {"o": {"type": ["object", "null"]}}})
    objects: list[dict[str, Any]] = [{"o": {}}, {"o": {}}, {"o": {"a": 1}}]
    agreed = agree(
        [Ballot(label, each) for label, each in zip("ABC", objects, strict=True)], schema
    )
    assert {field.path for field in contested(agreed)} == {("o", "a")}
    after = settle(agreed, {("o", "a"): Decision("picked", 1), ("o",): Decision("none")}, schema)
    assert after.data == {"o": {"a": 1}}


def test_what_is_in_doubt_as_a_whole_is_not_asked_in_its_parts() -> None:
    schema = read_schema({"properties": {"o": {"type": ["object", "null"]}}})
    objects: list[dict[str, Any]] = [{"o": {}}, {"o": {}}, {"o": {"a": 1}}, {"o": None}]
    agreed = agree(
        [Ballot(label, each) for label, each in zip("ABCD", objects, strict=True)], schema
    )
    assert {field.path for field in contested(agreed)} == {("o",)}


def test_a_picked_value_has_the_confidence_that_its_weight_gives() -> None:
    ballots = [
        Ballot("A", {"n": 1}, 1.5),
        Ballot("B", {"n": 2}, 0.5),
        Ballot("C", {"n": 2}, 0.5),
        Ballot("D", {}, 1.5),  # has no vote on what is required
    ]
    agreed = agree(ballots, SCHEMA)
    n = field_at(agreed, "n")
    assert (n.value, n.voters) == (1, 2.5)
    after = field_at(settle(agreed, {("n",): Decision("picked", 1)}, SCHEMA), "n")
    assert after.confidence == confidence.of_field(0.4, 2.5)


EQUAL = dict.fromkeys("ABC", 1.0)


@pytest.mark.parametrize(
    ("path", "votes", "value", "agreement"),
    [
        (("n",), {"A": 2}, 2, 2 / 3),  # one has changed its mind
        (("n",), {"A": 2, "B": 2}, 2, 1.0),
        (("n",), {"A": 3, "B": 3}, 3, 2 / 3),  # a value of their own
        (("n",), {"A": 3}, 1, 1 / 3),  # equal votes leave it
        (("n",), {"A": "two", "B": "two"}, 1, 2 / 3),  # breaks the schema: no vote
        (("may",), {"A": ABSENT, "B": ABSENT}, ABSENT, 1.0),
        (("may",), {"C": 1}, 1, 1.0),
        (("list", 1), {"A": "c"}, "c", 2 / 3),
        (("list", 1), {"A": ABSENT, "B": ABSENT}, "b", 1 / 3),  # an element stays
        (("list", 1), {"A": ABSENT, "B": ABSENT, "C": ABSENT}, "b", 0.0),
    ],
)
def test_members_vote_once_more(
    path: Path, votes: dict[str, object], value: object, agreement: float
) -> None:
    before = agreement_of_three()
    after = revote(before, {path: votes}, EQUAL, SCHEMA)
    field = field_at(after, *path)
    assert (field.value, field.settled_by) == (value, "vote")
    assert field.agreement == pytest.approx(agreement)
    assert field.confidence == pytest.approx(confidence.of_field(agreement, 3))
    assert at(after.data, path) == value
    assert [f for f in after.fields if f.path != path] == [
        f for f in before.fields if f.path != path
    ]
    assert not after.breaches


def test_new_votes_have_their_weights_and_newcomers_count() -> None:
    weights = {"A": 3.0, "B": 1.0, "C": 1.0, "D": 1.0}
    after = revote(agreement_of_three(), {("n",): {"A": 2, "B": 1, "D": 1}}, weights, SCHEMA)
    n = field_at(after, "n")
    assert n.value == 2
    assert n.agreement == pytest.approx(4 / 6)
    assert n.voters == pytest.approx(4)


@pytest.mark.parametrize("path", [("list", 0), ("nowhere",)])
def test_votes_on_what_is_not_contested_change_nothing(path: Path) -> None:
    before = agreement_of_three()
    assert revote(before, {path: {"A": "z", "B": "z"}}, EQUAL, SCHEMA) == before


def test_of_new_votes_those_that_break_the_schema_together_are_not_taken() -> None:
    schema = read_schema(
        {"properties": {"a": {}, "b": {}}, "if": {"required": ["a"]}, "then": {"required": ["b"]}}
    )
    objects = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1}]
    agreed = agree(
        [Ballot(label, each) for label, each in zip("ABC", objects, strict=True)], schema
    )
    after = revote(agreed, {("b",): dict.fromkeys("ABC", ABSENT), ("a",): {"A": 2}}, EQUAL, schema)
    assert after.data == {"a": 2, "b": 1}
