from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.spending.estimate import estimate
from consortium_mcp.core.strategies.verify import Verify
from tests.support.fakes import FakeAsk, answered, consulted, reply, run_of
from tests.support.peers import Panel, check, code_in

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import PeerReview, Verdict

pytestmark = pytest.mark.anyio


def verifying(*models: str, **more: object) -> Run:
    settings: dict[str, object] = {"strategy": "verify", "max_iterations": 1} | more
    return run_of(*models, prompt="How many?", **settings)


class Checkers(Panel):
    """Members that answer as told, and find each answer right or wrong as `right` says.

    Args:
        answers: each model's short answer.
        right: the answers that checkers pass; of others they say what is wrong.
        findings: what a model says instead, by its name.
    """

    def __init__(
        self,
        answers: dict[str, str],
        right: tuple[str, ...] = (),
        findings: dict[str, object] | None = None,
    ) -> None:
        super().__init__({m: reply(a, 0.8, f"I get {a}.") for m, a in answers.items()})
        self._right = right
        self._findings = findings or {}

    async def _said(self, question: Question) -> str:
        if question.role == "member":
            return await super()._said(question)
        says = self._findings.get(question.model)
        if isinstance(says, Exception):
            raise says
        if says is not None:
            return says(question) if callable(says) else str(says)
        if any(f"I get {answer}." in question.prompt for answer in self._right):
            return check(code_in(question.prompt), "right")
        return check(code_in(question.prompt), "wrong", f"{question.label} slips in line 1")


async def settled(run: Run, ask: Ask) -> tuple[Run, Verdict, PeerReview]:
    ended = await consulted(run, ask)
    assert ended.best is not None
    assert ended.best.verdict.review is not None
    return ended, ended.best.verdict, ended.best.verdict.review


def says(finding: str, error: str = "") -> object:
    return lambda question: check(code_in(question.prompt), finding, error)


async def test_checks_lift_a_right_answer_over_a_better_supported_one() -> None:
    ask = Checkers({"a": "41", "b": "41", "c": "42", "d": "40"}, right=("42",))
    run, found, review = await settled(verifying("a", "b", "c", "d"), ask)
    assert (found.final_answer, found.synthesis) == ("42", "I get 42.\n42")
    assert [(r.labels, r.score) for r in review.ranking] == [
        (("C",), 4.0),  # its vote, and three that find it right
        (("A", "B"), 0.0),
        (("D",), -2.0),
    ]
    assert run.status == "completed"
    assert found.parts.agreement == 0.25  # no check makes an answer surer
    assert found.confidence == pytest.approx(0.25 * 0.8)
    assert {d.final_answer for d in found.dissent} == {"41", "40"}


async def test_no_answer_is_checked_by_who_gave_it() -> None:
    ask = Checkers({"a": "41", "b": "41", "c": "42", "d": "42", "e": "43"}, right=("41", "42"))
    await settled(verifying("a", "b", "c", "d", "e"), ask)
    answers = {"a": "41", "b": "41", "c": "42", "d": "42", "e": "43"}
    for question in ask.asked("reviewer"):
        assert f"I get {answers[question.model]}." not in question.prompt
        assert sum(f"I get {n}." in question.prompt for n in (41, 42, 43)) == 1
        assert question.label.split(" on ")[0] == question.model.upper()


async def test_where_none_can_overtake_the_leader_the_others_are_not_checked() -> None:
    ask = Checkers({"a": "42", "b": "42", "c": "42", "d": "41"}, right=("42",))
    _, found, review = await settled(verifying("a", "b", "c", "d"), ask)
    assert found.final_answer == "42"
    assert [(c.reviewer, c.of, c.finding) for c in review.checks] == [("D", "A", "right")]
    ask = Checkers({"a": "42", "b": "42", "c": "42", "d": "41"})
    _, found, review = await settled(verifying("a", "b", "c", "d"), ask)
    assert len(review.checks) == 4  # 41 might have got to 4
    assert found.final_answer == "42"


