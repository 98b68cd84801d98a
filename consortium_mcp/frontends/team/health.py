"""What the machines around the server ask: is it alive, is it ready, and may runs still begin?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
from starlette.responses import JSONResponse, PlainTextResponse

from consortium_mcp.core.domain.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

CHECK_SECONDS = 3.0
"""For the database to answer; a balancer asks every few seconds."""


class Health:
    """Whether the server is ready.

    Args:
        check: raises a `ConsortiumError` if what the server needs is not there.
    """

    def __init__(self, check: Callable[[], Awaitable[object]]) -> None:
        self._check = check
        self.draining = False
        """The server is about to end: no run begins here any more."""

    async def healthz(self, _: Request) -> Response:
        """Alive, as long as it answers."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _: Request) -> Response:
        """Ready for requests, or why not."""
        why = "the server is about to end" if self.draining else await self._problem()
        if why is None:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "why": why}, HTTPStatus.SERVICE_UNAVAILABLE)

    async def _problem(self) -> str | None:
        try:
            with anyio.fail_after(CHECK_SECONDS):
                await self._check()
        except ConsortiumError as error:
            return str(error)
        except TimeoutError:
            return f"the database has not answered within {CHECK_SECONDS:.0f} s"
        return None
