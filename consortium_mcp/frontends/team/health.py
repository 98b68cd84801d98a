"""What the machines around the server ask: is it alive, is it ready, and may runs still begin?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR
from starlette.responses import JSONResponse, PlainTextResponse

from consortium_mcp.core.domain.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from starlette.requests import Request
    from starlette.responses import Response

    Call = ServerRequestContext[Any, Any]

BEGINNING = frozenset({"consult_consortium", "resume_run"})
"""The tools that let a run begin or go on."""
AGAIN_SECONDS = 5
"""After which balancers have found another server."""
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

    async def refuse_new_runs(self, ctx: Call, call_next: CallNext) -> HandlerResult:
        """Middleware of MCP: while the server is about to end, nothing begins here."""
        name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
        if self.draining and name in BEGINNING:
            raise MCPError(
                code=INTERNAL_ERROR,
                message=(
                    "This server is about to end, so no run begins here; nothing was called. Ask "
                    f"again in {AGAIN_SECONDS} seconds: another server will answer."
                ),
                data={"retryAfterSeconds": AGAIN_SECONDS},
            )
        return await call_next(ctx)

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
