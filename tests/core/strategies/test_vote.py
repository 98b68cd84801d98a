from __future__ import annotations

import pytest

from consortium_mcp.core.domain.consortium import Tier
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.judging.tie_breaks import break_tie
from consortium_mcp.core.strategies.vote import CENTRAL_STANDS, NOTHING_TO_COUNT, Vote
from tests.support.fakes import FakeAsk, answered, consulted, failed, reply, run_of

pytestmark = pytest.mark.anyio


def tiered(*tiers: Tier | None) -> Run:
    run = run_of(*(f"m{i}" for i in range(len(tiers))), strategy="vote")
    members = [m.model_copy(update={"tier": t}) for m, t in zip(run.members, tiers, strict=True)]
    return run.model_copy(update={"members": tuple(members)})


async def test_most_votes_win_and_abstentions_are_counted() -> None:
    responses = (
        answered("A", "41", 0.99),
        answered("B", "42", 0.6, "Forty-two."),
        answered("C", "42.0", 0.8, "It is 42."),
        answered("D", None, 0.9),
        failed("E"),
    )
    ask = FakeAsk()
    found = await Vote().judge(run_of(*"abcde"), responses, ask)
    assert ask.questions == []
    assert (found.final_answer, found.synthesis) == ("42.0", "It is 42.")
    assert found.supporters == ("B", "C")
    assert (found.parts.votes, found.parts.abstentions) == (4, 1)
    assert found.parts.agreement == 0.5
    assert found.parts.margin == 0.25
    assert found.confidence == pytest.approx(0.5 * 0.7)
    assert [d.labels for d in found.dissent] == [("A",), ("D",)]
    assert found.warnings == ()


async def test_a_tie_goes_first_to_the_higher_tier() -> None:
    run = tiered("light", "strong", "mid")
    responses = (answered("A", "1", 0.99), answered("B", "2", 0.1), answered("C", "3", 0.9))
    assert break_tie(run, responses, [("A",), ("B",), ("C",)]) == (("B",), "tier")
    run = tiered("light", "mid", None)  # without a tier is as good as the middling one
    found = break_tie(run, responses, [("A",), ("B",), ("C",)])
    assert found == (("C",), "mean stated confidence")


async def test_a_tie_goes_to_the_higher_stated_confidence_then_to_panel_order() -> None:
    run = run_of("a", "b", "c")
    by_stated = (answered("A", "1", 0.5), answered("B", "2", 0.9), answered("C", "3"))
    found = await Vote().judge(run, by_stated, FakeAsk())
    assert found.final_answer == "2"
    assert found.warnings == (
        "3 answers had equally many votes: the tie was broken by mean stated confidence.",
    )
    by_order = (answered("A", "1", 0.5), answered("B", "2", 0.5), answered("C", "3", 0.1))
    found = await Vote().judge(run, by_order, FakeAsk())
    assert found.final_answer == "1"
    assert "broken by panel order" in found.warnings[0]
    assert "broken by panel order" in found.parts.method


async def test_a_strong_member_is_not_outvoted_by_light_ones() -> None:
    run = tiered("strong", "light", "light", "light", "light")
    responses = (answered("A", "1", 0.8), *(answered(label, "2", 0.9) for label in "BCDE"))
    found = await Vote().judge(run, responses, FakeAsk())
    assert found.final_answer == "1"
    assert found.parts.weighted
    assert found.parts.agreement == pytest.approx(0.612, abs=0.001)
    assert "the weighted share" in found.parts.method


async def test_three_middling_members_that_agree_outvote_a_strong_one() -> None:
    run = tiered("strong", "mid", None, "mid")
    responses = (answered("A", "1", 0.8), *(answered(label, "2", 0.9) for label in "BCD"))
    found = await Vote().judge(run, responses, FakeAsk())
    assert found.final_answer == "2"


async def test_mean_stated_confidence_has_the_votes_weights() -> None:
    run = tiered("strong", "light")
    responses = (answered("A", "1", 1.0), answered("B", "1", 0.0))
    found = await Vote().judge(run, responses, FakeAsk())
    assert found.parts.agreement == 1
    assert found.parts.mean_stated == pytest.approx(0.863, abs=0.001)


async def test_an_abstention_never_wins_over_an_answer() -> None:
    responses = (answered("A", None, 0.99), answered("B", "2", 0.1), answered("C", None, 0.9))
    found = await Vote().judge(run_of("a", "b", "c"), responses, FakeAsk())
    assert found.final_answer == "2"
    assert found.parts.agreement == pytest.approx(1 / 3)


async def test_without_any_short_answer_nothing_is_counted_and_that_is_said() -> None:
    responses = (answered("A", None, 0.5, "Perhaps."), answered("B", None, 0.9, "Surely."))
    found = await Vote().judge(run_of("a", "b"), responses, FakeAsk())
    assert found.synthesis == "Surely."
    assert found.parts.agreement == 0.5  # silence is no agreement
    assert found.warnings == (NOTHING_TO_COUNT,)


async def test_a_vote_is_taken_once_for_nobody_would_learn_anything() -> None:
    ask = FakeAsk(a=reply("1", 0.2), b=reply("2", 0.2))
    ended = await consulted(run_of("a", "b", strategy="vote"), ask)
    assert (ended.status, ended.stop_reason, len(ended.iterations)) == ("completed", "stable", 1)
    assert [q.prompt for q in ask.questions] == ["How many?", "How many?"]


async def test_of_three_open_answers_the_central_one_stands_and_that_is_said() -> None:
    responses = (
        answered("A", None, 0.9, "Use a queue."),
        answered("B", None, 0.5, "Use a cache, in front of the database."),
        answered("C", None, 0.5, "Use a cache."),
    )
    found = await Vote().judge(run_of("a", "b", "c"), responses, FakeAsk())
    assert found.synthesis == "Use a cache."
    assert found.warnings == (CENTRAL_STANDS,)
