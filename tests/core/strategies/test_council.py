from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import PeerReview, Verdict
from consortium_mcp.core.engine import consultation
from consortium_mcp.core.panel.labels import members_of_run
from consortium_mcp.core.reports.report import Plan
from consortium_mcp.core.spending.budget import Budget
from consortium_mcp.core.spending.estimate import estimate
from tests.support.fakes import config, consulted, reply, run_of, verdict
from tests.support.peers import Panel, code_in, panel_of, ranking, shown_in

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.run import Run as RunValue

pytestmark = pytest.mark.anyio


def council(*models: str, **more: object) -> Run:
    settings: dict[str, object] = {"strategy": "council", "max_iterations": 1} | more
    return run_of(*models, prompt="How many?", **settings)


def with_seed(seed: str, *models: str, **more: object) -> Run:
    settings = config(*models, **{"strategy": "council", "max_iterations": 1} | more)
    return Run(
        run_id="01TEST",
        prompt="How many?",
        config=settings,
        members=members_of_run(settings, seed),
        seed=seed,
    )


async def settled(run: RunValue, ask: Ask) -> tuple[RunValue, Verdict, PeerReview]:
    ended = await consulted(run, ask)
    assert ended.best is not None
    assert ended.best.verdict.review is not None
    return ended, ended.best.verdict, ended.best.verdict.review


def places(run: RunValue, review: PeerReview) -> list[str]:
    """The models of the answers, best first."""
    models = {member.label: member.model for member in run.members}
    return [models[each.labels[0]] for each in review.ranking]


@pytest.mark.parametrize("count", range(2, 33))
async def test_any_number_of_members_ranks_the_others_and_never_itself(count: int) -> None:
    models, ask = panel_of(count)
    run, _, review = await settled(with_seed("seed", *models), ask)
    assert run.status == "completed"
    reviews = ask.asked("reviewer")
    assert Counter(q.model for q in reviews) == Counter(models)  # one call a member
    each = count - 1 if count <= 7 else 4
    read: Counter[str] = Counter()
    for question in reviews:
        texts = [*shown_in(question.prompt).values()]
        assert len(texts) == each
        assert not any(f"text of {question.model}." in text for text in texts)
        read.update(m for m in models for text in texts if f"text of {m}." in text)
    assert set(read.values()) == {each}  # an even design
    if count > 2:
        assert places(run, review)[0] == "m0"
        assert places(run, review)[-1] == models[-1]
        assert review.kendalls_w is not None
        assert review.kendalls_w > 0.9
    if count in {3, 4, 5, 6, 7, 13}:  # all pairs are compared
        assert places(run, review) == [*models]
        assert review.kendalls_w == pytest.approx(1.0)


async def test_the_chair_reads_answers_ranking_and_objections_under_labels_alone() -> None:
    models, ask = panel_of(3)
    _, found, review = await settled(council(*models), ask)
    prompt = ask.asked("arbiter")[0].prompt
    assert [*shown_in(prompt)] == ["A", "B", "C"]
    assert "A (1.00), B (0.50), C (0.00)" in prompt
    assert "- of C: the error in text of m2." in prompt
    for question in ask.questions:
        assert not {*models} & {*question.prompt.replace("text of m", "").split()}
    assert found.synthesis == "It is 42."
    assert [ballot.ranking[0] for ballot in review.ballots] == ["B", "A", "A"]
    assert [b.reviewer for b in review.ballots] == ["A", "B", "C"]


async def test_every_reviewer_has_labels_and_an_order_of_its_own_drawn_from_the_seed() -> None:
    models, ask = panel_of(6)
    run, _, _ = await settled(with_seed("one", *models), ask)
    labels = [label for q in ask.asked("reviewer") for label in shown_in(q.prompt)]
    assert len({*labels} & {member.label for member in run.members}) == 0
    assert len({tuple(shown_in(q.prompt)) for q in ask.asked("reviewer")}) == 6
    _, again = panel_of(6)
    await settled(with_seed("one", *models), again)
    assert {q.prompt for q in again.questions} == {q.prompt for q in ask.questions}
    _, other = panel_of(6)
    await settled(with_seed("two", *models), other)
    orders = {q.model: [*shown_in(q.prompt).values()] for q in ask.asked("reviewer")}
    assert orders != {q.model: [*shown_in(q.prompt).values()] for q in other.asked("reviewer")}


