"""The system's Chromium, and the page of a run in it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


def browser_program() -> str | None:
    """Where a Chromium is: `CONSORTIUM_BROWSER`, or on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CONSORTIUM_BROWSER") or next(
        filter(None, map(shutil.which, names)), None
    )


@contextmanager
def opened_browser(program: str) -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only where there is a browser)

    arguments: list[str] = ["--no-sandbox"]  # which root may not have
    options: dict[str, Any] = {"executable_path": program, "args": arguments}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        try:
            yield browser
        finally:
            browser.close()
