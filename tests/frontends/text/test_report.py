"""Reports for readers: what fits, what is cut, and how to get at the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consortium_mcp.core.domain.verdict import (
    Ballot,
    Check,
    Dissent,
    Objection,
    PeerReview,
    RankedAnswer,
)
from consortium_mcp.core.reports.report import AttachmentReport, Plan, RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of, report_of_plan
from consortium_mcp.frontends.text.pages import Entry, entries_markdown, page
from consortium_mcp.frontends.text.report import MAX_TEXT, report_markdown
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


async def report(**changes: Any) -> RunReport:  # noqa: ANN401
    run = await consulted(
        run_of("a", "b", max_iterations=1), FakeAsk(a=reply("42"), b=reply("42"), judge=verdict())
    )
    usage = Usage(calls=3, input_tokens=1, output_tokens=1, seconds=1.0)
    return report_of(run, usage, "2026-11-25T00:00:00.000+00:00").model_copy(update=changes)


async def test_an_ordinary_report_is_whole() -> None:
    whole = await report(warnings=["Mind the gap."], refinements=["Check the sum."])
    shown = report_markdown(whole)
    assert shown == report_markdown(whole, limit=None)
    for part in ("It is 42.", "**Answer:** 42", "### Members (2 of 2 answered)", "Mind the gap."):
        assert part in shown
    assert "### Still open\n- Check the sum." in shown


ATTACHED = AttachmentReport(name="a.png", type="image/png", bytes=12_345, sha256="0" * 64)


async def test_a_report_and_a_plan_say_what_was_attached() -> None:
    address = "https://example.com/" + "a" * 300
    page_ = AttachmentReport(name=address, type="image/png", bytes=None, sha256=None)
    attached = [ATTACHED, page_]
    line = f"Attached: a.png (image/png, 12,345 bytes), {address[:60]} (image/png)"
    assert f"\n\n{line}\n\n" in report_markdown(await report(attachments=attached))
    plan = report_of_plan(
        run_of("a"), Plan(fewest_calls=1, most_calls=1, estimated_input_tokens=1), (), "now"
    )
    assert line in report_markdown(plan.model_copy(update={"attachments": attached}))
    assert "Attached" not in report_markdown(plan)
    many = report_markdown(await report(attachments=[ATTACHED] * 12))
    assert many.count("a.png") == 10
    assert "bytes) and 2 more\n" in many


@pytest.mark.parametrize("length", [100, 7_000, 8_000, 50_000])
async def test_whatever_there_is_a_result_is_short_enough(length: int) -> None:
    long = await report(
        synthesis="s" * length,
        warnings=["w" * 5_000] * 30,
        dissent=[Dissent(labels=("B",), final_answer="41", argument="d" * 3_000)] * 30,
        refinements=["r" * 900] * 30,
        attachments=[ATTACHED.model_copy(update={"name": "n" * 200})] * 20,
    )
    shown = report_markdown(long)
    assert len(shown) < MAX_TEXT
    assert "**Confidence" in shown
    assert "completed · strategy" in shown  # the footer is never cut


async def test_the_synthesis_is_whole_while_it_fits_and_the_sections_give_way() -> None:
    long = await report(synthesis="s" * 6_500, warnings=["w" * 500] * 30)
    shown = report_markdown(long)
    assert "s" * 6_500 in shown
    assert "w" * 500 in shown
    assert f'more: `get_run(run_id="{long.run_id}", include=["report"])`' in shown


async def test_of_a_synthesis_that_alone_is_too_long_the_rest_can_be_asked_for() -> None:
    text = "".join(f"{number:05d}" for number in range(4_000))
    shown = report_markdown(await report(synthesis=text))
    cut = re.search(r'include=\["synthesis"\], offset=([0-9]+)\)', shown)
    assert cut is not None
    begin = shown.index("00000")
    assert shown[begin : begin + int(cut[1])] == text[: int(cut[1])]


def entry(text: str, error: str | None = None) -> Entry:
    return Entry(
        section="responses",
        iteration=1,
        role="member",
        label="A",
        model="m",
        text=text,
        error=error,
    )


@pytest.mark.parametrize("limit", [1, 50, 60, 75, 1_000])
def test_pages_put_together_are_the_whole(limit: int) -> None:
    entries = [entry("0123456789"), entry("", "it is down"), entry("abcdefghij"), entry("xyz")]
    offset: int | None = 0
    texts, failures = "", 0
    while offset is not None:
        found = page(entries, offset, limit)
        assert found.characters == 24  # and one for what failed
        assert len(entries_markdown(found.entries)) <= max(limit, 45)
        texts += "".join(e.text for e in found.entries)
        failures += sum(e.error is not None for e in found.entries)
        offset = found.next_offset
    assert texts == "0123456789abcdefghijxyz"
    assert failures == 1


def test_past_the_end_there_is_nothing() -> None:
    assert page([entry("abc")], 99).entries == []
    assert page([entry("abc")], 99).next_offset is None


async def test_a_call_that_joined_a_run_is_told_so() -> None:
    assert "it is paid for once" in report_markdown(await report(joined=True))
    assert "paid for once" not in report_markdown(await report())


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "0 seconds"), (1.2, "1 second"), (119, "119 seconds"), (150, "2 minutes"),
        (7_300, "2 hours"), (200_000, "2 days"),
    ],
)  # fmt: skip
async def test_an_answer_that_was_there_is_told_with_its_age(seconds: float, told: str) -> None:
    shown = report_markdown(await report(age_seconds=seconds))
    assert f"an earlier run, which ended {told} ago;" in shown


async def test_reviews_are_told_in_a_few_lines() -> None:
    review = PeerReview(
        ranking=(
            RankedAnswer(labels=("A", "C"), score=2 / 3),
            RankedAnswer(labels=("B",), score=0),
        ),
        ballots=(
            Ballot(reviewer="A", shown=("B", "C"), ranking=("C", "B")),
            Ballot(reviewer="B", shown=("C", "A"), ranking=("A", "C")),
            Ballot(reviewer="C", shown=("A", "B"), ranking=("A", "B")),
        ),
        kendalls_w=0.75,
        objections=(Objection(reviewer="B", of="A", text="the sum is off"),),
    )
    shown = report_markdown(await report(review=review))
    assert (
        "### Reviews\n- Best first: A and C (0.67), B (0.00); Kendall's W 0.75\n"
        "- Placed first: A by B, C; C by A\n"
        "- Strongest objection to A, by B: the sum is off"
    ) in shown
    checks = (Check(reviewer="B", of="A", finding="cannot tell"),)
    shown = report_markdown(await report(review=PeerReview(ranking=(), checks=checks)))
    assert "### Reviews\n- Checked: A cannot tell (B)" in shown
    assert "### Reviews" not in report_markdown(await report())


async def test_a_plan_says_what_the_calls_are_for() -> None:
    plan = Plan(
        fewest_calls=7,
        most_calls=8,
        calls={"answers": (3, 3), "reviews": (3, 3), "verdicts": (1, 2)},
        estimated_input_tokens=9,
    )
    shown = report_markdown(await report(plan=plan, status="planned", synthesis=None))
    assert "7 to 8 calls (3 answers, 3 reviews, 1 to 2 verdicts), retries not counted" in shown
    only_votes = plan.model_copy(update={"calls": {"answers": (3, 3), "verdicts": (0, 0)}})
    shown = report_markdown(await report(plan=only_votes, status="planned", synthesis=None))
    assert "7 to 8 calls, retries not counted" in shown
