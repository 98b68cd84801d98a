"""Signing in by a real identity provider: which tokens are let in, and what the others are told."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

from consortium_mcp.adapters.identity.key_set import REFETCH_SECONDS
from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, data_of, text_of
from tests.support.identity_provider import (
    CLIENT_SECRET,
    WEB_CLIENT,
    IdentityProvider,
    NoProvider,
    SigningKey,
    identity_provider,
)
from tests.support.postgres import Server, free_port
from tests.support.team import TeamServer, new_token, team_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio
KEY, NEXT_KEY, STRANGE_KEY = (SigningKey.new(kid) for kid in ("one", "two", "one"))
PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ASK = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "consult_consortium", "arguments": {"prompt": "Six × 7?"} | PANEL},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[IdentityProvider]:
    try:
        with identity_provider(tmp_path_factory.mktemp("provider")) as made:
            made.start(KEY, pages=f"http://127.0.0.1:{port}")
            yield made
    except NoProvider as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def database_url(postgres: Server) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="module")
def server(
    database_url: str,
    provider: IdentityProvider,
    port: int,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Iterator[TeamServer]:
    variables = {
        "LLM_USER_PATH": str(tmp_path_factory.mktemp("llm")),
        "CONSORTIUM_ISSUER": provider.issuer,
        "CONSORTIUM_WEB_CLIENT_ID": WEB_CLIENT,
        "CONSORTIUM_WEB_CLIENT_SECRET": CLIENT_SECRET,
    }
    with team_server(environment, database_url, port=port, **variables) as made:
        yield made


async def posted(
    server: TeamServer, token: str | None, message: dict[str, Any] = PING
) -> httpx2.Response:
    async with server.http(token) as http:
        return await http.post("/mcp", json=message, headers=ACCEPT)


def changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "somebody else"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."


async def test_the_table_of_tokens(server: TeamServer, provider: IdentityProvider) -> None:
    audience = server.url
    good = provider.token(audience)
    table: dict[str, tuple[str | None, int]] = {
        "none": (None, 401),
        "garbage": ("garbage", 401),
        "of another server": (provider.token("http://127.0.0.1:1/mcp"), 401),
        "alg none": (unsigned(good), 401),
        "changed subject": (changed(good), 401),
        "ended": (provider.signed(KEY, audience, exp=int(time.time()) - 60), 401),
        "of another issuer": (provider.signed(KEY, audience, iss="http://127.0.0.1:1"), 401),
        "with a stranger's key": (provider.signed(STRANGE_KEY, audience), 401),
        "with a wrong scope": (provider.signed(KEY, audience, scope="openid"), 403),
        "good": (good, 200),
        "of our own, made up": ("consortium_made-up", 401),
    }
    found = {kind: await posted(server, token) for kind, (token, _) in table.items()}
    assert {kind: answer.status_code for kind, answer in found.items()} == {
        kind: status for kind, (_, status) in table.items()
    }
    for kind, answer in found.items():
        challenge = answer.headers.get("www-authenticate", "")
        assert bool(challenge) == (answer.status_code != 200), kind
        if challenge:
            metadata = f"{server.root}/.well-known/oauth-protected-resource/mcp"
            assert f'resource_metadata="{metadata}"' in challenge
            assert 'scope="' in challenge
    assert 'error="invalid_token"' not in found["none"].headers["www-authenticate"]
    assert 'error="invalid_token"' in found["ended"].headers["www-authenticate"]
    assert 'error="insufficient_scope"' in found["with a wrong scope"].headers["www-authenticate"]
    admin = provider.token(server.url, "admin")
    async with server.http(admin) as http:
        entries = (await http.get("/admin/audit")).json()["entries"]
        assert "sign_in_refused" in {entry["action"] for entry in entries}
        assert (await http.get("/admin/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV")).status_code == 403


async def test_who_may_read_may_not_begin(server: TeamServer, provider: IdentityProvider) -> None:
    reader = provider.token(server.url, "read")
    assert (await posted(server, reader)).status_code == 200
    refused = await posted(server, reader, ASK)
    assert refused.status_code == 403
    assert 'scope="consult"' in refused.headers["www-authenticate"]
    asker = provider.token(server.url, "consult")
    assert (await posted(server, asker, ASK)).status_code == 200
    async with server.http(asker) as http:
        assert (await http.get("/admin/usage")).status_code == 403


async def test_the_server_says_who_signs_people_in(
    server: TeamServer, provider: IdentityProvider
) -> None:
    async with server.http() as http:
        for path in ("/mcp", ""):
            found = (await http.get(f"/.well-known/oauth-protected-resource{path}")).json()
            assert found["resource"] == server.url
            assert found["authorization_servers"] == [provider.issuer]
            assert found["scopes_supported"] == ["consult", "read"]


@pytest.mark.parametrize("era", ERAS)
async def test_both_kinds_of_token_sign_in_on_both_eras(
    server: TeamServer, provider: IdentityProvider, database_url: str, era: str
) -> None:
    own = await new_token(database_url, f"own-{era}")
    for token in (own, provider.token(server.url)):
        async with server.client(token, era) as client:
            report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
            assert report["status"] == "completed"
            assert report["run_id"] in text_of(await client.call_tool("list_runs", {}))


async def test_keys_are_rotated_and_the_provider_may_be_down(
    server: TeamServer, provider: IdentityProvider
) -> None:
    before = provider.token(server.url)
    assert (await posted(server, before)).status_code == 200
    provider.stop()
    try:
        assert (await posted(server, before)).status_code == 200  # by the keys last seen
        assert (await posted(server, "garbage")).status_code == 401
    finally:
        provider.start(NEXT_KEY, KEY, pages=server.root)
    after = provider.signed(NEXT_KEY, server.url)
    began = time.monotonic()
    while (answer := await posted(server, after)).status_code != 200:
        assert answer.status_code == 401
        assert time.monotonic() - began < 6 * REFETCH_SECONDS
    assert (await posted(server, before)).status_code == 200  # the old key is not withdrawn


async def test_people_sign_in_with_a_browser(
    server: TeamServer, provider: IdentityProvider
) -> None:
    async with httpx2.AsyncClient(follow_redirects=True, timeout=60) as browser:
        looked = await browser.get(f"{server.root}/", headers={"accept": "text/html"})
        assert looked.url.path == "/sign-in"
        assert "Sign in with your account" in looked.text
        page = await browser.get(f"{server.root}/sign-in/provider")
        while (
            page.url.host == urlsplit(provider.issuer).hostname and page.url.port == provider.port
        ):
            action = re.search(r'action="([^"]+)"', page.text)
            prompt = re.search(r'name="prompt" value="([^"]+)"', page.text)
            assert action, page.text
            assert prompt, page.text
            given = {"prompt": prompt[1]}
            if prompt[1] == "login":
                given |= {"login": "dora", "password": "any"}
            page = await browser.post(str(page.url.join(action[1])), data=given)
        assert page.status_code == 200
        assert (page.url.port, page.url.path) == (urlsplit(server.url).port, "/")
        assert (await browser.get(f"{server.root}/api/runs")).json()["runs"] == []
        cookie = next(each for each in browser.cookies.jar if each.name == "consortium_session")
        assert cookie.has_nonstandard_attr("HttpOnly")
        answer = await browser.post(f"{server.url}", json=PING, headers=ACCEPT)
        assert answer.status_code == 401  # a cookie is no token for MCP
        await browser.post(f"{server.root}/sign-in/out", headers={"x-consortium": "1"})
        assert (await browser.get(f"{server.root}/api/runs")).status_code == 401


async def test_people_sign_in_with_a_token(server: TeamServer, database_url: str) -> None:
    token = await new_token(database_url, "erik")
    async with httpx2.AsyncClient(follow_redirects=True, timeout=60) as browser:
        refused = await browser.post(f"{server.root}/sign-in", data={"token": "made up"})
        assert refused.status_code == 401
        assert "This token is not good" in refused.text
        page = await browser.post(f"{server.root}/sign-in", data={"token": token})
        assert (page.status_code, page.url.path) == (200, "/")
        assert (await browser.get(f"{server.root}/api/runs")).status_code == 200


async def test_a_way_back_that_was_not_begun_here_leads_nowhere(server: TeamServer) -> None:
    async with server.http() as http:
        for query in ("", "?code=x&state=y"):
            answer = await http.get(f"/sign-in/callback{query}")
            assert answer.status_code == 400
        begun = await http.get("/sign-in/provider")
        assert begun.status_code == 303
        answer = await http.get("/sign-in/callback?code=x&state=of-somebody-else")
        assert answer.status_code == 400
        assert "This was not begun here" in answer.text
