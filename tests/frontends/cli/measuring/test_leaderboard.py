from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import pytest
from click.testing import CliRunner

from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.frontends.cli.main import main
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.peers import panel_of

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


def command(*arguments: str) -> str:
    return CliRunner().invoke(main, ["leaderboard", "--judges", *arguments]).output


@pytest.fixture
def runs(settings: Settings) -> None:
    """20 runs of a council of three."""

    async def record() -> None:
        names, ask = panel_of(3)
        wanted = ConsortiumSettings(models=names, arbiter="judge", strategy="council")
        with plugin("fake", models(*(FakeAsync(name, "x") for name in (*names, "judge")))):
            async with open_service(settings, ask=ask) as service:
                for _ in range(20):
                    run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted))
                    await service.wait(run_id, 60)

    anyio.run(record)


def test_judges_are_shown_with_what_chance_would_give(runs: None) -> None:  # noqa: ARG001
    shown = command()
    assert "judge  arbiter   20" in shown
    assert "m0     reviewer  20" in shown
    assert "– (0 runs)" in shown  # no family of theirs is known
    assert "what drawing lots would give" in shown
    judges = json.loads(command("--json"))
    assert {judge["kind"] for judge in judges} == {"arbiter", "reviewer"}
    arbiter = next(judge for judge in judges if judge["kind"] == "arbiter")
    assert arbiter["first_shown"]["runs"] == 20
    assert arbiter["first_shown"]["chance"] == pytest.approx(1 / 3)


def test_where_nobody_judged_it_says_so() -> None:
    assert "Nobody has judged yet" in command()
