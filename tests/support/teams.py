"""Users of a team, and many of their consultations at once, in this process or another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.core.domain.errors import BudgetError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict

if TYPE_CHECKING:
    from consortium_mcp.services.service import Service

ANN = Principal(issuer="https://id.example", subject="ann")
BEN = Principal(issuer="https://id.example", subject="ben")
PANEL = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="synthesis")
MODELS = ("a", "b", "judge")
ROOT = Path(__file__).parent.parent.parent


def team_ask(**script: Any) -> FakeAsk:  # noqa: ANN401
    """A panel that agrees at once: three calls a consultation."""
    said = {"a": reply("42", 0.9), "b": reply("42", 0.9), "judge": verdict()}
    return FakeAsk(**said | script)


@dataclass
class Outcome:
    """What came of many consultations."""

    completed: int = 0
    refused: int = 0
    calls: int = 0


async def consult_often(service: Service, times: int, ask: FakeAsk) -> Outcome:
    """So many different questions at the same moment, each to its end."""
    outcome = Outcome()

    async def consult(number: int) -> None:
        try:
            begun = await service.begin(ConsultRequest(f"{os.getpid()}: {number}?", None, PANEL))
        except BudgetError:
            outcome.refused += 1
            return
        report = await service.wait(begun.run_id, 60)
        outcome.completed += report.status in {"completed", "degraded"}

    async with anyio.create_task_group() as group:
        for number in range(times):
            group.start_soon(consult, number)
    outcome.calls = len(ask.questions)
    return outcome


def start_process(url: str, user_dir: Path, times: int) -> subprocess.Popen[str]:
    """Another process in which Ann consults so often; its output is an `Outcome` as JSON."""
    environment = os.environ | {
        "CONSORTIUM_DATABASE_URL": url,
        "LLM_USER_PATH": str(user_dir),
        "LLM_LOAD_PLUGINS": "",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.teams", str(times)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


async def _main(times: int) -> None:
    ask = team_ask()
    settings = from_environment(for_team=True)
    with plugin("fake", models(*(FakeAsync(name, "x") for name in MODELS))):
        async with open_service(settings, ask=ask) as service:
            outcome = await consult_often(service.for_principal(ANN), times, ask)
    sys.stdout.write(json.dumps(vars(outcome)))


if __name__ == "__main__":
    anyio.run(_main, int(sys.argv[1]))
