"""A team's server with fake models as a child process, and its users."""

from __future__ import annotations

import re
import subprocess
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from consortium_mcp.adapters.identity.own_tokens import OwnTokens
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from tests.conftest import ROOT
from tests.support.programs import program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from typing import IO

    from consortium_mcp.adapters.identity.identity import Scope


@dataclass(frozen=True)
class TeamServer:
    """One that runs."""

    url: str
    """Of MCP, such as `http://127.0.0.1:1234/mcp`."""
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        """Of the pages, without a slash at the end."""
        return self.url.removesuffix("/mcp")

    @asynccontextmanager
    async def client(
        self,
        token: str | None = None,
        era: str = "auto",
        **options: Any,  # noqa: ANN401 (those of `Client`)
    ) -> AsyncIterator[Client]:
        """A client of MCP that brings this token."""
        async with (
            self.http(token) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era, **options) as made,
        ):
            yield made

    def http(self, token: str | None = None) -> httpx2.AsyncClient:
        """A client of plain HTTP."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx2.AsyncClient(base_url=self.root, headers=headers, timeout=60)


@contextmanager
def team_server(
    environment: dict[str, str],
    database_url: str,
    *words: str,
    port: int = 0,
    **variables: Any,  # noqa: ANN401 (texts)
) -> Iterator[TeamServer]:
    """A server on loopback, ended with SIGTERM.

    Args:
        environment: of the child.
        database_url: the team's database.
        words: more of the command line.
        port: to listen on; 0 for any free one.
        variables: more of the environment.
    """
    given = environment | {"CONSORTIUM_DATABASE_URL": database_url, "CONSORTIUM_DRAIN_SECONDS": "0"}
    command = program("tests.support.fake_server", "serve", "--port", str(port), *words)
    with subprocess.Popen(
        command, env=given | variables, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            found, said = None, ""
            while found is None:
                line = cast("IO[str]", process.stderr).readline()
                said += line
                assert line, f"the server ended: {said}"
                found = re.search(r"Listening on (\S+/mcp), ", line)
            yield TeamServer(found[1], process)
        finally:
            process.terminate()
            process.communicate(timeout=60)


async def new_token(
    database_url: str, name: str, scopes: Sequence[Scope] = ("consult", "read")
) -> str:
    """A token of this installation's own."""
    database = PostgresDatabase(database_url)
    try:
        return await OwnTokens(database).add(name, scopes)
    finally:
        await database.close()


def token_for(database_url: str, name: str, scopes: Sequence[Scope] = ("consult", "read")) -> str:
    """The same, outside of an event loop."""
    return anyio.run(new_token, database_url, name, scopes)
