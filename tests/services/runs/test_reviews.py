"""Reviews in a service: resumed, cancelled, followed, nested, planned."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.frontends.text.pages import exchange_entry
from consortium_mcp.services.assembly import open_service
from consortium_mcp.services.runs.progress import Progress
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply
from tests.support.peers import Panel, check, code_in, panel_of, ranking, shown_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio

NAMES = ("m0", "m1", "m2")
COUNCIL = ConsortiumSettings(models=NAMES, arbiter="judge", strategy="council", max_iterations=1)
VERIFY = replace(COUNCIL, strategy="verify")
HANGS = 3600.0


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with plugin("fake", models(*(FakeAsync(name, "x") for name in (*NAMES, "judge", "c", "d")))):
        yield


@asynccontextmanager
async def opened(settings: Settings, ask: Panel) -> AsyncIterator[Service]:
    async with open_service(settings, ask=ask) as service:
        yield service


async def begun(service: Service, wanted: ConsortiumSettings, exchanges: int) -> str:
    """A run of which so many calls have ended."""
    run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
    with anyio.fail_after(60):
        while len(await service.exchanges(run_id)) < exchanges:  # noqa: ASYNC110 (in a file)
            await anyio.sleep(0.01)
    return run_id


def checkers(**findings: object) -> Panel:
    answers = {name: reply(str(place), 0.8 - place / 10) for place, name in enumerate(NAMES)}
    right = lambda q: check(code_in(q.prompt), "right")  # noqa: E731
    return Panel(answers, review=dict.fromkeys(NAMES, right) | findings)  # type: ignore[arg-type]


def told(report: RunReport) -> object:
    """What a report tells, without labels and costs."""
    names = {m.label: m.model for m in report.members}
    assert report.review is not None
    ranked = [(names[each.labels[0]], each.score) for each in report.review.ranking]
    return ranked, report.synthesis, report.confidence, report.review.kendalls_w


async def test_a_run_that_ended_amid_its_reviews_asks_only_those_that_are_missing(
    settings: Settings,
) -> None:
    _, ask = panel_of(3, review={"m2": HANGS})
    async with opened(settings, ask) as service:
        run_id = await begun(service, COUNCIL, 5)
    before = {q.prompt for q in ask.asked("reviewer")}
    _, ask = panel_of(3)
    async with opened(settings, ask) as service:
        assert await service.resume(run_id)
        resumed = await service.wait(run_id, 30)
        assert [(q.role, q.model) for q in ask.questions] == [
            ("reviewer", "m2"),
            ("arbiter", "judge"),
        ]
        assert ask.questions[0].prompt in before  # the same question, to the letter
        assert resumed.status == "completed"
        assert resumed.usage.calls == 8  # the one that was cut off was paid for
        assert any("1 call was cut off" in warning for warning in resumed.warnings)
        undisturbed = await service.wait(await begun(service, COUNCIL, 7), 30)
        assert told(resumed) == told(undisturbed)
        assert await service.store.report(run_id) == resumed


async def test_a_run_that_ended_amid_its_checks_asks_only_those_that_are_missing(
    settings: Settings,
) -> None:
    ask = checkers(m2=HANGS)
    async with opened(settings, ask) as service:
        run_id = await begun(service, VERIFY, 4)
    ask = checkers()
    async with opened(settings, ask) as service:
        assert await service.resume(run_id)
        resumed = await service.wait(run_id, 30)
        assert [(q.role, q.model) for q in ask.questions] == [("reviewer", "m2")]
        assert resumed.status == "completed"
        assert resumed.review is not None
        assert [check.finding for check in resumed.review.checks] == ["right", "right"]


async def test_a_cancelled_run_ends_its_reviews(settings: Settings) -> None:
    _, ask = panel_of(3, review={"m2": HANGS})
    async with opened(settings, ask) as service:
        run_id = await begun(service, COUNCIL, 5)
        report = await service.cancel(run_id)
        assert report.status == "cancelled"
        assert [m.status for m in report.members] == ["answered"] * 3
    assert not ask.asked("arbiter")


async def test_progress_counts_reviews_and_never_passes_its_total(settings: Settings) -> None:
    _, ask = panel_of(3)
    heard: list[Progress] = []

    async def listen(progress: Progress) -> None:
        heard.append(progress)

    async with opened(settings, ask) as service:
        run_id = await service.consult(ConsultRequest("Six × 7?", None, COUNCIL))
        await service.wait(run_id, 30, listen)
    steps = [each for each in heard if "waiting" not in each.message]
    assert [each.message for each in steps if "reviews" in each.message] == [
        f"iteration 1 of 1: {n} of 3 reviews" for n in (1, 2, 3)
    ]
    assert [each.done for each in steps] == sorted({each.done for each in steps})
    assert all(each.total is not None and each.done <= each.total for each in steps)
    assert steps[-1].done == steps[-1].total == 7


async def test_a_nested_consortium_reviews_with_the_words_of_one_of_its_members(
    settings: Settings,
) -> None:
    def inner(question: Question) -> str:
        if "Answers of others" not in question.prompt:
            return reply("42", 0.8, "text of m2.")
        shown = shown_in(question.prompt)
        return ranking(code_in(question.prompt), *sorted(shown, key=shown.__getitem__))

    class Nested(Panel):
        async def _said(self, question: Question) -> str:
            return inner(question) if question.model in "cd" else await super()._said(question)

    answers = {name: reply("42", 0.8, f"text of {name}.") for name in NAMES}
    ask = Nested(answers, tuple(f"text of {name}." for name in NAMES))
    async with opened(settings, ask) as service:
        await service.consortiums.save(
            "inner", ConsortiumSettings(models=["c", "d"], arbiter="judge", strategy="vote")
        )
        wanted = replace(COUNCIL, models=["m0", "m1", "inner"])
        run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
        report = await service.wait(run_id, 30)
        assert report.review is not None
        assert report.review.missing == ()
        assert report.status == "completed"
        assert report.usage.calls == len(ask.questions) == 2 + 2 + 2 * 2 + 1
        nested = [e.nested_run_id for e in await service.exchanges(run_id) if e.nested_run_id]
        assert len(nested) == len(set(nested)) == 2  # its answer and its review


async def test_the_exchanges_say_whose_reviews_they_are(settings: Settings) -> None:
    _, ask = panel_of(3)
    async with opened(settings, ask) as service:
        run_id = await service.consult(ConsultRequest("Six × 7?", None, COUNCIL))
        await service.wait(run_id, 30)
        entries = [exchange_entry(e, with_prompt=True) for e in await service.exchanges(run_id)]
    headings = [entry.heading for entry in entries]
    for label, name in (("A", "m"), ("B", "m"), ("C", "m")):
        assert any(h.startswith(f"### Iteration 1, reviewer {label} · {name}") for h in headings)
    assert "### Iteration 1, arbiter · judge" in headings
