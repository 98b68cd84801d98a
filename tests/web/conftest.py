"""The page of a run in a real browser."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.frontends.page.files import page_html
from tests.conftest import ROOT
from tests.support.browser import browser_program, opened_browser
from tests.support.page_runs import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from consortium_mcp.frontends.page.model import RunNotice, RunPage

WEB = ROOT / "web"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium; a skip where there is none."""
    program = browser_program()
    if program is None:
        pytest.skip("there is no Chromium here: install it, or set CONSORTIUM_BROWSER")
    with opened_browser(program) as opened:
        yield opened


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page of a run, by its kind or its data, in a window of its own.

    What a page must not do makes the test fail: errors, requests, breaches of the policy.
    """
    pages: list[Page] = []
    faults: list[str] = []

    def open_page(what: str | RunPage | RunNotice, **window: Any) -> Page:  # noqa: ANN401
        data = RUNS[what]() if isinstance(what, str) else what
        file = tmp_path / f"page-{len(pages)}.html"
        file.write_text(page_html(data), encoding="utf-8", errors="replace")
        page = watched(browser, faults, **window)
        pages.append(page)
        page.goto(file.as_uri())
        return page

    yield open_page
    for page in pages:
        faults += page.evaluate("window.breaches")
        page.context.close()
    assert faults == []


WATCH = """
window.breaches = [];
addEventListener("securitypolicyviolation",
    (event) => window.breaches.push(`${event.violatedDirective}: ${event.blockedURI}`), true);
"""


def watched(browser: Browser, faults: list[str], **window: Any) -> Page:  # noqa: ANN401
    """A page that notes in `faults` what it must not do."""
    page = browser.new_context(**window).new_page()
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
    page.on("popup", lambda popup: faults.append(f"popup: {popup.url}"))
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "blob:")) or request.url == "data:,"
            else faults.append(f"request: {request.url}")
        ),
    )
    return page


def open_all(page: Page) -> None:
    """Open every part, and what is in it, and so on."""
    closed = "details:not([open]) > summary"
    while page.locator(closed).count():
        page.evaluate(
            f"document.querySelectorAll('{closed}').forEach((summary) => summary.click())"
        )
        # What is inside is drawn when the browser has told that it is open.
        page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """What `.ci/web` has installed; a skip where it has not."""
    modules = WEB / "node_modules"
    if not (modules / "axe-core").is_dir():
        pytest.skip("web/node_modules is not there: run .ci/web, which needs npm")
    return modules


@pytest.fixture(scope="session")
def harness(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with a source that a test drives; see `web/test/harness.ts`."""
    assert node_modules
    file = tmp_path_factory.mktemp("harness") / "page.html"
    subprocess.run(["node", "build.mjs", str(file), "test/harness.ts"], cwd=WEB, check=True)  # noqa: S607
    return file
