from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import ConfigError, MemberError
from consortium_mcp.core.evaluation.recordings import RecordedAsk, Recording
from consortium_mcp.core.evaluation.replay import consult, remarks, replay
from tests.support.fakes import config

pytestmark = pytest.mark.anyio


def recording(*answers: str | None, gold: str = "42", **more: Any) -> Recording:  # noqa: ANN401
    given: dict[str, Any] = {n: (a, 0.8, 10) for n, a in zip("abcd", answers, strict=False)}
    return Recording(question_id=1, gold=gold, answers=given, **more)


def vote(*models: str, **more: Any) -> Any:  # noqa: ANN401
    return config(*models, max_iterations=1, **({"strategy": "vote"} | more))


async def test_recorded_models_are_consulted_through_the_engine() -> None:
    found = await consult(recording("42", "forty", "42.0"), vote("a", "b", "c"))
    assert found.right
    assert (found.calls, found.rounds, found.output_tokens) == (3, 1, 30)
    assert found.confidence == pytest.approx(2 / 3 * 0.8)
    assert found.run.best is not None
    assert found.run.best.verdict.parts.votes == 3


async def test_waves_and_escalation_are_the_strategies_own() -> None:
    agree = await consult(recording("42", "42", "42", "41"), vote(*"abcd", sampling="adaptive"))
    assert (agree.calls, agree.rounds) == (3, 1)
    split = await consult(recording("42", "41", "41", "42"), vote(*"abc", escalate_to="d"))
    assert (split.calls, split.rounds) == (4, 2)
    assert split.right  # a strong one and one outweigh two


async def test_options_are_read_from_the_question() -> None:
    text = "Which?\nA) red\nB) blue"
    found = await consult(recording("blue", "B", "(a)", gold="B", question=text), vote(*"abc"))
    assert found.right
    assert found.confidence == pytest.approx(2 / 3 * 0.8)


async def test_an_absent_answer_abstains_and_whole_texts_are_read() -> None:
    silent = await consult(recording(None, "42"), vote("a", "b"))
    assert silent.run.best is not None
    assert silent.run.best.verdict.parts.abstentions == 1
    texts = {"a": "So:\n<final_answer>42</final_answer>\n<confidence>0.7</confidence>"}
    told = await consult(Recording(question_id="x", gold="42", texts=texts), vote("a"))
    assert (told.right, told.confidence) == (True, 0.7)


async def test_where_nobody_is_recorded_the_question_counts_as_wrong() -> None:
    found = await consult(recording(), vote("a"))
    assert (found.right, found.confidence, found.run.status) == (False, 0.0, "failed")


@pytest.mark.parametrize("strategy", ["synthesis", "rank"])
async def test_an_arbiters_own_answer_stands_in_for_its_verdict(strategy: str) -> None:
    answers = recording("42", "41", "42", "42")
    found = await consult(answers, vote(*"abc", strategy=strategy, arbiter="d"))
    assert (found.arbiter_calls, found.rounds) == (1, 2)
    assert found.run.best is not None
    verdict = found.run.best.verdict
    assert verdict.final_answer == "42"
    assert verdict.parts.agreement == pytest.approx(2 / 3)
    assert verdict.parts.arbiter_confidence == 0.8


async def test_nothing_recorded_is_a_failure_and_no_answer() -> None:
    ask = RecordedAsk(recording("42"))
    question = Question(role="member", label="A", model="z", prompt="?", iteration=1, timeout=1)
    with pytest.raises(MemberError, match="nothing is recorded of z"):
        await ask(question)


async def test_a_summary_sets_the_strategy_beside_the_singles_and_an_equal_vote() -> None:
    rows = [
        recording("42", "42", "41"),
        recording("42", "41", "42"),
        recording("41", "42", "42"),
        recording("41", "41", "41"),
    ]
    summary, outcomes = await replay(rows, vote(*"abc"))
    assert len(outcomes) == summary.questions == 4
    assert summary.measured.accuracy == summary.equal_vote.accuracy == 0.75
    assert {name: m.accuracy for name, m in summary.singles.items()} == dict.fromkeys("abc", 0.5)
    assert (summary.mean_single, summary.oracle, summary.best_single) == (0.5, 0.75, "a")
    assert summary.gain_over_best_single == 0.25
    assert summary.singles["a"].calls == 1
    assert summary.measured.calls == 3
    assert summary.output_tokens == 30
    assert summary.failed == 0


async def test_the_remarks_say_what_the_table_does_not() -> None:
    # Of the second question, only the model that is no member is recorded.
    unheard = Recording(question_id=2, gold="42", answers={"d": ("42", 0.8, 10)})
    summary, _ = await replay([recording("42", "41", "42"), unheard], vote(*"abc"))
    told = "\n".join(remarks(summary))
    assert "1 question nobody answered: counted as wrong" in told
    assert "best single member a" in told
    assert "No verdicts are recorded" not in told
    judged, _ = await replay(
        [recording("42", "41", "42", "42")], vote(*"abc", strategy="synthesis", arbiter="d")
    )
    assert "1.00 by the arbiter" in "\n".join(remarks(judged))
    assert "No verdicts are recorded" in remarks(judged)[-1]


async def test_the_model_escalated_to_is_shown_alone_but_is_no_member() -> None:
    rows = [recording("41", "40", "39", "42")]
    summary, _ = await replay(rows, vote(*"abc", escalate_to="d"))
    assert summary.singles["d"].accuracy == 1
    assert summary.best_single != "d"
    assert summary.oracle == 0


@pytest.mark.parametrize(
    ("rows", "told"),
    [([], "nothing to replay"), ([recording("42")], "of b, c. There are: a")],
)
async def test_what_is_not_recorded_is_an_error_before_anything_runs(
    rows: list[Recording], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        await replay(rows, vote("a", "b", escalate_to="c"))


async def test_checks_are_simulated_at_the_accuracy_that_is_given() -> None:
    rows = [
        recording("41", "41", "42", "40").model_copy(update={"question_id": number})
        for number in range(40)
    ]
    for accuracy, right in ((1.0, 1.0), (0.0, 0.0)):
        summary, outcomes = await replay(rows, vote(*"abcd", strategy="verify"), accuracy)
        assert summary.measured.accuracy == right
        assert outcomes[0].calls > 4
    some = [await consult(each, vote(*"abcd", strategy="verify"), 0.7) for each in rows]
    assert 0.2 < sum(each.right for each in some) / len(some) < 0.9
    again = [await consult(each, vote(*"abcd", strategy="verify"), 0.7) for each in rows]
    assert [each.right for each in some] == [each.right for each in again]


@pytest.mark.parametrize("strategy", ["verify", "council"])
async def test_reviews_that_nobody_recorded_are_missing(strategy: str) -> None:
    wanted = vote(*"abc", strategy=strategy, arbiter="a")
    found = await consult(
        recording("42", "42", "41"), wanted, 0.9 if strategy == "council" else None
    )
    assert found.right
    assert found.run.best is not None
    assert found.run.best.verdict.review is not None
    assert found.run.best.verdict.review.missing
