from __future__ import annotations

import json

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.strategies.tally import Tally
from tests.support.fakes import FakeAsk, answered, consulted, failed, reply, run_of

pytestmark = pytest.mark.anyio

SPLIT = (answered("A", "Rome", text="It is Rome."), answered("B", "Tokyo", text="It is Tokyo."))


async def test_a_majority_is_counted_and_nobody_is_asked() -> None:
    ask = FakeAsk()
    responses = (*SPLIT, answered("C", "tokyo.", 0.9, "Tokyo it is."), failed("D"))
    found = await Tally().judge(run_of("a", "b", "c", "d"), responses, ask)
    assert ask.questions == []
    assert found.synthesis == "Tokyo it is."
    assert found.supporters == ("B", "C")
    assert found.parts.agreement == pytest.approx(2 / 3)
    assert found.parts.arbiter_confidence is None
    assert found.warnings == ()


@pytest.mark.parametrize("said", [json.dumps({"answer": "Tokyo"}), "tokyo.", '"Tokyo"'])
async def test_a_tie_is_broken_by_choosing_a_text_and_that_is_said(said: str) -> None:
    ask = FakeAsk(judge=said)
    found = await Tally().judge(run_of("a", "b"), SPLIT, ask)
    assert found.synthesis == "It is Tokyo."
    assert found.parts.agreement == 0.5
    assert "tie broken by judge" in found.parts.method
    assert "split 2 ways: tie broken by judge" in found.warnings[0]
    question = ask.questions[0]
    assert question.prompt == "How many?"
    assert question.json_schema is not None
    assert question.json_schema["properties"]["answer"] == {"enum": ["Rome", "Tokyo"]}
    assert "- Rome\n- Tokyo" in str(question.system)


@pytest.mark.parametrize("said", ["Paris", "", "[1]", '{"answer": 3}', MemberError("down")])
async def test_no_choice_leaves_the_first_by_panel_order_and_that_is_said(
    said: str | MemberError,
) -> None:
    found = await Tally().judge(run_of("a", "b"), SPLIT, FakeAsk(judge=said))
    assert found.synthesis == "It is Rome."
    assert "the tie could not be broken" in found.warnings[0]


async def test_answers_without_a_short_form_are_candidates_as_they_stand() -> None:
    responses = (answered("A", text="Because of\nscattering."), answered("B", text="Because."))
    ask = FakeAsk(judge="because of scattering")
    found = await Tally().judge(run_of("a", "b"), responses, ask)
    assert found.supporters == ("A",)


async def test_a_split_ends_the_run_for_asking_the_same_again_would_not_pay() -> None:
    ask = FakeAsk(a=reply("Rome"), b=reply("Tokyo"), judge="Tokyo")
    run = await consulted(run_of("a", "b", strategy="tally"), ask)
    assert run.stop_reason == "stable"
    assert len(run.iterations) == 1
    assert run.best is not None
    assert run.best.verdict.final_answer == "Tokyo"


async def test_members_get_the_bare_question_in_every_iteration() -> None:
    run = run_of("a", "b")
    verdict = await Tally().judge(run, SPLIT, FakeAsk(judge="Rome"))
    assert Tally().question_for(run.members[0], run).prompt == "How many?"
    assert verdict.needs_iteration is False
