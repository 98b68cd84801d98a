from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.confidence.agreement import group_by_answer
from consortium_mcp.core.confidence.scoring import weigh
from consortium_mcp.core.confidence.stop_rules import stop_reason
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict
from consortium_mcp.core.judging.dissent import EXCERPT, dissent_of, excerpt
from tests.support.fakes import answered, failed, run_of

PANEL = run_of(*"abcdef")

THREE = (answered("A", "42", 0.9), answered("B", "42.0", 0.7), answered("C", "41", 1.0))


def test_groups_are_by_what_answers_mean_the_largest_first() -> None:
    assert group_by_answer(PANEL, (THREE[2], *THREE[:2])) == (("A", "B"), ("C",))


def test_failed_members_are_in_no_group_and_silent_ones_stand_alone() -> None:
    responses = (answered("A"), answered("B"), failed("C"))
    assert group_by_answer(PANEL, responses) == (("A",), ("B",))


def test_confidence_is_agreement_times_the_supporters_mean_stated_confidence() -> None:
    confidence, parts = weigh(PANEL, THREE, {"A", "B"}, (), arbiter_confidence=None, method="x")
    assert parts.agreement == pytest.approx(2 / 3)
    assert parts.mean_stated == pytest.approx(0.8)
    assert confidence == pytest.approx(2 / 3 * 0.8)
    assert parts.votes == 3
    assert parts.distinct_answers == 2
    assert parts.margin == pytest.approx(1 / 3)


def test_without_stated_confidences_agreement_stands_alone() -> None:
    responses = (answered("A", "42"), answered("B", "41"))
    confidence, parts = weigh(PANEL, responses, {"A"}, (), arbiter_confidence=None, method="x")
    assert confidence == 0.5
    assert parts.mean_stated is None


def test_the_arbiter_can_lower_confidence_and_never_raise_it() -> None:
    lowered, parts = weigh(PANEL, THREE, {"A", "B"}, (), arbiter_confidence=0.1, method="x")
    assert lowered == 0.1
    assert parts.method.startswith("the arbiter's own confidence")
    raised, _ = weigh(PANEL, THREE, {"A", "B"}, (), arbiter_confidence=1.0, method="x")
    assert raised == pytest.approx(2 / 3 * 0.8)


def test_agreement_never_stands_on_failed_members() -> None:
    responses = (answered("A", "42"), failed("B"), failed("C"))
    confidence, parts = weigh(
        PANEL, responses, {"A", "B", "C"}, (), arbiter_confidence=None, method="x"
    )
    assert (parts.agreement, parts.margin, parts.votes) == (None, None, 1)
    assert confidence == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("failures", "stated", "arbiter", "expected"),
    [
        (1, 0.9, None, 0.45),
        (1, None, None, 0.5),
        (1, 0.9, 0.95, 0.45),
        (1, 0.9, 0.3, 0.3),
        (2, 0.9, None, 0.3),
    ],
)
def test_one_answer_left_of_several_is_no_agreement(
    failures: int, stated: float | None, arbiter: float | None, expected: float
) -> None:
    responses = (answered("A", "42", stated), *map(failed, "BC"[:failures]))
    confidence, parts = weigh(
        PANEL, responses, {"A"}, (("A",),), arbiter_confidence=arbiter, method="x"
    )
    assert confidence == pytest.approx(expected)
    assert parts.agreement is None
    assert f"of the {failures + 1} members asked" in parts.method


def test_the_only_member_of_a_panel_agrees_with_itself() -> None:
    _, parts = weigh(
        PANEL, (answered("A", "42", 0.9),), {"A"}, (), arbiter_confidence=None, method="x"
    )
    assert parts.agreement == 1


def test_a_synthesis_that_stands_on_nobody_has_no_confidence() -> None:
    confidence, parts = weigh(PANEL, THREE, (), (("A", "B"),), arbiter_confidence=0.99, method="x")
    assert confidence == parts.agreement == 0
    assert parts.margin == pytest.approx(-2 / 3)
    assert parts.distinct_answers == 2


_RESPONSES = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", None]),
        st.one_of(st.none(), st.floats(min_value=0, max_value=1)),
    ),
    min_size=1,
    max_size=6,
).map(lambda rows: [answered("ABCDEF"[i], *row) for i, row in enumerate(rows)])


