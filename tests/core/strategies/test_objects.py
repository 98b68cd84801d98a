from __future__ import annotations

import json
from typing import Any

import pytest

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.prompts.quoting import verdict_code
from consortium_mcp.core.spending.estimate import estimate
from consortium_mcp.core.strategies import STRATEGIES, get_strategy, strategy_of
from tests.support.fakes import FakeAsk, config, consulted, run_of

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}, "name": {}}, "required": ["n"]}
ONE, TWO = json.dumps({"n": 1, "name": "Ann"}), json.dumps({"n": 2, "name": "Ann"})
VOTE_2 = json.dumps({"fields": [{"field": "F1", "choice": "2", "value": ""}]})


def run_with(*models: str, **more: Any) -> Run:  # noqa: ANN401 (settings)
    return run_of(*models, json_schema=SCHEMA, **more)


class Judged(FakeAsk):
    """An arbiter that chooses this for the first field, with the run's code."""

    def __init__(self, run: Run, choice: str, **script: Any) -> None:  # noqa: ANN401
        super().__init__(judge="", **script)
        self._run, self._choice = run, choice

    async def __call__(self, question: Question, /) -> Reply:
        reply = await super().__call__(question)
        if question.role != "arbiter":
            return reply
        # The mark of an iteration needs only to know how many came before.
        before = self._run.model_copy(update={"iterations": (None,) * (question.iteration - 1)})
        fields = [{"field": "F1", "choice": self._choice}]
        text = json.dumps({"code": verdict_code(before), "fields": fields})
        return reply.model_copy(update={"text": text})


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_schema_takes_the_place_of_every_strategy(name: str) -> None:
    own = get_strategy(name)
    assert strategy_of(config("a", strategy=name)) is own
    with_schema = strategy_of(config("a", strategy=name, json_schema=SCHEMA))
    assert with_schema is not own
    assert with_schema.weighs == own.weighs  # so a demo model may be a tally's arbiter
    assert not with_schema.asks_in_waves


async def test_members_are_asked_for_the_object_natively_and_in_words() -> None:
    run = run_with("a", "b", system="Be exact.", prompt="What does it say?")
    ask = FakeAsk(a=ONE, b=ONE)
    ended = await consulted(run, ask)
    assert (ended.status, ended.stop_reason) == ("completed", "threshold")
    assert ended.best
    assert ended.best.verdict.data == {"n": 1, "name": "Ann"}
    for question in ask.questions:
        assert question.prompt == "What does it say?"
        assert question.json_schema == SCHEMA
        assert str(question.system).startswith("Be exact.\n\nReply with one JSON object")
        assert '"integer"' in str(question.system)


async def test_the_arbiter_settles_and_later_iterations_ask_about_the_contested_alone() -> None:
    run = run_with("a", "b", "c", min_iterations=2, system="Be exact.")
    ask = Judged(run, "2", a=[ONE, VOTE_2], b=[ONE, VOTE_2], c=[TWO, VOTE_2])
    ended = await consulted(run, ask)
    first, second = (iteration.verdict for iteration in ended.iterations)
    assert (first.fields[0].settled_by, first.arbiter) == ("arbiter", "judge")
    assert (second.fields[0].settled_by, second.fields[0].agreement) == ("vote", 1.0)
    assert (second.data, second.arbiter) == ({"n": 2, "name": "Ann"}, None)
    assert len(ask.asked("judge")) == 1
    again = ask.asked("a")[1]
    assert "F1 is /n" in again.prompt
    assert "Ann" not in again.prompt
    assert again.system == "Be exact."
    assert again.json_schema is not None
    assert again.json_schema["required"] == ["fields"]
    assert ended.status == "completed"


async def test_without_an_arbiter_the_votes_stand() -> None:
    run = run_with("a", "b", "c", strategy="vote", max_iterations=1)
    ask = FakeAsk(a=ONE, b=ONE, c=TWO)
    ended = await consulted(run, ask)
    assert ask.asked("judge") == []
    assert ended.best
    assert ended.best.verdict.data == {"n": 1, "name": "Ann"}
    assert ended.best.verdict.arbiter is None
    assert ended.status == "completed"


async def test_where_all_agree_another_iteration_asks_for_the_object_again() -> None:
    run = run_with("a", "b", min_iterations=2)
    ask = FakeAsk(a=ONE, b=ONE)
    ended = await consulted(run, ask)
    assert (len(ended.iterations), ended.status) == (2, "completed")
    assert {question.prompt for question in ask.questions} == {run.prompt}


async def test_nothing_contested_ends_the_run_though_it_is_below_the_threshold() -> None:
    ended = await consulted(run_with("a", "b", confidence_threshold=1.0), FakeAsk(a=ONE, b=ONE))
    assert (ended.stop_reason, len(ended.iterations)) == ("stable", 1)


async def test_one_object_of_several_is_not_enough_while_others_may_give_one() -> None:
    run = run_with("a", "b")
    ask = FakeAsk(a=ONE, b=[MemberError("busy"), ONE])
    ended = await consulted(run, ask)
    assert [it.verdict.parts.agreement for it in ended.iterations] == [None, 1.0]
    assert ended.best == ended.iterations[1]


async def test_an_object_that_breaks_the_schema_degrades_the_run() -> None:
    run = run_with("a", "b").model_copy(
        update={"config": config("a", "b", json_schema=SCHEMA | {"required": ["n", "x"]})}
    )
    ended = await consulted(run, FakeAsk(a=ONE, b=ONE))
    assert ended.status == "degraded"
    assert any("breaks the schema at" in warning and "x" in warning for warning in ended.warnings)
    assert ended.best
    assert ended.best.verdict.data == {"n": 1, "name": "Ann"}


@pytest.mark.parametrize(("strategy", "verdicts"), [("synthesis", 4), ("vote", 0)])
def test_a_plan_counts_the_repair_of_each_object(strategy: str, verdicts: int) -> None:
    run = run_with("a", "b", "c", strategy=strategy, max_iterations=2)
    plan, _ = estimate(run, {}, lambda _model, _sent, _received: 0.01)
    assert plan.calls == {"answers": (3, 12), "reviews": (0, 0), "verdicts": (0, verdicts)}
    assert (plan.fewest_calls, plan.most_calls, plan.priced_calls) == (3, *[12 + verdicts] * 2)
    assert plan.most_cost_usd == pytest.approx(0.01 * (12 + verdicts))
    nested, _ = estimate(run, {"a": plan}, lambda _model, _sent, _received: 0.01)
    assert nested.most_calls == 12 + verdicts + 4 * (12 + verdicts - 1)
