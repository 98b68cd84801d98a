from __future__ import annotations

import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from consortium_mcp.core.domain.consortium import Member
from consortium_mcp.core.domain.errors import BudgetExceeded, MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict
from consortium_mcp.core.judging.object_agreement import (
    MOST_DISSENT,
    agreement_of,
    complaint_about,
    counted_objects,
    object_verdict,
    open_fields,
)
from consortium_mcp.core.prompts.quoting import verdict_code
from consortium_mcp.core.structured.confidence import of_field
from tests.support.fakes import FakeAsk, answered, failed, run_of

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "name": {"type": "string"}, "may": {}},
    "required": ["n"],
}
THREE = ({"n": 1, "name": "Ann"}, {"n": 1, "name": "Ann"}, {"n": 2, "name": "Ann"})


def run_with(*models: str, schema: dict[str, Any] = SCHEMA, **more: Any) -> Run:  # noqa: ANN401 (settings)
    return run_of(*(models or ("a", "b", "c")), json_schema=schema, **more)


def said(*objects: object) -> tuple[Response, ...]:
    return tuple(
        failed("ABCDE"[at]) if each is None else answered("ABCDE"[at], text=json.dumps(each))
        for at, each in enumerate(objects)
    )


def judged(run: Run, *, fields: list[dict[str, str]]) -> str:
    """An arbiter's reply with the run's code."""
    return json.dumps({"code": verdict_code(run), "fields": fields})


def after(run: Run, responses: tuple[Response, ...], verdict: Verdict) -> Run:
    iteration = Iteration(number=len(run.iterations) + 1, responses=responses, verdict=verdict)
    return run.model_copy(update={"iterations": (*run.iterations, iteration)})


async def test_what_all_agree_on_is_put_to_nobody() -> None:
    ask = FakeAsk()
    found = await object_verdict(run_with(), said(THREE[0], THREE[0], THREE[0]), ask)
    assert ask.questions == []
    assert found.data == {"n": 1, "name": "Ann"}
    assert json.loads(found.synthesis) == found.data
    assert [(f.path, f.value, f.agreement, f.settled_by) for f in found.fields] == [
        ("/n", 1, 1.0, "vote"),
        ("/name", "Ann", 1.0, "vote"),
    ]
    assert found.confidence == of_field(1.0, 3)
    assert (found.arbiter, found.degraded, found.dissent, found.breaches) == (None, False, (), ())
    assert (found.parts.agreement, found.parts.votes, found.parts.distinct_answers) == (1.0, 3, 1)
    assert found.supporters == ("A", "B", "C")


async def test_an_arbiter_is_asked_once_about_what_is_contested_and_nothing_else() -> None:
    run = run_with()
    ask = FakeAsk(judge=judged(run, fields=[{"field": "F1", "choice": "2"}]))
    found = await object_verdict(run, said(*THREE), ask)
    [question] = ask.questions
    assert "F1 is /n" in question.prompt
    assert "F2" not in question.prompt.partition("For each field")[0]
    assert "Ann" not in question.prompt
    assert found.data == {"n": 2, "name": "Ann"}
    n = found.fields[0]
    assert (n.value, n.settled_by) == (2, "arbiter")
    assert n.agreement == pytest.approx(1 / 3)
    assert n.confidence == pytest.approx(of_field(1 / 3, 3))
    assert [(vote.value, vote.labels) for vote in n.votes] == [(2, ("C",)), (1, ("A", "B"))]
    assert found.arbiter == "judge"
    assert [(d.labels, d.argument) for d in found.dissent] == [(("A", "B"), "/n: 1 (A, B)")]


async def test_where_none_is_right_the_vote_stands_without_confidence() -> None:
    run = run_with()
    ask = FakeAsk(judge=judged(run, fields=[{"field": "F1", "choice": "none"}]))
    found = await object_verdict(run, said(*THREE), ask)
    assert (found.fields[0].value, found.fields[0].confidence) == (1, 0.0)