async def test_where_all_agree_the_arbiter_looks_for_an_error_and_adds_nothing() -> None:
    ask = Checkers({"a": "42", "b": "42"}, right=("42",))
    run, found, review = await settled(verifying("a", "b"), ask)
    assert [q.model for q in ask.asked("reviewer")] == ["judge"]
    assert review.ranking[0].score == 2
    assert found.confidence == pytest.approx(0.8)
    assert found.arbiter == "judge"
    assert (run.status, run.stop_reason) == ("completed", "threshold")
    ask = Checkers({"a": "42", "b": "42"})
    run, found, review = await settled(verifying("a", "b"), ask)
    assert found.parts.agreement == pytest.approx(2 / 3)  # one more voice, against it
    assert found.confidence == pytest.approx(2 / 3 * 0.8)
    assert review.strongest_objection is not None
    assert review.strongest_objection.text == "arbiter on A slips in line 1"
    assert found.needs_iteration


async def test_where_every_answer_fell_the_objections_go_back_and_all_answer_again() -> None:
    ask = Checkers({"a": "41", "b": "42"}, right=("43",))
    run = await consulted(verifying("a", "b", max_iterations=3), ask)
    again = [q for q in ask.asked("member") if q.iteration == 2]
    assert {q.model for q in again} == {"a", "b"}
    assert "41: B on A slips in line 1" in again[0].prompt
    assert "42: A on B slips in line 1" in again[0].prompt
    assert run.iterations[0].verdict.refinements == (
        "41: B on A slips in line 1",
        "42: A on B slips in line 1",
    )
    ask = Checkers({"a": "41", "b": "42"}, right=("42",))
    run = await consulted(verifying("a", "b", max_iterations=3), ask)
    assert (len(run.iterations), run.stop_reason) == (1, "stable")
    assert run.best is not None
    assert run.best.verdict.refinements == ()


@pytest.mark.parametrize("finding", ["right", "wrong"])
async def test_checkers_that_say_the_same_of_everything_change_no_vote(finding: str) -> None:
    answers = {"a": "1", "b": "2", "c": "2", "d": "3", "e": "2", "f": "1"}
    ask = Checkers(answers, findings=dict.fromkeys(answers, says(finding, "it is off")))
    _, found, _ = await settled(verifying(*answers), ask)
    assert found.final_answer == "2"


