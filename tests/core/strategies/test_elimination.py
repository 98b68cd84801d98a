from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.spending.estimate import estimate
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


def run(*models: str, **more: object) -> Run:
    settings: dict[str, Any] = {"strategy": "elimination"} | more
    return run_of(*models, **settings)


def ranked(ranking: str, **fields: object) -> str:
    more = {"support": ranking.split(",", maxsplit=1)[0], "groups": "", "needs_iteration": "true"}
    given: dict[str, Any] = more | fields
    return verdict(ranking=ranking, **given)


async def test_the_weakest_third_leaves_after_each_iteration_until_one_is_left() -> None:
    ask = FakeAsk(
        a=reply("42", 0.4),
        b=reply("41", 0.4),
        c=reply("40", 0.4),
        d=reply("39", 0.4),
        judge=[ranked("A, B, C, D"), ranked("A, C, B"), ranked("A, C")],
    )
    ended = await consulted(run(*"abcd", min_iterations=3, confidence_threshold=1), ask)
    spoke = ["".join(r.label for r in it.responses) for it in ended.iterations]
    assert spoke == ["ABCD", "ABC", "AC"]
    assert ended.iterations[0].verdict.leaving == ("D",)
    assert ended.iterations[1].verdict.leaving == ("B",)
    alone = ended.iterations[2].verdict
    assert (alone.leaving, alone.parts.votes) == (("C",), 4)


async def test_one_alone_is_not_weighed_again() -> None:
    said = [ranked("A, B", confidence=str(0.1 * n)) for n in range(1, 9)]
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.9), judge=said)
    ended = await consulted(run("a", "b", max_iterations=9, confidence_threshold=1), ask)
    assert (ended.stop_reason, len(ended.iterations)) == ("stable", 1)


async def test_who_left_still_counts_so_agreement_does_not_grow_by_expulsion() -> None:
    ask = FakeAsk(
        a=reply("42", 1.0),
        b=reply("42", 1.0),
        c=reply("41", 1.0),
        judge=[
            ranked("A, B, C", support="A, B", confidence="1"),
            ranked("A, B", support="A, B", confidence="1"),
        ],
    )
    ended = await consulted(run(*"abc", confidence_threshold=1), ask)
    last = ended.iterations[1].verdict
    assert [r.label for r in ended.iterations[1].responses] == ["A", "B"]
    assert last.parts.votes == 3
    assert last.parts.agreement == pytest.approx(2 / 3)
    assert [d.labels for d in last.dissent] == [("C",)]


async def test_who_left_with_the_same_answer_supports_it_still() -> None:
    ask = FakeAsk(
        a=reply("42", 1.0),
        b=reply("41", 1.0),
        c=reply("42.0", 1.0),
        judge=[ranked("A, B, C"), ranked("A, B")],
    )
    ended = await consulted(run(*"abc", confidence_threshold=1), ask)
    assert ended.iterations[1].verdict.supporters == ("A", "C")


async def test_without_a_ranking_the_lonelier_leave_first() -> None:
    ask = FakeAsk(
        a=reply("41", 0.9),
        b=reply("42", 0.3),
        c=reply("42", 0.3),
        judge=ranked("", support="B, C", final_answer="42"),
    )
    ended = await consulted(run(*"abc", confidence_threshold=1, max_iterations=2), ask)
    assert ended.iterations[0].verdict.leaving == ("A",)


async def test_who_failed_has_not_been_weighed_and_may_come_back() -> None:
    ask = FakeAsk(
        a=reply("42", 0.5),
        b=[MemberError("HTTP 500"), reply("41", 0.5)],
        judge=[ranked("A"), ranked("A, B")],
    )
    ended = await consulted(run("a", "b", confidence_threshold=1), ask)
    assert [r.answered for r in ended.iterations[1].responses] == [True, True]
    assert ended.iterations[0].verdict.leaving == ()
    assert ended.iterations[1].verdict.leaving == ("B",)


def test_a_plan_counts_fewer_members_from_iteration_to_iteration() -> None:
    plan, _ = estimate(run(*"abcd", min_iterations=2, max_iterations=3), {})
    assert (plan.fewest_calls, plan.most_calls) == (4 + 1 + 3 + 1, 4 + 3 + 2 + 3 * 2)
