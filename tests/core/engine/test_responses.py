from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.engine.responses import object_response
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.strategies import strategy_of
from tests.support.fakes import FakeAsk, consulted, run_of

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ONE, TWO, BAD = '{"n": 1}', '{"n": 2}', '{"n": "one"}'


def run_with(*models: str, **more: Any) -> Run:  # noqa: ANN401 (settings)
    return run_of(*models, json_schema=SCHEMA, **more)


def question_of(run: Run) -> Question:
    return strategy_of(run.config).question_for(run.members[0], run)


def wants_one(text: str) -> str | None:
    return None if text == ONE else "It is not one."


async def test_an_object_that_is_of_no_use_is_asked_for_once_more_with_the_reason() -> None:
    ask = FakeAsk(a=[BAD, ONE])
    response = await object_response(question_of(run_with("a")), ask, wants_one)
    assert (response.status, response.text) == ("answered", ONE)
    assert response.warnings == ("its object came at the second try",)
    first, second = ask.questions
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.prompt.startswith(first.prompt)
    assert "It is not one." in second.prompt
    assert BAD in second.prompt
    assert second.json_schema == SCHEMA
    assert 0 < second.timeout <= first.timeout
    assert (response.input_tokens, response.output_tokens) == (20, 10)  # of both


@pytest.mark.parametrize(
    ("said", "status", "error", "kind"),
    [
        ([BAD, TWO], "failed", "It is not one.", "schema"),
        ([MemberError("down", kind="network")], "failed", "down", "network"),
        (
            [BAD, MemberError("down", kind="network")],
            "failed",
            "its object cannot be used (It is not one.), and asked again: down",
            "network",
        ),
    ],
)
async def test_without_an_object_a_member_has_failed(
    said: list[str | MemberError], status: str, error: str, kind: str
) -> None:
    ask = FakeAsk(a=said)
    response = await object_response(question_of(run_with("a")), ask, wants_one)
    assert (response.status, response.error, response.error_kind) == (status, error, kind)
    assert response.text is None
    assert len(ask.questions) == len(said)


async def test_who_is_not_waited_for_is_not_asked_again() -> None:
    ask = FakeAsk(a=[BAD, ONE])
    response = await object_response(question_of(run_with("a")), ask, wants_one, lambda: False)
    assert (response.status, len(ask.questions)) == ("failed", 1)


async def test_a_field_that_is_called_confidence_is_none() -> None:
    text = '{"n": 1}\n<confidence>0.1</confidence>\n<final_answer>x</final_answer>'
    ask = FakeAsk(a=text)
    response = await object_response(question_of(run_with("a")), ask, lambda _text: None)
    assert (response.final_answer, response.stated_confidence) == (None, None)


async def test_a_repair_that_does_not_fit_the_budget_is_not_made() -> None:
    ask = FakeAsk(a=ONE, b=BAD)
    ended = await consulted(run_with("a", "b", max_calls=2), Budget(ask, max_calls=2))
    assert len(ask.questions) == 2
    assert (ended.status, ended.stop_reason) == ("degraded", "budget")
    b = ended.iterations[0].responses[1]
    assert (b.status, b.error_kind) == ("cut", "budget")
    assert "its object cannot be used" in str(b.error)
    assert "max_calls is 2" in str(b.error)
    assert ended.best
    assert ended.best.verdict.data == {"n": 1}


async def test_an_arbiter_that_does_not_fit_the_budget_leaves_the_votes() -> None:
    ask = FakeAsk(a=ONE, b=ONE, c=TWO)
    run = run_with("a", "b", "c", max_calls=3)
    ended = await consulted(run, Budget(ask, max_calls=3))
    assert (ended.status, ended.stop_reason) == ("degraded", "budget")
    assert ended.best
    assert ended.best.verdict.data == {"n": 1}
    assert ended.best.verdict.fields[0].path == "/n"
    assert any("The budget left no verdict" in warning for warning in ended.warnings)


async def test_a_quorum_of_objects_is_enough_and_useless_ones_do_not_count() -> None:
    ask = FakeAsk(a=ONE, b=ONE, c=[BAD], d=[anyio.Event(), TWO])
    run = run_with("a", "b", "c", "d", quorum=0.5, straggler_grace=0)
    ended = await consulted(run, ask)
    assert ended.best
    assert ended.best.verdict.data == {"n": 1}
    assert [r.status for r in ended.iterations[0].responses].count("answered") == 2
    assert ended.status == "degraded"


async def test_a_run_goes_on_after_its_last_verdict_without_asking_again() -> None:
    """What is contested is found again from the recorded responses alone."""
    vote = json.dumps({"fields": {"F1": "2"}})
    ask = FakeAsk(a=[ONE, vote], b=[TWO, vote], judge="no idea")
    run = run_with("a", "b", strategy="vote", max_iterations=2)
    whole = await consulted(run, ask)
    interrupted = run.model_copy(update={"iterations": whole.iterations[:1]})
    resumed = await consulted(interrupted, again := FakeAsk(a=vote, b=vote))
    assert [question.iteration for question in again.questions] == [2, 2]
    assert "F1 is /n" in again.questions[0].prompt
    assert resumed.iterations[1].verdict.data == whole.iterations[1].verdict.data == {"n": 2}
    unjudged = interrupted.model_copy(update={"unjudged": whole.iterations[1].responses})
    judged = await consulted(unjudged, nobody := FakeAsk())
    assert nobody.questions == []
    assert judged.iterations[1].verdict.data == {"n": 2}
