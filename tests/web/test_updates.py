"""The seam to a host: what a source shows, later, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.frontends.page.model import RunNotice, RunPage
from consortium_mcp.frontends.page.texts import lean_json, set_apart
from tests.support.page_runs import page_of
from tests.web.conftest import watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture
def host(browser: Browser, harness: Path) -> Iterator[Page]:
    faults: list[str] = []
    page = watched(browser, faults)
    page.goto(harness.as_uri())
    page.wait_for_function("harness.listening")
    yield page
    faults += page.evaluate("window.breaches")
    page.context.close()
    assert faults == []


def push(page: Page, shown: RunPage | RunNotice, *can: str, note: str | None = None) -> None:
    data: list[Any] = [lean_json(shown), list(can), note]
    page.evaluate("([shown, can, note]) => harness.push(shown, can, note ?? undefined)", data)
    page.evaluate("new Promise((done) => setTimeout(done))")


def used(page: Page) -> list[Any]:
    return list(page.evaluate("harness.used"))


def test_an_open_part_focus_and_selection_survive_twenty_updates(host: Page) -> None:
    data = page_of("answered")
    push(host, data)
    host.locator("#member-D summary").click()
    host.locator("#member-D .markdown p").first.wait_for()
    host.evaluate(
        """() => {
            const text = document.querySelector("#member-D .markdown p").firstChild;
            getSelection().setBaseAndExtent(text, 0, text, 4);
            document.querySelector(".headline").mark = 1;
        }"""
    )
    host.locator("#member-E summary").focus()
    for number in range(20):
        members = [m.model_copy(update={"seconds": number / 2}) for m in data.members]
        usage = data.usage.model_copy(update={"seconds": float(number), "calls": number})
        push(host, data.model_copy(update={"usage": usage, "members": members}))
        assert host.evaluate("document.getElementById('member-D').open")
        assert host.evaluate("document.activeElement.parentElement.id") == "member-E"
        assert host.evaluate("getSelection().toString()") == "Long"
        assert host.evaluate("document.querySelector('.headline').mark") == 1
    assert "19" in host.locator(".facts").inner_text()


def test_a_run_is_seen_from_its_beginning_to_its_end(host: Page) -> None:
    assert "Nothing to show yet" in host.get_by_role("status").inner_text()
    push(host, RunNotice(notice="waiting"))
    assert host.get_by_role("status").inner_text() == "Working"
    push(host, page_of("working"), "stop")
    host.locator("#member-A summary").click()
    push(host, page_of("answered"), "ask")
    assert "41 %" in host.get_by_role("meter").inner_text().replace("\u00a0", " ")
    assert host.locator(".agrees #member-A").count() == 1


def test_a_button_is_there_only_with_its_capability_and_where_it_makes_sense(host: Page) -> None:
    def buttons() -> set[str]:
        names = {"Stop", "Resume", "Ask further", "This is right", "This is wrong"}
        return names & set(host.get_by_role("button").all_inner_texts())

    push(host, page_of("working"))
    assert buttons() == set()
    every = ("stop", "resume", "ask", "rate")
    for kind, expected in {
        "working": {"Stop"},
        "interrupted": {"Resume"},
        "debate": {"Ask further", "This is right", "This is wrong"},
        "failed": set(),
        "plan": set(),
    }.items():
        push(host, page_of(kind), *every)
        assert buttons() == expected, kind


def test_buttons_use_their_capabilities(host: Page) -> None:
    push(host, page_of("working"), "stop")
    host.get_by_role("button", name="Stop").click()
    push(host, page_of("answered"), "ask", "rate", "save", "openLink")
    host.get_by_role("button", name="This is right").click()
    host.get_by_role("button", name="Save as JSON").click()
    host.locator("#member-B summary").click()
    host.get_by_role("button", name="Ask this one further").click()
    host.get_by_role("button", name="Ask these 2 further").click()
    host.wait_for_function("harness.used.length >= 5")
    stop, rate, save, ask, these = used(host)
    assert these == ["ask", "Go on with those who say: an advisory lock", ["D", "E"]]
    assert (stop, rate) == (["stop"], ["rate", True])
    assert save[:3] == ["save", "consultation-01TEST.json", "application/json"]
    assert ask[2] == ["B"]


def test_links_go_through_the_host(host: Page) -> None:
    data = page_of("debate").model_copy(update={"synthesis": "[a](https://example.com)"})
    push(host, data, "openLink")
    host.get_by_role("link", name="a").click()
    assert used(host) == [["openLink", "https://example.com"]]


def test_texts_that_come_later_are_fetched_when_they_are_opened(host: Page) -> None:
    data, texts = set_apart(page_of("answered"), 30)
    host.evaluate("(texts) => { harness.texts = texts; }", texts)
    push(host, data)
    assert used(host) == []
    assert host.locator(".answer .markdown").inner_text().startswith("Use")
    host.locator("#member-B summary").click()
    host.get_by_text("A crash must free the job.").wait_for()
    assert len(used(host)) == 1
    host.locator(".answer .more").click()
    host.get_by_text("released on a crash").wait_for()
    host.evaluate("harness.texts = {}")
    host.locator("#member-A summary").click()
    host.get_by_text("This text cannot be shown: There is no text").wait_for()


def test_what_the_source_says_of_itself_is_in_the_status_line(host: Page) -> None:
    push(host, page_of("working"), note="The server has gone.")
    assert "The server has gone." in host.get_by_role("status").inner_text()