@pytest.mark.parametrize("seed", ["one", "two", "three"])
@pytest.mark.parametrize("turn", range(4))
async def test_the_order_of_members_and_labels_changes_nothing_but_the_labels(
    seed: str, turn: int
) -> None:
    models, ask = panel_of(4)
    turned = (*models[turn:], *models[:turn])
    run, _, review = await settled(with_seed(seed, *turned), ask)
    assert places(run, review) == [*models]
    assert [each.score for each in review.ranking] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    objection = review.strongest_objection
    assert objection is None  # nobody objects to the best


SHOWN_NONE = "XQX, WQW"
BAD: dict[str, object] = {
    "fails": MemberError("HTTP 500: down"),
    "refuses": lambda _: "I cannot rank what others wrote.",
    "writes rubbish": lambda _: "<verdict><ranking></ranking></verdict> {} ]] <",
    "writes nothing": lambda _: "",
    "ranks itself by the chair's label": lambda q: ranking(code_in(q.prompt), q.label),
    "ranks somebody unknown": lambda q: ranking(code_in(q.prompt), SHOWN_NONE),
    "says nobody is best": lambda q: ranking(code_in(q.prompt), "none of them"),
}


@pytest.mark.parametrize("how", sorted(BAD))
async def test_a_reviewer_that_gives_no_ranking_harms_nobody(how: str) -> None:
    models, ask = panel_of(4, review={"m1": BAD[how]})
    run, found, review = await settled(council(*models), ask)
    assert places(run, review) == [*models]
    assert review.missing == ("B",)
    assert run.status == "degraded"  # it did less than was asked of it
    assert any(warning.startswith("No review by B: ") for warning in run.warnings)
    assert found.synthesis == "It is 42."
    assert not found.degraded


async def test_labels_that_are_unknown_are_left_out_and_named() -> None:
    def one_unknown(question: Question) -> str:
        shown = shown_in(question.prompt)
        best = sorted(shown, key=lambda label: shown[label])
        return ranking(code_in(question.prompt), "ZZZ", *best, "B")

    models, ask = panel_of(4, review={"m1": one_unknown})
    run, _, review = await settled(council(*models), ask)
    assert places(run, review) == [*models]
    assert review.missing == ()
    assert any("The review by B: In its ranking, 'ZZZ'" in warning for warning in run.warnings)


async def test_half_a_ranking_counts_for_what_it_says() -> None:
    def half(question: Question) -> str:
        shown = shown_in(question.prompt)
        return ranking(code_in(question.prompt), *sorted(shown, key=shown.__getitem__)[:2])

    models, ask = panel_of(4, review={"m3": half})
    run, _, review = await settled(council(*models), ask)
    assert places(run, review) == [*models]
    assert [len(ballot.ranking) for ballot in review.ballots] == [3, 3, 3, 2]
    assert "The review by D: it ranked 2 of 3 answers." in run.warnings


async def test_a_ranking_of_one_compares_nothing() -> None:
    models, ask = panel_of(2)
    run, _, review = await settled(council(*models), ask)
    assert (review.ranking, review.kendalls_w, review.strongest_objection) == ((), None, None)
    assert len(review.ballots) == len(review.objections) == 2
    assert "the error in text of m1." in ask.asked("arbiter")[0].prompt
    assert run.status == "completed"


async def test_one_answer_is_reviewed_by_nobody() -> None:
    models, ask = panel_of(1)
    run = await consulted(council(*models), ask)
    assert run.best is not None
    assert run.best.verdict.review is None
    assert [q.role for q in ask.questions] == ["member", "arbiter"]


async def test_where_every_review_fails_the_chair_writes_without_them() -> None:
    models, ask = panel_of(3, review=dict.fromkeys(("m0", "m1", "m2"), MemberError("down")))
    run, found, review = await settled(council(*models), ask)
    assert (run.status, run.stop_reason) == ("degraded", "threshold")
    assert found.synthesis == "It is 42."
    assert review.missing == ("A", "B", "C")
    assert "No review by A, B, C: down." in run.warnings
    assert "reviewed each other" not in ask.asked("arbiter")[0].prompt


async def test_where_the_chair_fails_the_answer_ranked_first_stands_word_for_word() -> None:
    answers = {m: f"text of {m}.\n<confidence>{c}</confidence>" for m, c in
               (("m0", 0.2), ("m1", 0.9), ("m2", 0.5))}  # fmt: skip
    models = tuple(answers)
    ask = Panel(answers, tuple(f"text of {m}." for m in models), judge=lambda _: "I will not.")
    run, found, _ = await settled(council(*models), ask)
    assert found.degraded
    assert found.synthesis == "text of m0."
    assert (run.status, run.stop_reason) == ("degraded", "arbiter_failed")
    assert any("that the members rank first, word for word" in each for each in run.warnings)


