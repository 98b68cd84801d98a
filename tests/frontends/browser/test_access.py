from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from consortium_mcp.frontends.browser.access import COOKIE, SECURITY_HEADERS, Access
from tests.support.asgi import ask

pytestmark = pytest.mark.anyio
HOST = "127.0.0.1:80"


def behind(*, with_token: bool) -> Access:
    async def page(_: object) -> PlainTextResponse:
        return PlainTextResponse("here")

    app = Starlette(routes=[Route("/", page, methods=["GET", "POST"])])
    return Access(app, {HOST, "localhost:80"}, with_token=with_token)


async def test_the_link_opens_the_pages_for_one_browser() -> None:
    access = behind(with_token=True)
    link = f"/?token={access.token}"
    assert (await ask(access, "/")).status == 401
    assert (await ask(access, "/?token=wrong")).status == 401
    opened = await ask(access, link)
    assert (opened.status, opened.headers["location"]) == (303, "/")
    cookie, *rules = opened.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"{COOKIE}=")
    assert {rule.lower() for rule in rules} >= {"httponly", "samesite=strict"}
    assert (await ask(access, "/", cookie=cookie)).body == b"here"
    assert (await ask(access, "/", cookie=f"{COOKIE}=other")).status == 401
    again = await ask(access, link)
    assert again.status == 401
    assert b"consortium-mcp open" in again.body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:81", "127.0.0.1", None])
async def test_another_name_is_refused(host: str | None) -> None:
    assert (await ask(behind(with_token=False), "/", host=host)).status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:81"])
async def test_pages_of_other_sites_are_refused(origin: str) -> None:
    assert (await ask(behind(with_token=False), "/", origin=origin)).status == 403


async def test_what_changes_something_needs_our_header() -> None:
    access = behind(with_token=False)
    assert (await ask(access, "/", method="POST")).status == 403
    own = await ask(access, "/", method="POST", x_consortium="1", origin=f"http://{HOST}")
    assert own.status == 200


async def test_every_answer_has_the_headers_that_keep_others_out() -> None:
    access = behind(with_token=False)
    for answer in (await ask(access, "/"), await ask(access, "/", origin="null")):
        assert all(
            answer.headers[name.lower()] == value for name, value in SECURITY_HEADERS.items()
        )