@pytest.mark.parametrize("count", range(2, 33))
async def test_calls_do_not_grow_with_the_square_of_the_members(count: int) -> None:
    answers = {f"m{place}": str(place) for place in range(count)}
    ask = Checkers(answers)
    run = verifying(*answers)
    _, _, review = await settled(run, ask)
    plan, _ = estimate(run, {})
    assert len(ask.questions) == plan.most_calls <= count + 15
    assert len(review.ranking) == min(5, count)
    load = Counter(q.model for q in ask.asked("reviewer"))
    assert max(load.values()) <= -(-3 * 5 // count) + 1


async def test_open_answers_are_checked_as_they_are_the_surest_first() -> None:
    ask = FakeAsk(judge="")
    responses = tuple(
        answered(label, None, stated, f"text of {label}")
        for label, stated in zip("ABCDEFG", (0.1, 0.9, 0.8, None, 0.7, 0.6, 0.5), strict=True)
    )

    async def all_right(question: Question, /) -> object:
        ask.questions.append(question)
        return (await FakeAsk(x=check(code_in(question.prompt), "right"))(
            question.model_copy(update={"model": "x"})
        ))  # fmt: skip

    found = await Verify().judge(verifying(*"abcdefg"), responses, all_right)  # type: ignore[arg-type]
    assert found.synthesis == "text of B"
    assert found.review is not None
    assert [r.labels for r in found.review.ranking] == [("B",)] + [(c,) for c in "CEFG"]
    assert len(found.review.checks) == 3  # 1 + 3 cannot be overtaken


async def test_a_short_answer_goes_before_an_open_one_with_as_many_votes() -> None:
    responses = (answered("A", None, 0.9, "It depends."), answered("B", "42", 0.2, "I get 42."))
    found = await Verify().judge(
        verifying("a", "b"), responses, Checkers({}, right=("42",), findings={})
    )
    assert found.final_answer == "42"


async def test_spared_members_check_and_their_doubts_count_against_the_answer() -> None:
    answers = dict.fromkeys("abcdef", "42")
    ask = Checkers(answers, right=("42",))
    run, found, review = await settled(verifying(*answers, sampling="adaptive"), ask)
    assert len(ask.asked("member")) == 3
    assert {check.reviewer for check in review.checks} == {"D", "E", "F"}
    # A tenth of one vote that nobody heard counts against the three; a check is not a vote.
    assert found.confidence == pytest.approx(0.8 * 3 / 3.1)
    assert review.ranking[0].score == 6
    ask = Checkers(answers)
    run, found, _ = await settled(verifying(*answers, sampling="adaptive"), ask)
    assert found.parts.agreement == 0.5
    assert run.status == "completed"


async def test_a_check_that_cannot_tell_counts_nothing() -> None:
    ask = Checkers({"a": "41", "b": "42", "c": "42"}, findings=dict.fromkeys(
        "abc", says("cannot tell", "no figures are given")))  # fmt: skip
    _, found, review = await settled(verifying("a", "b", "c"), ask)
    assert [r.score for r in review.ranking] == [2, 1]
    assert not found.needs_iteration
    assert review.strongest_objection is None


BAD: dict[str, object] = {
    "fails": MemberError("HTTP 500: down"),
    "refuses": "I would rather not.",
    "says both": says("right, wrong, or cannot tell"),
    "says neither": says("perhaps"),
    "ranks": lambda q: f'<verdict code="{code_in(q.prompt)}"><ranking>A</ranking></verdict>',
}


@pytest.mark.parametrize("how", sorted(BAD))
async def test_checks_that_are_missing_cost_no_answer(how: str) -> None:
    answers = {"a": "41", "b": "42", "c": "42"}
    ask = Checkers(answers, findings=dict.fromkeys(answers, BAD[how]))
    run, found, review = await settled(verifying(*answers), ask)
    assert found.final_answer == "42"
    assert review.checks == ()
    assert sorted(review.missing) == ["A on B", "B on A", "C on A"]
    assert run.status == "degraded"
    assert any(w.startswith("No review by A on B") for w in run.warnings)
    assert not found.needs_iteration


async def test_who_failed_to_answer_does_not_check() -> None:
    answers = {"a": "41", "b": "42", "c": "42"}
    ask = Checkers(answers, right=("42",))
    good = ask.__call__

    async def one_fails(question: Question, /) -> object:
        if question.model == "b":
            raise MemberError("down")
        return await good(question)

    await settled(verifying(*answers), one_fails)  # type: ignore[arg-type]
    assert {q.model for q in ask.asked("reviewer")} == {"a", "c"}


async def test_the_strongest_objection_is_the_weightiest_checkers() -> None:
    answers = {"a": "42", "b": "42", "c": "42", "d": "41", "e": "40"}
    findings = {"d": says("wrong", "a slip"), "e": says("wrong", "a blunder")}
    run = verifying(*answers)
    tiers = {"d": "light", "e": "strong"}
    members = tuple(m.model_copy(update={"tier": tiers.get(m.model, "mid")}) for m in run.members)
    run = run.model_copy(update={"members": members})
    _, found, review = await settled(run, Checkers(answers, findings=findings))
    assert found.final_answer == "42"
    assert review.strongest_objection is not None
    assert (review.strongest_objection.reviewer, review.strongest_objection.text) == (
        "E",
        "a blunder",
    )


async def test_the_budget_ends_checks_and_keeps_the_answers() -> None:
    answers = {"a": "41", "b": "42", "c": "42"}
    ask = Checkers(answers, right=("42",))
    run, found, review = await settled(verifying(*answers, max_calls=3), Budget(ask, 3, None))
    assert found.final_answer == "42"
    assert len(ask.questions) == 3
    assert run.status == "degraded"
    assert len(review.missing) == 3


async def test_a_dry_run_names_the_checks() -> None:
    plan, _ = estimate(verifying("a", "b", "c"), {})
    assert plan.calls == {"answers": (3, 3), "reviews": (1, 6), "verdicts": (0, 0)}
    plan, _ = estimate(verifying("a"), {})
    assert plan.calls["reviews"] == (1, 1)


async def test_the_arbiter_that_checks_has_its_own_options_and_time() -> None:
    ask = Checkers({"a": "42"}, right=("42",))
    await settled(verifying("a", arbiter_timeout=9, arbiter_options={"temperature": 0}), ask)
    question = ask.asked("reviewer")[0]
    assert (question.model, question.timeout, question.options) == ("judge", 9, {"temperature": 0})
    assert question.json_schema is not None
    assert [*question.json_schema["properties"]] == ["code", "first_errors", "finding"]
