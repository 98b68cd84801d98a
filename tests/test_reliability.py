"""docs/reliability.md tells what happens; here it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from bench.reliability import DOC, SCENARIOS, TIMEOUT, Scenario, outcome
from consortium_mcp.services.assembly import open_service
from tests.support.loopback import provider, register

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

QUORUM = SCENARIOS[-1]
PATIENCE = 20.0
"""Seconds for a call. The table has 5, which a busy machine can miss though nothing hangs."""


@pytest.mark.anyio
async def test_every_fault_ends_as_the_documentation_says(settings: Settings) -> None:
    table = DOC.read_text(encoding="utf-8")
    with provider() as served:
        register(settings.user_dir, served.port)
        async with open_service(settings) as service:
            await outcome(service, Scenario("imports"), PATIENCE)
            found = {}
            some = anyio.CapacityLimiter(6)  # what a busy machine answers within their seconds

            async def meet(scenario: Scenario) -> None:
                async with some:
                    found[scenario] = await outcome(service, scenario, PATIENCE)

            async with anyio.create_task_group() as group:
                for scenario in SCENARIOS:
                    if scenario.fault != "a member is rate-limited (429) once":
                        group.start_soon(meet, scenario)
            await meet(next(s for s in SCENARIOS if s.fault.endswith("(429) once")))
            alone = await outcome(service, QUORUM, PATIENCE)
    for scenario, result in found.items():
        says = result.says.replace(f"within {PATIENCE:g} s", f"within {TIMEOUT:g} s")
        assert f"| {scenario.fault} | {says} |" in table
    hung = next(result for scenario, result in found.items() if scenario.fault == "a member hangs")
    assert alone.seconds < hung.seconds  # without a quorum a hung member costs its timeout
