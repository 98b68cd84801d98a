"""The pages of a team's server: signing in and out, sharing, and what one has used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from playwright.sync_api import expect

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.spending.limits import Limit
from tests.support.client import PANEL, data_of
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.identity_provider import (
    CLIENT_SECRET,
    WEB_CLIENT,
    NoProvider,
    SigningKey,
    identity_provider,
)
from tests.support.postgres import free_port
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
    return awaited(new_user, str(database.url))


@pytest.fixture
def server(
    database: DatabaseOfTest, child_environment: dict[str, str], token: str
) -> Iterator[TeamServer]:
    del token  # with one there is a login
    with team_server(child_environment, str(database.url)) as made:
        yield made


async def new_user(database_url: str) -> str:
    """The token of a user whose calls are limited."""
    database = PostgresDatabase(database_url)
    await Limits(database).set(Limit(who="each", period="day", what="calls", most=1000))
    await database.close()
    return await new_token(database_url, "alice")


async def asked_and_saved(server: TeamServer, token: str) -> str:
    """The id of a run; a consortium is saved, too."""
    async with server.client(token) as client:
        await client.call_tool("save_consortium", {"name": "mine"} | PANEL)
        report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
        return str(report["run_id"])


def test_what_a_user_does_on_the_pages(
    browser: Browser, server: TeamServer, token: str, node_modules: Path
) -> None:
    run_id = awaited(asked_and_saved, server, token)
    page = browser.new_context(locale="en-GB").new_page()
    page.goto(f"{server.root}/sign-in")
    page.get_by_label("A token that the admin").fill(token)
    page.get_by_role("button", name="Sign in with the token").click()
    page.locator(".runs").wait_for()
    places = {f"runs/{run_id}": "Who may read this run", "consortiums": "Who may use mine"}
    for place, label in places.items():
        page.goto(f"{server.root}/#/{place}")
        choice = page.get_by_label(label)
        expect(choice).to_have_value("private")
        choice.select_option("whoever is signed in")
        expect(choice).to_be_enabled()
        assert violations(page, node_modules) == []
        with page.expect_response(lambda answer: answer.url.endswith("/sharing")):
            page.reload()
        expect(page.get_by_label(label)).to_have_value("team")
    page.get_by_role("link", name="You").click()
    expect(page.get_by_text("your runs have used 3 calls")).to_be_visible()
    expect(page.get_by_text("997 calls left until")).to_contain_text("1,000 calls of each user")
    assert violations(page, node_modules) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("A token that the admin")).to_be_visible()
    page.context.close()


def test_an_identity_provider_signs_a_person_in(
    browser: Browser,
    database: DatabaseOfTest,
    child_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    port = free_port()
    try:
        with identity_provider(tmp_path) as provider:
            provider.start(SigningKey.new("one"), pages=f"http://127.0.0.1:{port}")
            variables = {
                "CONSORTIUM_ISSUER": provider.issuer,
                "CONSORTIUM_WEB_CLIENT_ID": WEB_CLIENT,
                "CONSORTIUM_WEB_CLIENT_SECRET": CLIENT_SECRET,
            }
            with team_server(
                child_environment, str(database.url), port=port, **variables
            ) as server:
                page = browser.new_context().new_page()
                page.goto(f"{server.root}/")
                page.get_by_role("link", name="Sign in with your account").click()
                page.locator("input[name=login]").fill("dora")
                page.locator("input[name=password]").fill("any")
                page.locator("button[type=submit]").click()
                page.get_by_role("button", name="Continue").click()
                expect(page.get_by_text("No run is found.")).to_be_visible()
                page.get_by_role("link", name="You").click()
                page.get_by_role("button", name="Sign out").click()
                expect(page.get_by_role("link", name="Sign in with your account")).to_be_visible()
                page.context.close()
    except NoProvider as error:
        pytest.skip(str(error))
