from __future__ import annotations

import pytest

from consortium_mcp.core.confidence.labels import check, was_right
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import FakeAsk, consulted, reply, run_of

pytestmark = pytest.mark.anyio

AT = "2026-11-29T00:00:00.000+00:00"
USAGE = Usage(calls=1, input_tokens=None, output_tokens=None, seconds=1.0)


async def a_report(answer: str | None = "42") -> RunReport:
    said = reply(answer, 0.9) if answer else reply("It depends on what you ask.")
    run = await consulted(run_of("a", strategy="vote"), FakeAsk(a=said))
    report = report_of(run, USAGE, AT)
    return report if answer else report.model_copy(update={"final_answer": None})


@pytest.mark.parametrize(
    ("rating", "right"),
    [
        ({"correct": True}, True),
        ({"correct": False}, False),
        ({"answer": "forty-two"}, True),
        ({"answer": "41"}, False),
        ({"correct": False, "answer": "41"}, False),
    ],
)
async def test_a_rating_says_whether_the_run_was_right(
    rating: dict[str, object], *, right: bool
) -> None:
    rated = Rating(**rating, at=AT)  # type: ignore[arg-type]
    report = await a_report()
    check(rated, report)
    assert was_right(rated, report) is right


async def test_a_right_answer_says_nothing_of_a_run_without_a_short_one() -> None:
    report = await a_report(None)
    rating = Rating(answer="42", at=AT)
    check(rating, report)
    assert was_right(rating, report) is None
    assert was_right(Rating(correct=True, at=AT), report) is True


@pytest.mark.parametrize(
    ("rating", "told"),
    [
        ({"correct": True, "answer": "41"}, "be right"),
        ({"correct": False, "answer": "42"}, "be wrong"),
    ],
)
async def test_a_rating_must_not_contradict_itself(rating: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check(Rating(**rating, at=AT), await a_report())  # type: ignore[arg-type]


async def test_only_a_run_with_an_answer_can_be_rated() -> None:
    report = (await a_report()).model_copy(update={"status": "working"})
    with pytest.raises(ConfigError, match="is working: only a run with an answer"):
        check(Rating(correct=True, at=AT), report)


@pytest.mark.parametrize("said", [{}, {"note": "?"}, {"answer": " "}])
def test_a_rating_says_something(said: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="give at least one of them"):
        Rating.model_validate(said | {"at": AT})


def test_who_says_it_and_when_adds_nothing() -> None:
    first = Rating(correct=True, by="llm", at=AT)
    assert first.says_the_same(Rating(correct=True, by="file", at="2027"))
    assert not first.says_the_same(Rating(correct=False, by="llm", at=AT))