@given(_RESPONSES, st.sets(st.sampled_from("ABCDEF")), st.floats(0, 1))
def test_confidence_is_a_share_and_at_most_agreement_and_the_arbiters(
    responses: list[Response], supporters: set[str], arbiter: float
) -> None:
    confidence, parts = weigh(
        PANEL,
        responses,
        supporters,
        group_by_answer(PANEL, responses),
        arbiter_confidence=arbiter,
        method="x",
    )
    assert parts.agreement is not None
    assert parts.margin is not None
    assert 0 <= confidence <= min(parts.agreement, arbiter) + 1e-12
    assert -1 <= parts.margin <= 1
    assert 1 <= parts.distinct_answers <= len(responses)


def test_dissent_is_grouped_and_speaks_in_the_arbiters_words() -> None:
    responses = (*THREE, answered("D", "41", 0.2), answered("E", "40", text="Forty it is."))
    said = ((("C",), "rounds too early"), ((), "nobody looked at the units"))
    found = dissent_of(responses, ("A", "B"), group_by_answer(PANEL, responses), said)
    assert [(d.labels, d.final_answer, d.argument) for d in found] == [
        ((), None, "nobody looked at the units"),
        (("C", "D"), "41", "rounds too early"),
        (("E",), "40", "Forty it is."),
    ]


def test_a_lone_dissenter_outside_all_groups_is_not_forgotten() -> None:
    found = dissent_of(THREE, ("A", "B"), (("A", "B"),))
    assert [d.labels for d in found] == [("C",)]


def test_excerpts_end_at_a_word_within_the_limit() -> None:
    text = "word " * 200
    assert len(excerpt(text)) <= EXCERPT
    assert excerpt(text).endswith("word…")
    assert excerpt("short") == "short"


def _run(*confidences: float, answers: tuple[str | None, ...] = (), **limits: int) -> Run:
    iterations = []
    for number, confidence in enumerate(confidences):
        answer = answers[number] if answers else "42"
        responses = (answered("A", answer), answered("B", answer))
        _, parts = weigh(PANEL, responses, {"A"}, (), arbiter_confidence=None, method="x")
        verdict = Verdict(
            synthesis="s",
            final_answer=answer,
            confidence=confidence,
            parts=parts,
            supporters=("A",) if answer or number else ("B",),
        )
        iterations.append(Iteration(number=number + 1, responses=responses, verdict=verdict))
    return run_of("a", "b", prompt="?", **limits).model_copy(
        update={"iterations": tuple(iterations)}
    )


def _with_last(run: Run, **changes: object) -> Run:
    last = run.iterations[-1]
    verdict = last.verdict.model_copy(update=changes)
    changed = last.model_copy(update={"verdict": verdict})
    return run.model_copy(update={"iterations": (*run.iterations[:-1], changed)})


def test_stops_at_the_threshold() -> None:
    assert stop_reason(_run(0.8)) == "threshold"
    assert stop_reason(_run(0.79)) is None


def test_goes_on_while_the_arbiter_asks_for_more() -> None:
    assert stop_reason(_with_last(_run(0.9), needs_iteration=True)) is None


def test_min_iterations_hold_back_the_threshold() -> None:
    assert stop_reason(_run(0.9, min_iterations=2)) is None
    assert stop_reason(_run(0.9, 0.9, min_iterations=2)) == "threshold"


def test_stops_at_max_iterations() -> None:
    assert stop_reason(_run(0.1, 0.2, 0.3)) == "max_iterations"


def test_a_leading_answer_that_gains_nothing_is_stable() -> None:
    assert stop_reason(_run(0.5, 0.51)) == "stable"
    assert stop_reason(_run(0.5, 0.4)) == "stable"
    assert stop_reason(_run(0.5, 0.53)) is None
    assert stop_reason(_run(0.5, 0.5, answers=("42", "41"))) is None


def test_open_answers_are_stable_when_the_same_members_carry_them() -> None:
    assert stop_reason(_run(0.5, 0.5, answers=(None, None))) is None
    assert stop_reason(_run(0.5, 0.5, 0.5, max_iterations=9, answers=(None,) * 3)) == "stable"


def test_a_degraded_verdict_ends_the_run() -> None:
    assert stop_reason(_with_last(_run(0.1), degraded=True)) == "arbiter_failed"
