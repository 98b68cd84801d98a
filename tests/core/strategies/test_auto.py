from __future__ import annotations

import pytest

from consortium_mcp.core.strategies.auto import Auto
from tests.support.fakes import FakeAsk, answered, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


async def test_a_majority_stands_told_by_its_most_confident_supporter() -> None:
    responses = (
        answered("A", "42", 0.7, "So-so."),
        answered("B", "42.0", 0.9, "Because 6 × 7."),
        answered("C", "41", 0.99),
    )
    ask = FakeAsk()
    found = await Auto().judge(run_of("a", "b", "c"), responses, ask)
    assert ask.questions == []
    assert found.synthesis == "Because 6 × 7."
    assert found.arbiter is None


@pytest.mark.parametrize(
    "answers",
    [("1", "2", "3"), ("1", "1", "2", "2"), ("1", "1", None, None), (None, None)],
)
async def test_without_a_majority_of_all_who_answered_the_arbiter_judges(
    answers: tuple[str | None, ...],
) -> None:
    labels = "ABCD"[: len(answers)]
    responses = [answered(label, given) for label, given in zip(labels, answers, strict=True)]
    ask = FakeAsk(judge=verdict(support="A", groups="", ranking="", final_answer=""))
    found = await Auto().judge(run_of(*labels.lower()), responses, ask)
    assert (found.arbiter, found.synthesis) == ("judge", "It is 42.")


async def test_a_majority_below_the_threshold_is_asked_again_knowing_the_other_side() -> None:
    ask = FakeAsk(
        a=reply("42", 0.9), b=reply("42", 0.9), c=[reply("41", 0.9, "It is odd."), reply("42", 0.9)]
    )
    ended = await consulted(run_of("a", "b", "c", strategy="auto"), ask)
    assert (ended.stop_reason, len(ended.iterations)) == ("threshold", 2)
    assert "It is odd." in ask.asked("a")[1].prompt
    assert "It is odd." not in ask.asked("a")[0].prompt


async def test_the_same_majority_again_is_stable() -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9), c=reply("41", 0.9))
    ended = await consulted(run_of("a", "b", "c", strategy="auto", max_iterations=9), ask)
    assert (ended.stop_reason, len(ended.iterations)) == ("stable", 2)
