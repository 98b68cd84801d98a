"""A template in a consultation: of a call, of a saved consortium, and in the run's record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.consortium_files import export_text
from consortium_mcp.core.domain.consortium import TemplateUse
from consortium_mcp.core.domain.errors import ConfigError, UnknownTemplate
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest, MemberSpec
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.panels import PANEL, opened, panel_models
from tests.support.templates import save_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio

REVIEW = """
prompt: "Review for $focus: $input"
system: You are strict.
options: {temperature: 0.5, top_k: 3}
defaults: {focus: bugs, criteria: Facts first.}
"""
IN_IT = replace(PANEL, template="review")


@pytest.fixture(autouse=True)
def review(settings: Settings) -> Iterator[None]:
    save_template(settings, "review", REVIEW)
    with panel_models():
        yield


async def test_members_and_arbiter_are_asked_what_the_template_says(settings: Settings) -> None:
    async with opened(settings) as (service, ask):
        report = await service.wait(await service.consult(ConsultRequest("x = 1", None, IN_IT)), 30)
        assert report.prompt == "Review for bugs: x = 1"
        assert [w for w in report.warnings if "template" in w] == []
        for member in (*ask.asked("a"), *ask.asked("b")):
            assert member.prompt == "Review for bugs: x = 1"
            assert (member.system or "").startswith("You are strict.")
            assert member.options == {"temperature": 0.5}  # there is no top_k here
        [judge] = ask.asked("judge")
        assert "Facts first." in (judge.system or "")
        assert "Review for bugs: x = 1" in judge.prompt
        assert judge.options == {}


async def test_what_a_call_says_itself_goes_before_its_template(settings: Settings) -> None:
    wanted = replace(
        IN_IT,
        models=[
            MemberSpec(model="a", options={"temperature": 0}),
            MemberSpec(model="b", system="B."),
        ],
        system="Be kind.",
        criteria="Style first.",
        template=TemplateUse(name="review", params={"focus": "races"}),
    )
    async with opened(settings) as (service, ask):
        await service.wait(await service.consult(ConsultRequest("x", None, wanted)), 30)
        [a], [b] = ask.asked("a"), ask.asked("b")
        assert (a.prompt, a.options) == ("Review for races: x", {"temperature": 0})
        assert (a.system or "").startswith("Be kind.")
        assert (b.system or "").startswith("B.")
        assert "Style first." in (ask.asked("judge")[0].system or "")


async def test_a_saved_consortium_reads_its_template_at_each_question(settings: Settings) -> None:
    saved = replace(IN_IT, system="Saved.")
    async with opened(settings) as (service, ask):
        await service.consortiums.save("mine", saved)
        request = ConsultRequest("x", "mine")
        await service.wait(await service.consult(request), 30)
        save_template(settings, "review", "{prompt: Look at $input, system: Now.}")
        await service.wait(await service.consult(request), 30)
        first, second = ask.asked("a")
        assert (first.prompt, second.prompt) == ("Review for bugs: x", "Look at x")
        assert (first.system or "").startswith("Saved.")  # it was saved beside the template
        other = replace(request, settings=ConsortiumSettings(template="check_claim"))
        plan = await service.dry_run(other)
        assert "Check this claim" in plan.prompt
        (settings.user_dir / "templates" / "review.yaml").unlink()
        with pytest.raises(UnknownTemplate, match="Did you mean review_change"):
            await service.consult(request)
        assert len(ask.questions) == 6


async def test_a_consortium_is_saved_with_a_template_that_is_there(settings: Settings) -> None:
    async with opened(settings) as (service, _):
        with pytest.raises(UnknownTemplate, match=r"'revew'.* mean review"):
            await service.consortiums.save("mine", replace(PANEL, template="revew"))
        assert await service.consortiums.all() == []
        save_template(settings, "needy", "$this $input")  # who asks it can still say `this`
        kept = await service.consortiums.save("mine", replace(PANEL, template="needy"))
        with pytest.raises(ConfigError, match="needs this"):
            await service.consult(ConsultRequest("x", "mine"))
        (settings.user_dir / "templates" / "needy.yaml").unlink()
        moved = await service.consortiums.restore(kept.config, overwrite=True)
        assert ["No template is called 'needy'" in w for w in moved.warnings] == [True]
        assert '"name": "needy"' in export_text(await service.consortiums.all())


async def test_what_a_model_may_not_name_is_refused_even_where_it_is_saved(
    settings: Settings,
) -> None:
    page = save_template(settings, "x", "$input")
    by_path = replace(PANEL, template=str(page))
    async with opened(settings) as (service, ask):
        with pytest.raises(ConfigError, match="only saved ones are taken"):
            await service.consult(ConsultRequest("x", None, by_path))
        with pytest.raises(ConfigError, match="only saved ones are taken"):
            await service.consortiums.save("mine", by_path)
        assert ask.questions == []


async def test_a_run_is_resumed_and_continued_without_its_template(settings: Settings) -> None:
    async with opened(settings, b=[3600.0, ""]) as (service, _):
        run_id = await service.consult(ConsultRequest("x", None, IN_IT))
    (settings.user_dir / "templates" / "review.yaml").unlink()
    async with opened(settings) as (service, ask):
        assert await service.resume(run_id)
        report = await service.wait(run_id, 30)
        assert (report.status, report.prompt) == ("completed", "Review for bugs: x")
        [asked] = ask.asked("b")
        assert (asked.prompt, asked.options) == ("Review for bugs: x", {"temperature": 0.5})
        assert (asked.system or "").startswith("You are strict.")
        record = await service.store.record(run_id)
        assert record.config.template == TemplateUse(name="review")
        further = ConsultRequest("And y?", continue_run=run_id)
        report = await service.wait(await service.consult(further), 30)
        assert report.prompt == "And y?"  # a question of its own, to the same panel
        last = ask.asked("b")[-1]
        assert last.prompt.rstrip().endswith("And y?")
        assert (last.system or "").startswith("You are strict.")
        assert last.options == {"temperature": 0.5}
        record = await service.store.record(report.run_id or "")
        assert record.config.template is None


async def test_a_nested_consortium_puts_its_question_into_its_template(settings: Settings) -> None:
    inner = ConsortiumSettings(models=["c"], arbiter="judge", strategy="vote", template="review")
    judging = ConsortiumSettings(models=["a"], arbiter="inner", strategy="synthesis")
    with plugin("more", models(FakeAsync("c", "x"))):
        async with opened(settings, c="Six.") as (service, ask):
            await service.consortiums.save("inner", inner)
            wanted = replace(PANEL, models=["a", "inner"], system="Outer.")
            await service.wait(await service.consult(ConsultRequest("x", None, wanted)), 30)
            assert ask.asked("a")[0].prompt == "x"
            [asked] = ask.asked("c")
            assert asked.prompt == "Review for bugs: x"
            assert (asked.system or "").startswith("You are strict.\n\nOuter.")
            await service.wait(await service.consult(ConsultRequest("y", None, judging)), 30)
            judged = ask.asked("c")[-1]  # what it judges is no text to review
            assert not judged.prompt.startswith("Review")
            (settings.user_dir / "templates" / "review.yaml").unlink()
            report = await service.wait(
                await service.consult(ConsultRequest("x", None, wanted)), 30
            )
            member = next(m for m in report.members if m.model == "inner")
            assert "No template is called 'review'" in (member.error or "")


@pytest.mark.parametrize("prompt", ["", " "])
async def test_a_template_may_bring_the_whole_question(settings: Settings, prompt: str) -> None:
    save_template(settings, "joke", "Tell a joke.")
    async with opened(settings) as (service, _):
        plan = await service.dry_run(ConsultRequest(prompt, None, replace(PANEL, template="joke")))
        assert plan.prompt.strip() == "Tell a joke."
        with pytest.raises(ConfigError, match="The prompt is empty"):
            await service.dry_run(ConsultRequest(prompt, None, PANEL))


async def test_what_was_left_out_stands_in_the_report(settings: Settings) -> None:
    save_template(settings, "review", "{prompt: $input, model: gpt-4o, tools: [llm_time]}")
    async with opened(settings) as (service, _):
        plan = await service.dry_run(ConsultRequest("x", None, IN_IT))
        report = await service.wait(await service.consult(ConsultRequest("x", None, IN_IT)), 30)
        for warnings in (plan.warnings, report.warnings):
            assert any("names the model gpt-4o; the panel was asked instead" in w for w in warnings)
            assert any("names the tools llm_time, which were left out" in w for w in warnings)