async def test_reviews_make_no_answer_surer() -> None:
    models = ("a", "b", "c")
    answers = {
        "a": reply("42", 0.8, "text of a."),
        "b": reply("42", 0.6, "text of b."),
        "c": reply("41", 0.9, "text of c."),
    }
    best_first = tuple(f"text of {model}." for model in models)

    def chair(question: Question) -> str:
        return verdict(code=code_in(question.prompt), support="A, B", groups="", confidence="1.0")

    _, reviewed, _ = await settled(council(*models), Panel(answers, best_first, judge=chair))
    plain = await consulted(
        run_of(*models, strategy="synthesis", max_iterations=1),
        Panel(answers, best_first, judge=chair),
    )
    assert plain.best is not None
    assert reviewed.confidence == plain.best.verdict.confidence == pytest.approx(2 / 3 * 0.7)


async def test_a_chair_that_goes_against_the_ranking_is_named() -> None:
    answers = {
        "a": reply("42", 0.8, "text of a."),
        "b": reply("41", 0.8, "text of b."),
        "c": reply("43", 0.8, "text of c."),
    }

    def chair(question: Question) -> str:
        shown = code_in(question.prompt)
        return verdict(code=shown, synthesis="It is 43.", final_answer="43", support="C", groups="")

    ask = Panel(answers, ("text of a.", "text of b.", "text of c."), judge=chair)
    run, _, _ = await settled(council("a", "b", "c"), ask)
    assert "The members rank A first; the chair's synthesis stands on C." in run.warnings

    def nobody(question: Question) -> str:
        fields = {"synthesis": "44", "final_answer": "44", "support": "", "groups": ""}
        return verdict(code=code_in(question.prompt), **fields)

    ask = Panel(answers, ("text of a.", "text of b.", "text of c."), judge=nobody)
    run, _, _ = await settled(council("a", "b", "c"), ask)
    assert not any("rank A first" in warning for warning in run.warnings)


async def test_the_strongest_objection_is_that_of_who_places_the_winner_lowest() -> None:
    def says(place: int, error: str) -> object:
        def review(question: Question) -> str:
            shown = shown_in(question.prompt)
            best = sorted(shown, key=shown.__getitem__)
            first, rest = best[0], best[1:]
            order = [*rest[:place], first, *rest[place:]]
            return ranking(code_in(question.prompt), *order, errors={first: error, rest[0]: "no"})

        return review

    models, ask = panel_of(4, review={"m1": says(0, "a comma"), "m2": says(1, "the sign is off")})
    run, _, review = await settled(council(*models), ask)
    assert places(run, review)[0] == "m0"
    objection = review.strongest_objection
    assert objection is not None
    assert (objection.reviewer, objection.of, objection.text) == ("C", "A", "the sign is off")
    assert all(each.text != "no" for each in review.objections)


async def test_who_failed_to_answer_neither_reviews_nor_is_reviewed() -> None:
    models, ask = panel_of(4)
    good = ask.__call__

    async def one_fails(question: Question, /) -> object:
        if question.model == "m1":
            raise MemberError("HTTP 500: down")
        return await good(question)

    run, _, review = await settled(council(*models), one_fails)  # type: ignore[arg-type]
    assert places(run, review) == ["m0", "m2", "m3"]
    assert review.missing == ()


async def test_a_reviewer_that_hangs_is_cut_off_after_the_quorum_and_still_recorded() -> None:
    models, ask = panel_of(4, review={"m3": 60.0})
    landed: list[str] = []

    async def noting(question: Question, /) -> object:
        found = await ask(question)
        landed.append(f"{question.role} {question.label}")
        return found

    async def ignore(_event: object) -> None: ...

    run = council(*models, quorum=0.75, straggler_grace=2)
    began = anyio.current_time()
    async with anyio.create_task_group() as late:
        ended = await consultation.consult(run, noting, ignore, late)  # type: ignore[arg-type]
        assert anyio.current_time() - began == pytest.approx(2)
        assert "reviewer D" not in landed
    assert landed[-1] == "reviewer D"  # its answer was paid for, and is not lost
    assert ended.best is not None
    assert ended.best.verdict.review is not None
    assert ended.best.verdict.review.missing == ("D",)
    assert "No review by D: the quorum was reached and its grace was over." in ended.warnings


