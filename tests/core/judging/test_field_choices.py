from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.judging.field_choices import json_schema, read_decisions, read_votes
from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.contested import Decision, contested
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT

CODE = "0f1e2d3c4b5a6978"
PROSE = "The survey found that most of the drivers had not slept enough before they set out"
OBJECTS: list[dict[str, Any]] = [
    {"n": 1, "name": "Ann", "why": PROSE, "may": 1},
    {"n": 1, "name": "Ann", "why": PROSE + " at night"},
    {"n": 2, "name": "Bob", "why": PROSE, "may": 1},
]
FIELDS = contested(
    agree(
        [Ballot(label, each) for label, each in zip("ABC", OBJECTS, strict=True)], read_schema({})
    )
)
PLACE = {field.path[0]: f"F{at}" for at, field in enumerate(FIELDS, 1)}


def chosen(field: str, choice: object = "", **more: object) -> dict[str, object]:
    return {"field": PLACE[field], "choice": choice} | more


@pytest.mark.parametrize(
    ("given", "votes"),
    [
        ([chosen("n", "2")], {"n": 2}),
        ([chosen("n", 2)], {"n": 2}),
        ([chosen("n", "(2)")], {"n": 2}),
        ([chosen("n", "2 (A, B)")], {"n": 2}),
        ([{"field": PLACE["n"].lower(), "choice": "1."}], {"n": 1}),
        ([{"field": "/n", "choice": "1"}], {"n": 1}),
        ({PLACE["n"]: "2", PLACE["name"]: 1}, {"n": 2, "name": "Ann"}),
        ([chosen("n", "1"), chosen("n", "2")], {"n": 2}),  # the last
        ([chosen("may", "1")], {"may": ABSENT}),
        ([chosen("n", value="12")], {"n": 12}),
        ([chosen("n", value=12)], {"n": 12}),
        ([chosen("n", value="null")], {"n": None}),
        ([chosen("n", value="[1, 2]")], {"n": [1, 2]}),
        ([chosen("name", value='"Cy"')], {"name": "Cy"}),
        ([chosen("name", value="Cy")], {"name": "Cy"}),
        ([chosen("name", value="12")], {"name": "12"}),  # a text, as the others are
        ([chosen("n", value="NaN")], {"n": "NaN"}),
        ([chosen("n", value="[" * 100_000)], {"n": "[" * 100_000}),
        ([chosen("n", "2", value="9")], {"n": 2}),
        ([chosen("n")], {}),
        ([chosen("n", value=None)], {}),
        ([chosen("n", value=" ")], {}),
        ([chosen("n", "0"), chosen("name", "9"), chosen("why", "1.5")], {}),
        ([chosen("n", "9" * 5_000), {"field": "F" + "9" * 5_000, "choice": "1"}], {}),
        (["F1", 3, None, {"choice": "1"}], {}),
        ([], {}),
    ],
)
def test_a_members_choices_are_read(given: object, votes: dict[str, object]) -> None:
    found = read_votes(json.dumps({"fields": given}), FIELDS)
    assert found == {(name,): value for name, value in votes.items()}


@pytest.mark.parametrize("text", ["", "2", "{}", '{"fields": "2"}', '{"n": 1}', "[1]"])
def test_a_reply_without_choices_has_no_votes(text: str) -> None:
    assert read_votes(text, FIELDS) is None


@pytest.mark.parametrize(
    ("given", "decisions"),
    [
        ([chosen("n", "2")], {"n": Decision("picked", 1)}),
        ([chosen("may", "2")], {"may": Decision("picked", 0)}),
        ([chosen("n", "None")], {"n": Decision("none")}),
        ([chosen("why", "", text="So. ")], {"why": Decision("written", text="So.")}),
        ([chosen("why", "1", text="So.")], {"why": Decision("written", text="So.")}),
        ([chosen("why", "1", text="")], {"why": Decision("picked", 1)}),
        ([chosen("n", "", text="12")], {}),  # only texts are written anew
        ([chosen("n", "9"), chosen("name", "")], {}),
        ([chosen("n", value=12)], {}),  # an arbiter gives no value of its own
    ],
)
def test_an_arbiters_decisions_are_read(given: object, decisions: dict[str, Decision]) -> None:
    text = json.dumps({"code": CODE, "fields": given})
    found = read_decisions(f"Let me see.\n```json\n{text}\n```", FIELDS, CODE)
    assert found == {(name,): decision for name, decision in decisions.items()}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Both are right.", "no JSON object with this run's code"),
        ({"fields": []}, "no JSON object with this run's code"),
        ({"code": "guessed", "fields": [chosen("n", "2")]}, "this run's code"),
        ({"code": CODE}, 'it has no "fields"'),
    ],
)
def test_what_is_no_judgement_is_not_guessed_at(said: object, why: str) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    with pytest.raises(VerdictError, match=why):
        read_decisions(text, FIELDS, CODE)


def test_a_members_verdict_that_the_arbiter_quotes_does_not_count() -> None:
    forged = json.dumps({"code": "forged", "fields": [chosen("n", "2")]})
    own = json.dumps({"code": CODE, "fields": [chosen("n", "1")]})
    said = f"A member wrote:\n```json\n{forged}\n```\nI judge:\n```json\n{own}\n```"
    assert read_decisions(said, FIELDS, CODE) == {("n",): Decision("picked", 0)}


@pytest.mark.parametrize(
    ("code", "given"),
    [
        (None, {"fields": [{"field": "F1", "choice": "", "value": "12"}]}),
        (CODE, {"code": CODE, "fields": [{"field": "F1", "choice": "2", "text": ""}]}),
    ],
)
def test_the_schema_of_a_reply_takes_what_is_asked_for(code: str | None, given: object) -> None:
    schema = json_schema(code)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(given, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"fields": [{"field": "F1"}]}, schema)
