"""Serves the pages to the browser of this machine, as long as somebody looks at them."""

from __future__ import annotations

import socket
import webbrowser
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn

from consortium_mcp.frontends.browser.access import Access
from consortium_mcp.frontends.browser.app import MOST_SECONDS, make_app
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

HOST = "127.0.0.1"
GONE_SECONDS = MOST_SECONDS + 15
"""Without a request, after which the tab counts as gone: an open page asks after each wait."""
FIRST_SECONDS = 120
"""For the link to be opened."""


async def serve(
    settings: Settings,
    run_id: str | None,
    show: Callable[[str], object] = webbrowser.open,
    gone_seconds: float = GONE_SECONDS,
) -> None:
    """Show the pages in a browser until it has gone, or until Ctrl-C.

    Args:
        settings: paths and defaults.
        run_id: the run to begin with; `None` for the history.
        show: opens an address in a browser.
        gone_seconds: without a request, after which the browser counts as gone.

    Raises:
        UnknownRun: no run has this id.
        StoreError: the database cannot be read.
    """
    async with open_service(settings) as service:
        fragment = ""
        if run_id is not None:
            found = await service.wait(await service.find_run(run_id), 0)
            fragment = f"#/runs/{found.run_id}"
        seen = _LastSeen()

        async def get() -> Service:
            return service

        with socket.create_server((HOST, 0)) as listening:
            port = listening.getsockname()[1]
            hosts = {f"{HOST}:{port}", f"localhost:{port}"}
            access = Access(make_app(get, seen.note), hosts, with_token=True)
            link = f"http://{HOST}:{port}/?token={access.token}{fragment}"
            click.echo(
                f"The pages are at {link}\nThe link works once. They are served until the tab is "
                "closed, or Ctrl-C.",
                err=True,
            )
            server = uvicorn.Server(
                uvicorn.Config(
                    access, log_config=None, access_log=False, timeout_graceful_shutdown=1
                )
            )
            async with anyio.create_task_group() as group:
                group.start_soon(_end_when_gone, server, seen, gone_seconds)
                group.start_soon(anyio.to_thread.run_sync, show, link)
                await server.serve([listening])
                group.cancel_scope.cancel()


class _LastSeen:
    """When the browser last asked for something."""

    def __init__(self) -> None:
        self.at: float | None = None

    def note(self) -> None:
        self.at = anyio.current_time()


async def _end_when_gone(server: uvicorn.Server, seen: _LastSeen, gone_seconds: float) -> None:
    began = anyio.current_time()
    while True:
        since, allowed = (began, FIRST_SECONDS) if seen.at is None else (seen.at, gone_seconds)
        left = since + allowed - anyio.current_time()
        if left <= 0:
            server.should_exit = True
            return
        await anyio.sleep(min(left, gone_seconds))
