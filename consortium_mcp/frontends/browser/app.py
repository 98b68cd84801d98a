"""The pages' server: what each address gives.

The page itself is one file without data; all it shows it reads from `/api`, as JSON.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from consortium_mcp.core.domain.errors import (
    ConfigError,
    ConsortiumError,
    UnknownConsortium,
    UnknownRun,
)
from consortium_mcp.core.domain.principal import Visibility
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.frontends.browser import figures
from consortium_mcp.frontends.page.files import HISTORY, page_template
from consortium_mcp.frontends.page.live import page_now, wait_for_change

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from consortium_mcp.core.domain.errors import Listing
    from consortium_mcp.services.service import Service

    GetService = Callable[[], Awaitable[Service]]
    Handler = Callable[[Service, Request], Awaitable[Any]]

LISTINGS: Mapping[Listing, str] = {
    "models": "`llm models` lists them.",
    "consortiums": "The page of consortiums has them.",
    "runs": "The page of runs lists and searches them.",
}
"""Where to find the right name, by kind of name."""
MOST_SECONDS = 25
"""That one request waits for a change."""
RUNS_A_PAGE = 30


class _GivenRating(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    correct: bool | None = None
    answer: str | None = None
    note: str | None = None


class _Sharing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    visibility: Visibility


def make_app(service: GetService, on_request: Callable[[], None] | None = None) -> Starlette:
    """The pages' server.

    Args:
        service: gives the service, which may load at its first use.
        on_request: called with each request, so that the server knows that somebody is there.
    """

    def answered(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if on_request is not None:
                on_request()
            try:
                return JSONResponse(await handler(await service(), request))
            except (UnknownRun, UnknownConsortium) as error:
                return _problem(error, HTTPStatus.NOT_FOUND)
            except ConfigError as error:
                return _problem(error, HTTPStatus.BAD_REQUEST)
            except ConsortiumError as error:
                return _problem(error, HTTPStatus.SERVICE_UNAVAILABLE)

        return endpoint

    return Starlette(
        routes=[
            Route("/", _page),
            Route("/api/runs", answered(_runs)),
            Route("/api/runs/{run_id}", answered(_run)),
            Route("/api/runs/{run_id}/text", answered(_text)),
            Route("/api/runs/{run_id}/sharing", answered(_sharing_of_run)),
            Route("/api/runs/{run_id}/{action:str}", answered(_act), methods=["POST"]),
            Route("/api/consortiums", answered(figures.consortiums)),
            Route("/api/consortiums/{name}/sharing", answered(_sharing_of_consortium)),
            Route("/api/consortiums/{name}/share", answered(_share), methods=["POST"]),
            Route("/api/leaderboard", answered(figures.leaderboard)),
            Route("/api/costs", answered(figures.costs)),
            Route("/api/calibration", answered(figures.calibration)),
            Route("/usage", answered(_nobodys_usage)),
        ]
    )


def _problem(error: ConsortiumError, status: HTTPStatus) -> Response:
    return JSONResponse({"error": error.told(LISTINGS)}, status)


async def _page(_: Request) -> Response:
    try:
        return HTMLResponse(page_template(HISTORY))
    except ConsortiumError as error:
        return HTMLResponse(str(error), HTTPStatus.INTERNAL_SERVER_ERROR)


async def _runs(service: Service, request: Request) -> dict[str, Any]:
    asked = request.query_params
    query = RunQuery(
        RUNS_A_PAGE,
        asked.get("cursor") or None,
        asked.get("query") or None,
        asked.get("status") or None,
        asked.get("consortium") or None,
    )
    found = await service.list_runs(query)
    return {
        "runs": [run.model_dump(mode="json", exclude_none=True) for run in found.runs],
        "next_cursor": found.next_cursor,
        "notes": found.notes,
    }


async def _run(service: Service, request: Request) -> dict[str, Any]:
    """A run; with `after`, as soon as it is no longer as the page has seen it."""
    run_id = await service.find_run(request.path_params["run_id"])
    if after := request.query_params.get("after"):
        await wait_for_change(service, run_id, after, MOST_SECONDS)
    return await page_now(service, run_id)


async def _text(service: Service, request: Request) -> dict[str, Any]:
    run_id = await service.find_run(request.path_params["run_id"])
    return await page_now(service, run_id, request.query_params.get("key", ""))


async def _act(service: Service, request: Request) -> dict[str, Any]:
    run_id = await service.find_run(request.path_params["run_id"])
    match request.path_params["action"]:
        case "cancel":
            await service.cancel(run_id)
        case "resume":
            await service.resume(run_id)
        case "rate":
            await service.rate(run_id, by="browser", **await _rating(request))
        case "share":
            await service.share(run_id, await _visibility(request))
        case other:
            raise ConfigError(f"A run cannot be told to {other!r}.")
    return await page_now(service, run_id)


async def _sharing_of_run(service: Service, request: Request) -> dict[str, Any]:
    run_id = await service.find_run(request.path_params["run_id"])
    return {"visibility": await service.store.visibility(run_id)}


async def _sharing_of_consortium(service: Service, request: Request) -> dict[str, Any]:
    return {"visibility": await service.consortiums.visibility(request.path_params["name"])}


async def _nobodys_usage(_service: Service, _request: Request) -> None:
    """Where people sign in, a team's server answers here instead."""


async def _share(service: Service, request: Request) -> dict[str, Any]:
    name = request.path_params["name"]
    visibility = await _visibility(request)
    await service.consortiums.share(name, visibility)
    return {"name": name, "visibility": visibility}


async def _visibility(request: Request) -> Visibility:
    try:
        return _Sharing.model_validate_json(await request.body()).visibility
    except ValidationError as error:
        what = 'Say who may read it: {"visibility": "team"}, or "public", or "private".'
        raise ConfigError(what) from error


async def _rating(request: Request) -> dict[str, Any]:
    try:
        return _GivenRating.model_validate_json(await request.body()).model_dump()
    except ValidationError as error:
        raise ConfigError('A rating is an object such as {"correct": true}.') from error
