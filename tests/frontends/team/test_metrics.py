from __future__ import annotations

from dataclasses import replace

import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.settings import Settings
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import BudgetError, MemberError
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.core.spending.limits import Limit
from consortium_mcp.frontends.team.metrics import CONTENT_TYPE, Metrics
from consortium_mcp.services.assembly import open_service
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.teams import ANN, MODELS, PANEL, team_ask

pytestmark = pytest.mark.anyio
QUESTION = ConsultRequest("Six × 7?", None, replace(PANEL, max_iterations=1))


def figures(text: bytes) -> dict[str, float]:
    lines = (line for line in text.decode().splitlines() if not line.startswith("#"))
    found = (line.rpartition(" ") for line in lines)
    return {name: float(value) for name, _, value in found}


@ON_POSTGRES
async def test_what_was_done_is_counted(settings: Settings, database: DatabaseOfTest) -> None:
    here = database.settings(settings)
    metrics = Metrics()
    failing = team_ask(b=MemberError("no", kind="rate_limit"))
    with plugin("fake", models(*(FakeAsync(name, "x") for name in MODELS))):
        async with open_service(here, ask=failing, meter=metrics) as service:
            ann = service.for_principal(ANN)
            await ann.wait((await ann.begin(QUESTION)).run_id, 30)
            limits = Limits(service.store.file)
            await limits.set(Limit(who="each", period="day", what="calls", most=1))
            with pytest.raises(BudgetError):
                await ann.begin(QUESTION)
        metrics.taken_over()
    found = figures(await metrics.text())
    assert found['consortium_runs_total{status="degraded"}'] == 1
    assert found["consortium_run_seconds_count"] == 1
    assert found['consortium_calls_total{provider="fake"}'] == 3
    assert found['consortium_call_errors_total{kind="rate_limit",provider="fake"}'] == 1
    assert found['consortium_tokens_total{direction="input",provider="fake"}'] == 20
    assert found['consortium_tokens_total{direction="output",provider="fake"}'] == 10
    assert found['consortium_cost_usd_total{provider="fake"}'] == 0
    assert found['consortium_call_seconds_count{provider="fake"}'] == 3
    assert found['consortium_budget_refusals_total{what="calls"}'] == 1
    assert found["consortium_takeovers_total"] == 1


@ON_POSTGRES
async def test_what_works_and_waits_is_looked_up(database: DatabaseOfTest) -> None:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    metrics = Metrics(opened)
    found = figures(await metrics.text())
    assert found["consortium_runs_queued"] == found["consortium_oldest_queued_seconds"] == 0
    for number, (owner, heartbeat, parent) in enumerate(
        [
            ("me", "extract(epoch FROM now())", None),
            ("me", "extract(epoch FROM now()) - 90", None),  # its process has died
            ("me", "extract(epoch FROM now())", "run-0"),
            (None, "'infinity'", None),
            (None, "'infinity'", None),
        ]
    ):
        database.execute(
            "INSERT INTO runs (run_id, status, strategy, prompt, config, members, seed, report,"  # noqa: S608 (the test's)
            " created_at, owner, parent_run_id, heartbeat)"
            f" VALUES (?, 'working', '', '', '', '', '', '', ?, ?, ?, {heartbeat})",
            [f"run-{number}", "2026-01-01T00:00:00.000+00:00", owner, parent],
        )
    found = figures(await metrics.text())
    assert found["consortium_runs_working"] == 1
    assert found["consortium_runs_queued"] == 2
    assert found["consortium_oldest_queued_seconds"] > 0
    await opened.close()


async def test_a_database_that_is_down_leaves_the_other_figures() -> None:
    nowhere = PostgresDatabase("postgresql://consortium:x@127.0.0.1:1/nothing")
    metrics = Metrics(nowhere)
    metrics.taken_over()
    found = figures(await metrics.text())
    assert found["consortium_takeovers_total"] == 1
    assert found["consortium_runs_queued"] != found["consortium_runs_queued"]
    assert CONTENT_TYPE.startswith("text/plain")
