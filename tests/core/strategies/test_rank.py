from __future__ import annotations

import json

import pytest

from consortium_mcp.core.domain.errors import MemberError, VerdictError
from consortium_mcp.core.judgements.verdicts import parse_ranking
from consortium_mcp.core.strategies.rank import Rank
from tests.support.fakes import FakeAsk, answered, run_of

pytestmark = pytest.mark.anyio

THREE = (
    answered("A", "41", 0.9, "First."),
    answered("B", "42", 0.8, "Second, at length."),
    answered("C", "42", 0.6, "Third."),
)


def said(ranking: str, groups: str = "", confidence: str = "0.9") -> str:
    return (
        f"<verdict><ranking>{ranking}</ranking><groups>{groups}</groups>"
        f"<confidence>{confidence}</confidence></verdict>"
    )


async def test_the_response_ranked_first_stands_word_for_word() -> None:
    ask = FakeAsk(judge=said("B, A, C"))
    found = await Rank().judge(run_of("a", "b", "c"), THREE, ask)
    assert (found.synthesis, found.final_answer) == ("Second, at length.", "42")
    assert found.ranking == ("B", "A", "C")
    assert found.supporters == ("B", "C")
    assert found.confidence == pytest.approx(2 / 3 * 0.7)
    assert found.arbiter == "judge"
    question = ask.questions[0]
    assert question.json_schema is not None
    assert set(question.json_schema["properties"]) == {"code", "ranking", "groups", "confidence"}
    assert "Write no answer of your own" in question.prompt


async def test_agreement_is_not_the_arbiters_word_where_answers_belie_it() -> None:
    ask = FakeAsk(judge=json.dumps({"ranking": ["A"], "groups": [["A", "B", "C"]]}))
    found = await Rank().judge(run_of("a", "b", "c"), THREE, ask)
    assert found.supporters == ("A",)
    assert found.parts.agreement == pytest.approx(1 / 3)


async def test_open_answers_are_grouped_by_the_arbiter() -> None:
    responses = (answered("A", text="Yes, for x."), answered("B", text="Indeed."), answered("C"))
    ask = FakeAsk(judge=said("A, B, C", "A, B; C", "0.5"))
    found = await Rank().judge(run_of("a", "b", "c"), responses, ask)
    assert found.supporters == ("A", "B")
    assert found.confidence == 0.5


async def test_an_empty_ranking_is_asked_for_again() -> None:
    ask = FakeAsk(judge=[said(""), said("C")])
    found = await Rank().judge(run_of("a", "b", "c"), THREE, ask)
    assert found.synthesis == "Third."
    assert "the ranking is missing" in ask.questions[1].prompt


async def test_without_a_ranking_the_best_supported_answer_stands_and_is_marked() -> None:
    found = await Rank().judge(run_of("a", "b", "c"), THREE, FakeAsk(judge=MemberError("down")))
    assert found.degraded
    assert found.synthesis == "Second, at length."


@pytest.mark.parametrize("text", ["", said("X"), said("none")])
def test_what_is_no_ranking_says_why(text: str) -> None:
    with pytest.raises(VerdictError):
        parse_ranking(text, "ABC")
