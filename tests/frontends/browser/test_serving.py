from __future__ import annotations

import urllib.request
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.core.domain.errors import UnknownRun
from consortium_mcp.frontends.browser.serving import serve

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio


async def test_the_pages_are_served_until_the_tab_has_gone(settings: Settings) -> None:
    pages: list[str] = []

    def look(link: str) -> None:
        """As a browser that opens the link, looks at the history, and is closed."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        address = link.partition("?")[0]
        for each in (link, f"{address}api/runs"):
            with opener.open(each, timeout=60) as answer:
                pages.append(answer.read().decode())

    with anyio.fail_after(120):
        await serve(settings, None, look, gone_seconds=0.5)
    page, runs = pages
    assert "<title>Consultations</title>" in page
    assert runs == '{"runs":[],"next_cursor":null,"notes":[]}'


async def test_an_unknown_run_is_told_before_anything_is_served(settings: Settings) -> None:
    with pytest.raises(UnknownRun):
        await serve(settings, "01ARZ3NDEKTSV4RRFFQ69G5FAV", pytest.fail)
