from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from consortium_mcp.core.domain.errors import StoreUnavailable
from consortium_mcp.frontends.team.health import Health
from tests.support.asgi import ask

pytestmark = pytest.mark.anyio


def app_of(health: Health) -> Starlette:
    return Starlette(routes=[Route("/healthz", health.healthz), Route("/readyz", health.readyz)])


async def test_a_server_is_ready_while_its_database_answers_and_it_does_not_end() -> None:
    problems: list[StoreUnavailable] = []

    async def check() -> None:
        if problems:
            raise problems[0]

    health = Health(check)
    app = app_of(health)
    assert (await ask(app, "/readyz")).data == {"ready": True}
    problems.append(StoreUnavailable("The database cannot be used."))
    answer = await ask(app, "/readyz")
    assert answer.status == 503
    assert answer.data == {"ready": False, "why": "The database cannot be used."}
    assert (await ask(app, "/healthz")).status == 200
    problems.clear()
    health.draining = True
    answer = await ask(app, "/readyz")
    assert (answer.status, answer.data["why"]) == (503, "the server is about to end")
    assert (await ask(app, "/healthz")).status == 200
