from __future__ import annotations

import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.verdict import Iteration, Response
from consortium_mcp.core.engine.nested_consortium import config_for_nested, reply_text
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.strategies import strategy_of
from consortium_mcp.core.strategies.waves import question
from tests.support.fakes import FakeAsk, answered, config, failed, run_of


def asked(system: str | None = None) -> Question:
    run = run_of("a", system=system, member_timeout=100.0)
    return question(run.members[0], run, run.prompt)


def iteration(*responses: Response) -> Iteration:
    run = run_of(*(response.model for response in responses))
    return Iteration(number=1, responses=responses, verdict=plurality(run, responses))


@pytest.mark.parametrize(("own", "deadline"), [(None, 95), (300.0, 95), (5.0, 5)])
def test_the_deadline_is_the_calls_time_or_the_consortiums_own(
    own: float | None, deadline: float
) -> None:
    saved = config("x", deadline_seconds=own)
    assert config_for_nested(asked(), saved).deadline_seconds == deadline


def test_members_are_told_both_systems_and_the_instruction_not_twice() -> None:
    saved = config("x", system="Inner.")
    assert config_for_nested(asked("Outer."), saved).system == "Inner.\n\nOuter."
    assert config_for_nested(asked(), config("x")).system is None


def test_a_member_states_the_confidence_that_was_computed() -> None:
    said = reply_text(iteration(answered("A", "42", 0.8), answered("B", "41", 0.5)), "member")
    assert said == "Because.\n<final_answer>42</final_answer>\n<confidence>0.400</confidence>"


def test_an_open_answer_has_no_tag() -> None:
    said = reply_text(iteration(answered("A", None, 0.8, "It depends.")), "member")
    assert said == "It depends.\n<confidence>0.800</confidence>"


def test_as_an_arbiter_the_surest_judge_of_the_majority_speaks() -> None:
    one = answered("A", "42", 0.6, "One.")
    two = answered("B", "42", 0.7, "Two.")
    lone = answered("C", "41", 0.9, "Lone.")
    assert reply_text(iteration(one, two, lone, failed("D")), "arbiter") == "Two."


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def test_as_a_member_it_is_asked_for_the_object_of_all_its_members_at_once() -> None:
    run = run_of("a", system="Outer.", json_schema=SCHEMA)
    wanted = strategy_of(run.config).question_for(run.members[0], run)
    saved = config("x", system="Inner.", sampling="adaptive", escalate_to="y", strategy="vote")
    found = config_for_nested(wanted, saved)
    assert (found.json_schema, found.system) == (SCHEMA, "Inner.\n\nOuter.")
    assert (found.sampling, found.escalate_to) == ("full", None)
    as_arbiter = config_for_nested(wanted.model_copy(update={"role": "arbiter"}), saved)
    assert (as_arbiter.json_schema, as_arbiter.sampling) == (None, "adaptive")


def test_its_own_schema_holds_where_none_is_asked_for() -> None:
    assert config_for_nested(asked(), config("x", json_schema=SCHEMA)).json_schema == SCHEMA


def test_a_member_returns_its_object_alone() -> None:
    found = iteration(answered("A", "42"))
    verdict = found.verdict.model_copy(update={"data": {"n": 1}})
    assert reply_text(found.model_copy(update={"verdict": verdict}), "member") == '{"n": 1}'


@pytest.mark.anyio
async def test_what_a_nested_run_spent_before_counts_for_its_parent_too() -> None:
    outer = Budget(FakeAsk(a="x"), max_calls=2, max_total_tokens=None)
    inner = Budget(outer, max_calls=None, max_total_tokens=None)
    reply = Reply(text="x", seconds=1, input_tokens=7, output_tokens=3)
    inner.remember(Exchange.of(asked(), reply, "2026-11-25"))
    await inner(asked())
    assert (inner.calls, outer.calls) == (2, 2)
    assert outer.spent.output_tokens == 8