async def test_an_arbiter_that_fails_leaves_the_votes_and_degrades_the_verdict() -> None:
    ask = FakeAsk(judge=["no idea", MemberError("down")], second=MemberError("down too"))
    run = run_with(arbiters=("second",))
    found = await object_verdict(run, said(*THREE), ask)
    assert (found.data, found.degraded, found.arbiter) == ({"n": 1, "name": "Ann"}, True, None)
    first, second = found.warnings
    assert "The arbiter judge gave no verdict" in first
    assert second == (
        "The arbiter second gave no verdict (down too): the fields stand as most members have them."
    )


async def test_a_call_that_does_not_fit_the_budget_is_not_made() -> None:
    async def refuse(_question: object, /) -> Any:  # noqa: ANN401
        raise BudgetExceeded("max_calls is 3")

    with pytest.raises(BudgetExceeded):
        await object_verdict(run_with(), said(*THREE), refuse)
    found = await counted_objects(run_with(), said(*THREE), "The budget left no verdict")
    assert (found.data, found.degraded) == ({"n": 1, "name": "Ann"}, True)
    assert found.warnings[0].startswith("The budget left no verdict: the fields stand as")


async def test_a_lone_object_is_as_sure_as_if_the_others_had_disagreed() -> None:
    lone = await counted_objects(run_with(), said(THREE[0], None, None))
    assert lone.confidence == pytest.approx(of_field(1 / 3, 3))
    assert {field.confidence for field in lone.fields} == {lone.confidence}
    assert {field.settled_by for field in lone.fields} == {"only"}
    assert lone.parts.agreement is None
    split = await counted_objects(run_with("a", "b"), said({"n": 1}, {"n": 2}))
    alone = await counted_objects(run_with("a", "b"), said({"n": 1}, None))
    assert alone.confidence == split.confidence
    single = await counted_objects(run_with("a"), said({"n": 1}))
    assert (single.confidence, single.parts.agreement) == (of_field(1.0, 1), 1.0)


async def test_tiers_weigh_and_the_report_says_so() -> None:
    light = [Member(label=label, model=label, tier="light") for label in "AB"]
    run = run_with(members=(*light, Member(label="C", model="C", tier="strong")))
    found = await counted_objects(run, said(*THREE))
    assert found.data == {"n": 2, "name": "Ann"}
    assert found.parts.weighted
    assert 0.5 < found.fields[0].agreement < 1


async def test_an_object_that_breaks_the_schema_names_the_fields() -> None:
    schema = SCHEMA | {"required": ["n", "name"]}
    found = await counted_objects(run_with(schema=schema), said({"n": 1}, {"n": 1}, {"n": 1}))
    [breach] = found.breaches
    assert "name" in breach
    assert found.warnings == (f"The object breaks the schema at {breach}",)


async def test_what_is_not_there_is_told_from_null() -> None:
    objects = ({"n": 1, "may": None}, {"n": 1, "may": None}, {"n": 1})
    found = await counted_objects(run_with(), said(*objects))
    may = found.fields[1]
    assert [(v.value, v.missing, v.labels) for v in may.votes] == [
        (None, False, ("A", "B")),
        (None, True, ("C",)),
    ]
    assert (may.value, may.missing) == (None, False)
    objects = ({"n": 1}, {"n": 1}, {"n": 1, "may": 10**150})
    found = await counted_objects(run_with(), said(*objects))
    assert (found.fields[1].value, found.fields[1].missing) == (None, True)
    assert "may" not in (found.data or {})
    [side] = found.dissent
    assert side.argument == f"/may: 1{'0' * 99}… (C)"


async def test_what_is_missing_is_said_and_names_stay_in_their_line() -> None:
    objects = ({"n": 1, "a\nb": 1}, {"n": 1, "a\nb": 1}, {"n": 1})
    found = await counted_objects(run_with(), said(*objects))
    assert [side.argument for side in found.dissent] == ["/a b: nothing (C)"]


async def test_the_dissent_names_the_least_certain_fields_and_no_long_texts() -> None:
    text = "The survey found that most of the drivers had not slept enough before they set out"
    one = {str(n): n for n in range(20)} | {"why": text}
    found = await counted_objects(
        run_with("a", "b", schema={}), said(one, {str(n): -n - 1 for n in range(20)} | {"why": "-"})
    )
    assert len(found.dissent) == MOST_DISSENT
    assert not any("/why" in side.argument for side in found.dissent)


