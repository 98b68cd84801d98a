"""Who may read a run or use a consortium, chosen on the pages of a team's server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from playwright.sync_api import expect

from tests.support.client import PANEL, data_of
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.team import TeamServer, new_token, team_server
from tests.web.test_axe import violations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = ON_POSTGRES


def awaited(call: Callable[..., Awaitable[str]], *arguments: Any) -> str:  # noqa: ANN401
    """What the call returns, from a thread without the browser's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, call, *arguments).result()


@pytest.fixture
def token(database: DatabaseOfTest) -> str:
    return awaited(new_token, str(database.url), "alice")


@pytest.fixture
def server(
    database: DatabaseOfTest, child_environment: dict[str, str], token: str
) -> Iterator[TeamServer]:
    del token  # with one there is a login
    with team_server(child_environment, str(database.url)) as made:
        yield made


async def asked_and_saved(server: TeamServer, token: str) -> str:
    """The id of a run; a consortium is saved, too."""
    async with server.client(token) as client:
        await client.call_tool("save_consortium", {"name": "mine"} | PANEL)
        report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
        return str(report["run_id"])


def test_a_run_and_a_consortium_are_shared_on_their_pages(
    browser: Browser, server: TeamServer, token: str, node_modules: Path
) -> None:
    run_id = awaited(asked_and_saved, server, token)
    page = browser.new_page()
    page.goto(f"{server.root}/sign-in")
    page.get_by_label("A token that the admin").fill(token)
    page.get_by_role("button", name="Sign in with the token").click()
    page.locator(".runs").wait_for()
    for place, label in ((f"runs/{run_id}", "May read this run"), ("consortiums", "May use mine")):
        page.goto(f"{server.root}/#/{place}")
        choice = page.get_by_label(label)
        expect(choice).to_have_value("private")
        choice.select_option("whoever is signed in")
        expect(choice).to_be_enabled()
        assert violations(page, node_modules) == []
        with page.expect_response(lambda answer: answer.url.endswith("/sharing")):
            page.reload()
        expect(page.get_by_label(label)).to_have_value("team")
    page.close()
