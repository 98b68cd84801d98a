from __future__ import annotations

import pytest

from consortium_mcp.core.domain.learned import Weights
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.judging.arbitration import best_supported
from consortium_mcp.core.judging.centrality import most_central
from consortium_mcp.core.judging.voting import is_central, plurality
from tests.support.fakes import answered, run_of

EQUAL = dict.fromkeys("ABCD", 1.0)
CACHE = "Put a cache in front of the database and invalidate it on each write."
QUEUE = "Use a queue between the services, so that peaks do not reach the database."
BOTH = "Put a cache in front of the database, and a queue between the services."
OTHER = "Rewrite everything in another language."


def essays(*texts: str, stated: float | None = None) -> list[Response]:
    return [answered(label, None, stated, text) for label, text in zip("ABCD", texts, strict=False)]


def test_the_text_most_like_the_others_is_central() -> None:
    texts = dict(zip("ABCD", (OTHER, CACHE, BOTH, QUEUE), strict=True))
    assert most_central(texts, EQUAL) == ["C"]


def test_a_text_gains_nothing_by_repeating_itself() -> None:
    long = f"{OTHER} " * 50
    texts = dict(zip("ABCD", (long, CACHE, BOTH, QUEUE), strict=True))
    assert most_central(texts, EQUAL) == ["C"]


def test_likeness_to_a_heavier_member_counts_more() -> None:
    texts = {"A": CACHE, "B": BOTH, "C": OTHER}
    assert most_central(texts, EQUAL) != ["C"]
    assert most_central(texts, {"A": 0.1, "B": 0.1, "C": 5.0}) == ["C"]


def test_equal_and_empty_texts_are_equally_central() -> None:
    assert most_central({"A": CACHE, "B": CACHE}, EQUAL) == ["A", "B"]
    assert most_central({"A": "", "B": ""}, EQUAL) == ["A", "B"]


def test_of_open_answers_the_most_central_stands_and_is_told_as_that() -> None:
    run = run_of("a", "b", "c", "d", strategy="vote")
    verdict = plurality(run, essays(OTHER, CACHE, BOTH, QUEUE, stated=0.9))
    assert (verdict.synthesis, verdict.supporters) == (BOTH, ("C",))
    assert verdict.parts.agreement == 0.25
    assert verdict.confidence == pytest.approx(0.225)  # nobody agrees for being alike
    assert "central, not agreed" in verdict.parts.method
    assert is_central(verdict)


def test_when_the_arbiter_fails_the_most_central_answer_stands() -> None:
    run = run_of("a", "b", "c", "d")
    verdict = best_supported(run, essays(OTHER, CACHE, BOTH, QUEUE), "The arbiter failed")
    assert (verdict.synthesis, verdict.degraded) == (BOTH, True)
    assert "the answer most like the others, word for word" in verdict.warnings[0]


def test_what_labels_taught_counts_here_too() -> None:
    run = run_of("a", "b", "c", strategy="vote")
    taught = Weights(of={"a": 0.1, "b": 0.1, "c": 2.8}, labelled=50, fitted_at="2026")
    responses = essays(CACHE, BOTH, OTHER)
    assert plurality(run, responses).synthesis != OTHER
    assert plurality(run.model_copy(update={"weights": taught}), responses).synthesis == OTHER


def test_of_two_open_answers_the_more_confident_stands() -> None:
    run = run_of("a", "b", strategy="vote")
    responses = [answered("A", None, 0.6, CACHE), answered("B", None, 0.8, OTHER)]
    verdict = plurality(run, responses)
    assert verdict.supporters == ("B",)
    assert not is_central(verdict)


def test_one_short_answer_goes_before_open_ones() -> None:
    run = run_of("a", "b", "c", "d", strategy="vote")
    responses = [*essays(CACHE, BOTH, QUEUE), answered("D", "42")]
    assert plurality(run, responses).final_answer == "42"
