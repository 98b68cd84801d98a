"""The history of runs in a real browser, from the real server of `consortium-mcp open`."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Literal, cast

import pytest
from playwright.sync_api import expect

from tests.conftest import ROOT
from tests.support.programs import program
from tests.web.test_axe import violations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PLACES = ("", "consortiums", "models", "costs", "calibration")


def terminal(environment: dict[str, str], *words: str) -> None:
    command = program("tests.support.fake_llm", "consortium", *words)
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)


@pytest.fixture
def history(browser: Browser, child_environment: dict[str, str]) -> Iterator[Page]:
    """The pages of a history with three runs, one of them rated."""
    panel = ("-m", "sure", "-m", "agrees", "-m", "wrong", "--arbiter", "judge")
    terminal(child_environment, "save", "mine", *panel, "--strategy", "vote")
    for prompt in ("Which lock?", "6x7?", "<img src=x onerror=alert(1)>"):
        terminal(child_environment, prompt, "--consortium", "mine", "--quiet")
    terminal(child_environment, "rate", "latest", "--correct")
    server = subprocess.Popen(
        [sys.executable, "-m", "consortium_mcp", "open", "--no-browser"],
        env=child_environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = re.search(r"http://\S+", cast("IO[str]", server.stderr).readline())
        assert found
        page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
        page.goto(found[0])
        page.locator(".runs").wait_for()
        yield page
        page.context.close()
        assert faults == []
    finally:
        server.terminate()
        server.wait()
        cast("IO[str]", server.stderr).close()


def go(page: Page, place: str) -> None:
    page.evaluate("(place) => { location.hash = `#/${place}`; }", place)


def test_the_link_is_used_up_and_gone_from_the_address(history: Page) -> None:
    assert "token" not in history.url


def test_runs_are_searched_read_and_compared(history: Page) -> None:
    assert history.locator(".runs > li").count() == 3
    history.get_by_label("Words in it").fill("lock")
    expect(history.locator(".runs > li")).to_have_count(1)
    history.get_by_label("Words in it").fill("")
    expect(history.locator(".runs > li")).to_have_count(3)
    for box in history.locator(".runs input").all()[:2]:
        box.check()
    history.get_by_text("Compare the two that you chose").click()
    expect(history.get_by_role("meter")).to_have_count(2)
    go(history, "")
    history.get_by_text("Which lock?").click()
    history.get_by_role("meter").wait_for()
    history.get_by_role("button", name="This is wrong").click()
    history.get_by_text("Rated wrong by browser").wait_for()


def test_figures_are_drawn(history: Page) -> None:
    for place, text in {
        "consortiums": "mine",
        "models": "agrees",
        "costs": "Months are those of UTC",
        "calibration": "1 rated run",
    }.items():
        go(history, place)
        history.get_by_text(text).first.wait_for()


def test_axe_finds_nothing(history: Page, node_modules: Path) -> None:
    for scheme in SCHEMES:
        history.emulate_media(color_scheme=scheme)
        for place in PLACES:
            go(history, place)
            history.locator("table, .runs").first.wait_for()
            assert violations(history, node_modules) == [], place


def test_nothing_is_wider_than_the_window(history: Page) -> None:
    history.set_viewport_size({"width": 320, "height": 700})
    for place in PLACES:
        go(history, place)
        history.locator("table, .runs").first.wait_for()
        assert history.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
