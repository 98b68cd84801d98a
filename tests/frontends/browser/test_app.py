from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.frontends.browser.app import make_app
from tests.support.asgi import ask
from tests.support.fakes import reply
from tests.support.panels import PANEL, opened, panel_models

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with opened(settings, b=reply("41", 0.3)) as (found, _):
        yield found


@pytest.fixture
def app(service: Service) -> Starlette:
    async def get() -> Service:
        return service

    return make_app(get)


async def consulted(service: Service, prompt: str = "Six × 7?", **more: Any) -> str:  # noqa: ANN401
    run_id = await service.consult(ConsultRequest(prompt, None, PANEL, **more))
    await service.wait(run_id, 60)
    return run_id


async def test_the_page_is_one_file(app: Starlette) -> None:
    page = await ask(app, "/")
    assert page.status == 200
    assert b"<title>Consultations</title>" in page.body


async def test_one_persons_server_tells_of_no_users(app: Starlette, service: Service) -> None:
    run_id = await consulted(service)
    assert (await ask(app, "/usage")).data is None
    assert (await ask(app, f"/api/runs/{run_id}/sharing")).data == {"visibility": None}
    assert (await ask(app, "/api/consortiums/mine/sharing")).data == {"visibility": None}


async def test_runs_are_listed_and_searched(app: Starlette, service: Service) -> None:
    first = await consulted(service, "Which lock?")
    second = await consulted(service)
    found = (await ask(app, "/api/runs")).data
    assert [run["run_id"] for run in found["runs"]] == [second, first]
    assert found["next_cursor"] is None
    searched = (await ask(app, "/api/runs?query=lock")).data["runs"]
    assert [run["run_id"] for run in searched] == [first]
    assert (await ask(app, "/api/runs?status=failed")).data["runs"] == []


async def test_a_run_comes_as_its_page_and_long_texts_when_they_are_opened(
    app: Starlette, service: Service
) -> None:
    run_id = await consulted(service, "Six × 7? " * 200)
    found = (await ask(app, f"/api/runs/{run_id}")).data
    assert found["run"]["status"] == "completed"
    key = found["run"]["prompt"]["key"]
    text = (await ask(app, f"/api/runs/{run_id}/text?key={key}")).data["text"]
    assert text == "Six × 7? " * 200
    # An ended run does not change, so nothing is waited for.
    again = await ask(app, f"/api/runs/{run_id}?after={found['cursor']}")
    assert again.data["cursor"] == found["cursor"]


async def test_a_run_is_rated_there(app: Starlette, service: Service) -> None:
    run_id = await consulted(service)

    async def rate(body: bytes) -> Any:  # noqa: ANN401
        return await ask(app, f"/api/runs/{run_id}/rate", method="POST", body=body)

    rated = await rate(b'{"correct": true}')
    [rating] = rated.data["run"]["ratings"]
    assert (rating["correct"], rating["by"]) == (True, "browser")
    for wrong in (b"", b"[]", b'{"right": true}', b'{"correct": "x"}'):
        assert (await rate(wrong)).status == 400
    shown = (await ask(app, "/api/calibration")).data
    assert (shown["rated"], len(shown["bins"])) == (1, 1)


async def test_what_is_wrong_is_said(app: Starlette, service: Service) -> None:
    unknown = await ask(app, "/api/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert unknown.status == 404
    assert "No run has the id" in unknown.data["error"]
    run_id = await consulted(service)
    assert (await ask(app, f"/api/runs/{run_id}/explode", method="POST")).status == 400
    assert "by" in (await ask(app, "/api/costs?by=planet")).data["error"]
    assert (await ask(app, "/api/runs?cursor=x")).status == 400


async def test_figures(app: Starlette, service: Service) -> None:
    empty = (await ask(app, "/api/calibration")).data
    assert empty == {"rated": 0, "ece": None, "bins": []}
    await service.consortiums.save("mine", PANEL)
    run_id = await service.consult(ConsultRequest("Six × 7?", "mine", ConsortiumSettings()))
    report = await service.wait(run_id, 60)
    [line] = (await ask(app, "/api/consortiums")).data["consortiums"]
    assert (line["name"], line["runs"], line["answered"]) == ("mine", 1, 1)
    board = (await ask(app, "/api/leaderboard")).data
    assert {each["model"] for each in board["standings"]} == {"a", "b"}
    for by in ("month", "consortium", "model", "client"):
        found = (await ask(app, f"/api/costs?by={by}")).data
        assert sum(each["calls"] for each in found["lines"]) == report.usage.calls
    assert json.dumps(board)
