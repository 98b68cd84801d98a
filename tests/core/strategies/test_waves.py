from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.learned import Weights
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.panel.labels import members_of_run
from consortium_mcp.core.spending.estimate import estimate
from consortium_mcp.core.strategies.waves import in_waves
from tests.support.fakes import FakeAsk, answered, config, consulted, failed, reply, run_of

SIX = "abcdef"


def with_reserve(*models: str, **more: Any) -> Run:  # noqa: ANN401
    """A run with the reserve `strong`, labelled in panel order."""
    settings: ConsortiumConfig = config(*models, escalate_to="strong", **more)
    run = run_of(*models, **more).model_copy(update={"config": settings})
    reserve = next(m for m in members_of_run(settings, "x") if m.reserve)
    reserve = reserve.model_copy(update={"label": "R"})
    return run.model_copy(update={"members": (*run.members, reserve)})


def asked(run: Run, *responses: object) -> str:
    return "".join(member.label for member in in_waves(run, responses))  # type: ignore[arg-type]


def test_full_sampling_asks_everyone_at_once() -> None:
    run = run_of(*SIX)
    assert asked(run) == "ABCDEF"
    assert asked(run, *(answered(label, "42") for label in "ABCDEF")) == ""


def test_adaptive_sampling_asks_three_and_the_rest_only_without_a_lead_of_two() -> None:
    run = run_of(*SIX, sampling="adaptive")
    assert asked(run) == "ABC"
    assert asked(run, answered("A", "1"), answered("B", "1"), answered("C", "1")) == ""
    assert asked(run, answered("A", "1"), answered("B", "1"), answered("C", "2")) == "DEF"
    assert asked(run, answered("A", "1"), answered("B", "1"), answered("C")) == ""
    assert asked(run, answered("A", "1"), failed("B"), answered("C")) == "DEF"


def test_thrifty_sampling_asks_two_at_a_time() -> None:
    run = run_of(*SIX, sampling="thrifty")
    assert asked(run) == "AB"
    assert asked(run, answered("A", "1"), answered("B", "1.0")) == ""
    split = (answered("A", "1"), answered("B", "2"))
    assert asked(run, *split) == "CD"
    assert asked(run, *split, answered("C", "2"), answered("D", "2")) == ""
    assert asked(run, *split, answered("C", "2"), answered("D", "1")) == "EF"


def test_smart_sampling_asks_first_whose_votes_weigh_most() -> None:
    run = run_of(*SIX, sampling="smart")
    split = (answered("A", "1"), answered("B", "2"))
    assert asked(run) == "AB"
    assert asked(run, *split) == "C"
    assert asked(run, *split, answered("C", "2")) == "D"
    assert asked(run, *split, answered("C", "2"), answered("D", "2")) == ""
    weights = {"a": 0.4, "b": 0.6, "c": 0.5, "d": 2.5, "e": 1.5, "f": 0.5}
    taught = Weights(of=weights, labelled=200, fitted_at="2026")
    run = run.model_copy(update={"weights": taught})
    assert asked(run) == "DE"
    assert asked(run, answered("D", "1"), answered("E", "1")) == ""
    assert asked(run, answered("D", "1"), answered("E", "2")) == "B"


def test_open_answers_give_nobody_a_lead() -> None:
    run = run_of(*SIX, sampling="thrifty")
    assert asked(run, answered("A"), answered("B")) == "CD"


def test_a_lead_is_counted_in_votes_of_the_panels_mean_weight() -> None:
    panel = config("a", "b", "c", "d", sampling="thrifty")
    tiers = ("strong", "light", "light", "light")
    members = tuple(
        m.model_copy(update={"tier": t}) for m, t in zip(panel.members, tiers, strict=True)
    )
    run = run_of("a", "b", "c", "d", sampling="thrifty").model_copy(update={"members": members})
    # the strong one alone leads by 1.07, more than twice the mean of 0.47
    assert asked(run, answered("A", "1"), answered("B", "2")) == ""


def test_the_reserve_is_asked_only_when_the_first_wave_is_not_unanimous() -> None:
    run = with_reserve("a", "b", "c")
    assert asked(run) == "ABC"
    same = (answered("A", "1"), answered("B", "1"), answered("C", "1"))
    assert asked(run, *same) == ""
    split = (*same[:2], answered("C", "2"))
    assert asked(run, *split) == "R"
    assert asked(run, *split, answered("R", "2")) == ""
    assert asked(run, *same[:2], failed("C")) == ""
    assert asked(run, same[0], failed("B"), failed("C")) == "R"
    assert asked(run, *same[:2], answered("C")) == "R"


def test_the_reserve_speaks_before_the_rest_is_asked() -> None:
    run = with_reserve(*SIX, sampling="adaptive")
    split = (answered("A", "1"), answered("B", "2"), answered("C", "3"))
    assert asked(run, *split) == "R"
    assert asked(run, *split, failed("R")) == "DEF"
    assert asked(run, *split, answered("R", "1")) == ""  # a strong vote leads by two middling ones


@pytest.mark.anyio
async def test_a_reserve_that_is_gone_for_good_is_not_asked_again() -> None:
    run = with_reserve("a", "b", strategy="vote", min_iterations=2)
    gone = MemberError("no key", kind="key", permanent=True)
    ask = FakeAsk(a=reply("1", 0.9), b=reply("2", 0.8), strong=gone)
    ended = await consulted(run, ask)
    assert len(ended.iterations) == 2
    assert len(ask.asked("strong")) == 1


@pytest.mark.anyio
async def test_who_was_not_needed_is_not_called() -> None:
    run = run_of(*SIX, strategy="vote", sampling="adaptive")
    ask = FakeAsk(**{model: reply("42", 0.9) for model in SIX})
    ended = await consulted(run, ask)
    assert sorted(question.label for question in ask.questions) == ["A", "B", "C"]
    assert ended.status == "completed"
    assert ended.best is not None
    assert ended.best.verdict.parts.votes == 3


def test_a_plan_counts_the_first_wave_at_least_and_the_reserve_at_most() -> None:
    plan, _ = estimate(
        with_reserve(*SIX, strategy="vote", sampling="thrifty", max_iterations=1), {}
    )
    assert (plan.fewest_calls, plan.most_calls) == (2, 7)
    plan, _ = estimate(run_of("a", "b", strategy="auto", max_iterations=1), {})
    assert (plan.fewest_calls, plan.most_calls) == (2, 4)
