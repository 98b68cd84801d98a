"""Attachments through a run's life: shown, recorded, continued, resumed, handed to consortiums."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.files.attachments import attachment_of_content
from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_record import RunRecord
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict
from tests.support.files import pdf, png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio

SEES = {"image/png", "application/pdf"}
PHOTO = attachment_of_content("photo.png", png())
INVOICE = attachment_of_content("invoice.pdf", pdf("Invoice 4711"))
LOG = attachment_of_content("server.log", b"It is down.")
HANGS = [3600.0, ""]


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    fakes = [FakeAsync(name, "x") for name in ("sees", "too", "blind", "judge")]
    for fake in fakes[:2]:
        fake.attachment_types = SEES
    with plugin("fake", models(*fakes)):
        yield


@asynccontextmanager
async def opened(settings: Settings, **script: Any) -> AsyncIterator[tuple[Service, FakeAsk]]:  # noqa: ANN401
    said = {name: reply("42", 0.9) for name in ("sees", "too", "blind")} | {"judge": verdict()}
    ask = FakeAsk(**said | script)
    async with open_service(settings, ask=ask) as service:
        yield service, ask


def panel(*models: str, **more: Any) -> ConsortiumSettings:  # noqa: ANN401
    given: dict[str, Any] = {"arbiter": "judge", "strategy": "vote"} | more
    return ConsortiumSettings(models=list(models), **given)


def request(settings: ConsortiumSettings, *attached: Attachment, **more: Any) -> ConsultRequest:  # noqa: ANN401
    return ConsultRequest("What is it?", None, settings, attachments=attached, **more)


async def consulted(service: Service, wanted: ConsultRequest) -> RunReport:
    return await service.wait(await service.consult(wanted), 30)


def names(question: Question) -> list[str]:
    return [each.name for each in question.attachments]


async def test_a_run_that_goes_on_brings_its_files_along_once(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        first = await consulted(service, request(panel("sees", "too"), PHOTO, LOG))
        again = LOG.model_copy(update={"name": "copy of server.log"})
        going_on = request(ConsortiumSettings(), again, INVOICE, continue_run=first.run_id)
        report = await consulted(service, going_on)
        shown = [("photo.png", PHOTO.sha256), ("server.log", LOG.sha256)]
        shown.append(("invoice.pdf", INVOICE.sha256))
        assert [(a.name, a.sha256) for a in report.attachments] == shown
        last = ask.asked("sees")[-1]
        assert names(last) == ["photo.png", "invoice.pdf"]
        assert last.prompt.count("It is down.") == 1
        bare = await consulted(service, request(ConsortiumSettings(), continue_run=report.run_id))
        assert len(bare.attachments) == 3


async def test_too_much_is_refused_also_over_several_turns(settings: Settings) -> None:
    many = [attachment_of_content(f"{n}.txt", b"%d" % n) for n in range(20)]
    async with opened(settings) as (service, ask):
        first = await consulted(service, request(panel("sees", "too"), *many))
        asked = len(ask.questions)
        with pytest.raises(ConfigError, match="More than 20 files"):
            await service.consult(request(ConsortiumSettings(), PHOTO, continue_run=first.run_id))
        assert len(ask.questions) == asked


async def test_a_resumed_run_shows_the_same_and_pays_for_nothing_twice(settings: Settings) -> None:
    wanted = panel("sees", "too", "blind", strategy="synthesis", on_unsupported="text")
    async with opened(settings, too=HANGS) as (service, ask):
        run_id = await service.consult(request(wanted, INVOICE, LOG))
        while len(await service.store.exchanges(run_id)) < 2:
            await service.wait(run_id, 0.02)
        before = {each.model: each for each in ask.questions}
    async with opened(settings) as (service, ask):
        assert await service.resume(run_id)
        report = await service.wait(run_id, 30)
        assert report.status == "completed"
        assert Counter(each.model for each in ask.questions) == {"too": 1, "judge": 1}
        [again] = ask.asked("too")
        assert (again.prompt, again.attachments) == (
            before["too"].prompt, before["too"].attachments,
        )  # fmt: skip
        assert "Invoice 4711" in ask.asked("judge")[0].prompt


async def test_what_is_exported_can_be_read_back(settings: Settings) -> None:
    async with opened(settings) as (service, _ask):
        report = await consulted(service, request(panel("sees", "too"), PHOTO, LOG))
        record = await service.store.record(report.run_id or "")
    read = RunRecord.model_validate_json(record.model_dump_json())
    assert read == record
    assert [each.content for each in read.attachments] == [PHOTO.content, LOG.content]
    assert read.attachments[0].shown_to == ("sees", "too")


async def test_the_plan_says_who_is_left_out_and_asks_nobody(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        plan = await service.dry_run(request(panel("sees", "blind"), PHOTO))
        assert [m.model for m in plan.members] == ["sees"]
        assert [a.name for a in plan.attachments] == ["photo.png"]
        assert "blind does not take image/png, so it is left out." in plan.warnings
        assert "judge cannot be shown photo.png: it judges by the answers alone." in plan.warnings
        assert plan.plan is not None
        assert plan.plan.estimated_input_tokens > 1_600
        with pytest.raises(ConfigError, match="No member can be asked"):
            await service.dry_run(request(panel("blind"), PHOTO))
        assert ask.questions == []


async def test_an_arbiter_reads_a_pdf_that_it_cannot_be_shown(settings: Settings) -> None:
    wanted = panel("sees", "too", strategy="synthesis")
    async with opened(settings) as (service, ask):
        report = await consulted(service, request(wanted, INVOICE))
        assert "Invoice 4711" in ask.asked("judge")[0].prompt
        assert "Invoice 4711" not in ask.asked("sees")[0].prompt
        assert report.warnings == []


async def test_a_consortium_shows_its_members_what_they_take(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        inner = panel("too", "blind", on_unsupported="text")
        await service.consortiums.save("inner", inner, overwrite=True)
        report = await consulted(service, request(panel("sees", "inner"), INVOICE, LOG))
        [sees], [too], [blind] = (ask.asked(name) for name in ("sees", "too", "blind"))
        assert names(sees) == names(too) == ["invoice.pdf"]
        assert names(blind) == []
        assert "Invoice 4711" in blind.prompt
        assert all("It is down." in each.prompt for each in (sees, too, blind))
        assert "In inner: Of invoice.pdf, blind got only the text in it." in report.warnings
        assert [m.status for m in report.members] == ["answered", "answered"]


async def test_a_consortium_may_judge_and_sees_the_files_too(settings: Settings) -> None:
    async with opened(settings, too=verdict()) as (service, ask):
        judges = panel("too", strategy="vote")
        await service.consortiums.save("judges", judges, overwrite=True)
        wanted = panel("sees", "sees", arbiter="judges", strategy="synthesis")
        report = await consulted(service, request(wanted, PHOTO))
        assert names(ask.asked("too")[0]) == ["photo.png"]
        assert not [w for w in report.warnings if "answers alone" in w]


async def test_a_consortium_in_which_nobody_sees_counts_as_a_model_that_does_not(
    settings: Settings,
) -> None:
    async with opened(settings) as (service, ask):
        await service.consortiums.save("inner", panel("blind"), overwrite=True)
        wanted = request(panel("sees", "inner"), PHOTO)
        plan = await service.dry_run(wanted)
        assert "inner does not take image/png, so it is left out." in plan.warnings
        assert any(w.startswith("In inner: No member can be asked") for w in plan.warnings)
        report = await consulted(service, wanted)
        assert [m.model for m in report.members] == ["sees"]
        assert ask.asked("blind") == []


async def test_a_pdf_that_was_read_before_is_not_read_again(settings: Settings) -> None:
    """As a continued run brings it along: the words of its prompt must stay the same."""
    read = INVOICE.model_copy(update={"text": "as it was read"})
    async with opened(settings) as (service, ask):
        await consulted(service, request(panel("blind", on_unsupported="text"), read))
        assert "as it was read" in ask.asked("blind")[0].prompt