async def test_in_later_iterations_members_vote_on_what_was_contested() -> None:
    run, first = run_with(), said(*THREE)
    run = after(run, first, await counted_objects(run, first))
    second = said({"fields": [{"field": "F1", "choice": "2"}]}, {"fields": {"F1": "2"}}, None)
    found = await counted_objects(run, second)
    assert found.data == {"n": 2, "name": "Ann"}
    assert found.fields[0].agreement == 1.0  # C's vote stands
    assert found.confidence == of_field(1.0, 3)
    assert found.supporters == ("A", "B")
    run = after(run, second, found)
    assert open_fields(agreement_of(run)) == ()


async def test_who_had_no_object_before_may_vote_later() -> None:
    run, first = run_with("a", "b", "c"), said({"n": 1}, {"n": 2}, None)
    run = after(run, first, await counted_objects(run, first))
    found = await counted_objects(run, said(None, None, {"fields": {"F1": "2"}}))
    assert found.data == {"n": 2}
    assert found.fields[0].agreement == pytest.approx(2 / 3)


async def test_without_anything_contested_each_members_latest_object_counts() -> None:
    run, first = run_with("a", "b"), said({"n": 1}, None)
    run = after(run, first, await counted_objects(run, first))
    found = await counted_objects(run, said(None, {"n": 1}))
    assert found.data == {"n": 1}
    assert found.parts.agreement == 1.0
    assert found.confidence == of_field(1.0, 2)


async def test_replies_are_told_apart_by_what_was_asked() -> None:
    """Where the schema itself has `fields`, an object is not taken for a vote."""
    schema = {"properties": {"fields": {"type": "array"}}}
    run, first = run_with("a", "b", schema=schema), said({"fields": [1]}, {"fields": [2]})
    assert complaint_about(run, json.dumps({"fields": []})) is None
    run = after(run, first, await counted_objects(run, first))
    fields = open_fields(agreement_of(run))
    again = await counted_objects(run, said({"fields": [2]}, {"fields": [2]}))
    assert again.data == first_data(run)
    assert complaint_about(run, json.dumps({"fields": {"F1": "1"}})) is None
    assert fields


def first_data(run: Run) -> object:
    return run.iterations[0].verdict.data


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"n": 1}', None),
        ('{"n": 1, "name": 2}', None),  # the rest counts
        ("I cannot.", "no JSON object"),
        ('{"n": "one"}', "does not keep to the schema"),
        ("{}", "does not keep to the schema"),
    ],
)
def test_a_reply_without_any_use_is_complained_about(text: str, complaint: str | None) -> None:
    found = complaint_about(run_with(), text)
    assert found is None if complaint is None else complaint in str(found)


def test_a_reply_without_any_use_does_not_count() -> None:
    useless = answered("B", text="I cannot.")
    assert agreement_of(run_with("a", "b"), (*said({"n": 1}), useless)).data == {"n": 1}
    assert agreement_of(run_with("a", "b"), (useless,)).data is None


def test_an_empty_object_is_an_answer_where_the_schema_allows_it() -> None:
    run = run_with("a", "b", schema={"properties": {"n": {}}})
    assert complaint_about(run, "{}") is None
    assert agreement_of(run, said({}, {})).data == {}


async def test_votes_are_asked_for_again_where_there_are_none() -> None:
    run, first = run_with(), said(*THREE)
    run = after(run, first, await counted_objects(run, first))
    assert "list of" in str(complaint_about(run, '{"n": 1}'))
    assert complaint_about(run, '{"fields": []}') is None


def test_the_same_responses_are_compared_once() -> None:
    run, responses = run_with(prompt="once"), said({"n": 71}, {"n": 72}, {"n": 73})
    assert agreement_of(run, responses) is agreement_of(run, responses)
    other = run_with(prompt="once", schema=SCHEMA | {"required": []})
    assert agreement_of(other, responses) is not agreement_of(run, responses)


async def test_the_loop_goes_on_while_objects_are_compared() -> None:
    objects = [
        {"list": [{"id": n, "name": f"name {n * at}"} for n in range(40)]} for at in (1, 2, 3)
    ]
    turns = 0
    done = anyio.Event()

    async def turn() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(turn)
        await counted_objects(run_with(schema={}), said(*objects))
        done.set()
    assert turns > 20
