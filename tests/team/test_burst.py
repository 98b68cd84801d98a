"""More runs at once than two workers can work on: all wait their turn, and none is told as dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import RunQuery
from tests.support.replicas import replicas

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.services.service import Service
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio
RUNS = 2000
AT_ONCE = 50
PANEL = ConsortiumSettings(models=["one", "two"], arbiter="judge", strategy="vote")


async def test_2000_runs_at_once_and_no_living_one_is_told_as_dead(
    postgres: Server, child_environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.database() as url, replicas(url, tmp_path / "team", child_environment) as team:
        async with team.service() as service:
            for name in ("first", "second"):
                team.start(name, CONSORTIUM_WORKER_RUNS="100")
            await team.until_up(2)
            looks = 0

            async def begin() -> None:
                for _ in range(RUNS // AT_ONCE):
                    await service.consult(ConsultRequest("Six × 7?", None, PANEL))

            async def look() -> None:
                nonlocal looks
                while True:
                    for status in ("interrupted", "cancelled"):
                        found = await service.list_runs(RunQuery(limit=5, status=status))
                        assert not found.runs, found.runs[0]
                    looks += 1
                    await anyio.sleep(0.2)

            async with anyio.create_task_group() as looking:
                looking.start_soon(look)
                async with anyio.create_task_group() as asking:
                    for _ in range(AT_ONCE):
                        asking.start_soon(begin)
                await _all_ended(service)
                looking.cancel_scope.cancel()
            assert looks > 1
        assert team.value("SELECT count(*) FROM runs WHERE status = 'completed'") == RUNS
        assert team.value("SELECT sum(deaths) FROM runs") == 0
        assert team.value("SELECT count(*) FROM exchanges") == 2 * RUNS


async def _all_ended(service: Service) -> None:
    while (await service.list_runs(RunQuery(limit=1, status="working"))).runs:  # noqa: ASYNC110 (a database)
        await anyio.sleep(0.2)