async def test_reviewers_leave_the_chair_time_before_the_deadline() -> None:
    models, ask = panel_of(3)
    await settled(council(*models, deadline_seconds=100, member_timeout=90), ask)
    assert [q.timeout for q in ask.asked("reviewer")] == [50, 50, 50]
    assert ask.asked("arbiter")[0].timeout == 120
    models, ask = panel_of(3)
    await settled(council(*models, member_timeout=90), ask)
    assert [q.timeout for q in ask.asked("reviewer")] == [90, 90, 90]


async def test_reviews_that_the_budget_refuses_cost_no_answer() -> None:
    models, ask = panel_of(3)
    run, found, _ = await _limited(council(*models, max_calls=5), Budget(ask, 5, None))
    assert (run.status, run.stop_reason) == ("degraded", "budget")
    assert found.synthesis.startswith("text of m0.")
    assert len(ask.questions) == 5
    models, ask = panel_of(3)
    run, _, found_review = await settled(
        council(*models, max_calls=7, max_iterations=3, confidence_threshold=1),
        Budget(ask, 7, None),
    )
    assert (run.status, run.stop_reason) == ("completed", "budget")  # no second one was begun
    assert found_review.asked == 3
    assert len(ask.questions) == 7


async def _limited(run: Run, ask: Ask) -> tuple[Run, Verdict, None]:
    ended = await consulted(run, ask)
    assert ended.best is not None
    return ended, ended.best.verdict, None


async def test_tiers_weigh_reviews_as_they_weigh_votes() -> None:
    def reversed_order(question: Question) -> str:
        shown = shown_in(question.prompt)
        best = sorted(shown, key=shown.__getitem__, reverse=True)
        return ranking(code_in(question.prompt), *best)

    models, ask = panel_of(4, review={"m3": reversed_order})
    run = council(*models)
    weighted = run.model_copy(
        update={
            "members": tuple(
                m.model_copy(update={"tier": "strong" if m.model == "m3" else "light"})
                for m in run.members
            )
        }
    )
    plain_run, _, plain = await settled(run, ask)
    assert places(plain_run, plain)[0] == "m0"
    models, ask = panel_of(4, review={"m3": reversed_order})
    weighted_run, _, found = await settled(weighted, ask)
    assert places(weighted_run, found)[0] == "m2"
    assert plain.kendalls_w == found.kendalls_w
    assert plain.kendalls_w is not None
    assert 0 < plain.kendalls_w < 1


async def test_a_dry_run_names_the_calls() -> None:
    plan, _ = estimate(council("a", "b", "c", max_iterations=2), {})
    assert plan.calls == {"answers": (3, 6), "reviews": (3, 6), "verdicts": (1, 4)}
    assert (plan.fewest_calls, plan.most_calls) == (7, 16)
    inner = Plan(fewest_calls=3, most_calls=5, estimated_input_tokens=1)
    nested, _ = estimate(council("a", "b", "c"), {"a": inner})
    assert nested.most_calls == 8 + 2 * 4  # its answer and its review
    alone, _ = estimate(council("a"), {})
    assert alone.calls["reviews"] == (0, 1)


async def test_a_review_may_be_json() -> None:
    def as_json(question: Question) -> str:
        shown = shown_in(question.prompt)
        best = sorted(shown, key=shown.__getitem__)
        errors = [f"{best[-1]}: off by one"]
        fields = {"reasons": [], "first_errors": errors, "ranking": best}
        return json.dumps({"code": code_in(question.prompt)} | fields)

    models, ask = panel_of(3, review=dict.fromkeys(("m0", "m1", "m2"), as_json))
    run, _, review = await settled(council(*models), ask)
    assert places(run, review) == [*models]
    assert review.objections[0].text == "off by one"
    schema = ask.asked("reviewer")[0].json_schema
    assert schema is not None
    assert [*schema["properties"]] == ["code", "reasons", "first_errors", "ranking"]


async def test_what_the_reviewer_is_told_beforehand() -> None:
    models, ask = panel_of(2)
    await settled(council(*models, system="Be brief.", criteria="Prefer round numbers."), ask)
    question = ask.asked("reviewer")[0]
    assert question.system is not None
    assert question.system.endswith("Prefer round numbers.")
    assert "Be brief." in question.prompt
