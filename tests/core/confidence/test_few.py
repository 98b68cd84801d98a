from __future__ import annotations

import pytest

from consortium_mcp.core.confidence.few import REPEAT_AGAINST, repeated, unheard
from consortium_mcp.core.confidence.scoring import weigh
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import ConfidenceParts, Iteration
from consortium_mcp.core.judging.voting import plurality
from tests.support.fakes import answered, failed, run_of


def weighed(run: Run, answers: str, stated: float | None = None) -> tuple[float, ConfidenceParts]:
    """The vote of the members that gave these answers, one letter each, in panel order."""
    responses = [
        answered(member.label, answer, stated)
        for member, answer in zip(run.members, answers, strict=False)
    ]
    verdict = plurality(run, responses)
    return verdict.confidence, verdict.parts


def test_two_of_two_is_not_what_six_of_six_is() -> None:
    run = run_of(*"abcdef", strategy="vote", sampling="thrifty")
    two, parts = weighed(run, "77")
    four, _ = weighed(run, "7777")
    six, whole = weighed(run, "777777")
    assert [two, four, six] == pytest.approx([2 / 2.1, 4 / 4.1, 1])
    assert (parts.agreement, parts.unheard, whole.unheard) == (1, 4, 0)
    assert "less what too few different votes leave open" in parts.method


def test_who_failed_for_good_was_not_spared() -> None:
    run = run_of(*"abc", strategy="vote", sampling="adaptive")
    gone = failed("C").model_copy(update={"permanent": True})
    votes = (answered("A", "7"), answered("B", "7"), gone)
    first = Iteration(number=1, responses=votes, verdict=plurality(run, votes))
    later = run.model_copy(update={"iterations": (first,)})
    assert unheard(later, votes[:2]) == []
    assert unheard(run, votes[:2]) == ["C"]
    assert unheard(run_of(*"abc"), votes[:2]) == []


def test_instances_of_one_model_add_less_than_different_models() -> None:
    different, _ = weighed(run_of("a", "b"), "77")
    same, parts = weighed(run_of("a", "a"), "77")
    assert different == 1
    assert same == pytest.approx(1 - REPEAT_AGAINST / 2)
    assert (parts.agreement, parts.repeated) == (1, 1)
    three, _ = weighed(run_of("a", "a", "b"), "777")
    assert same < three < different
    stated, _ = weighed(run_of("a", "a"), "77", 0.9)
    assert stated == pytest.approx(0.9 * same)


def test_instances_that_disagree_repeat_nothing() -> None:
    confidence, parts = weighed(run_of("a", "a", "b"), "787")
    assert confidence == pytest.approx(2 / 3)
    assert parts.repeated == 0
    run = run_of("a", "b", "a", "a")
    assert repeated(run, ["C", "A", "B", "D"]) == ["C", "D"]


def test_one_member_alone_is_told_as_before() -> None:
    confidence, parts = weigh(
        run_of("a"), [answered("A", "7")], {"A"}, (), arbiter_confidence=None, method="x"
    )
    assert (confidence, parts.method) == (1, "the share of members that x")
