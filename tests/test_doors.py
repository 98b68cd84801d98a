"""The same question through every front door gives the same report, but for ids and times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from click.testing import CliRunner
from llm.cli import cli
from llm.plugins import pm
from mcp import Client

from consortium_mcp import create_consortium
from consortium_mcp.core.reports.report import RunReport
from consortium_mcp.frontends.llm import plugin as ours
from consortium_mcp.frontends.mcp.server import make_server
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consortium_mcp.adapters.settings import Settings

PROMPT = "Six × 7?"
PANEL = {"models": ["sure", "doubts:2"], "arbiter": "judge", "strategy": "synthesis"}


@pytest.fixture(autouse=True)
def saved(settings: Settings) -> Iterator[None]:
    """The panel, saved as `mine`, and our own plugin in llm."""
    fakes = [FakeAsync("sure", reply("42", 0.9)), FakeAsync("doubts", reply("41", 0.4))]
    fakes += [FakeAsync("judge", verdict(support="", groups="", ranking="", final_answer="42"))]
    with plugin("fake", models(*fakes)):
        pm.register(ours, name="consortium")
        ours.register_commands(cli)
        create_consortium(**PANEL).save("mine")  # type: ignore[arg-type]
        yield
        pm.unregister(ours)
    assert settings.database.exists()


def by_mcp(settings: Settings) -> RunReport:
    async def call() -> dict[str, Any]:
        async with Client(make_server(settings)) as client:
            asked = {"prompt": PROMPT, "consortium": "mine"}
            result = await client.call_tool("consult_consortium", asked)
            return result.structured_content or {}

    return RunReport.model_validate(anyio.run(call))


def by_llm_model(settings: Settings) -> RunReport:
    done = CliRunner().invoke(cli, ["-m", "mine", PROMPT])
    assert (done.exit_code, done.output) == (0, "It is 42.\n")
    logged = json.loads(CliRunner().invoke(cli, ["logs", "-n", "1", "--json"]).output)
    run_id = logged[0]["response_json"]["run_id"]

    async def find() -> RunReport:
        async with open_service(settings) as service:
            return await service.wait(run_id, 0)

    return anyio.run(find)


def by_llm_consortium(settings: Settings) -> RunReport:
    output = settings.user_dir / "report.json"
    asked = ["consortium", PROMPT, "--consortium", "mine", "--output", str(output)]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    return RunReport.model_validate_json(output.read_text(encoding="utf-8"))


def by_python(settings: Settings) -> RunReport:
    del settings
    return create_consortium(consortium="mine").orchestrate(PROMPT).report


def told(report: RunReport) -> dict[str, Any]:
    """All but ids, times, and the labels that each run deals anew."""
    names = {member.label: member.model for member in report.members}
    said = report.model_dump(exclude={"run_id", "resource", "created_at", "members", "dissent"})
    said["usage"]["seconds"] = None
    said["members"] = [m.model_dump(exclude={"label", "seconds"}) for m in report.members]
    said["dissent"] = [
        d.model_dump(exclude={"labels"}) | {"who": sorted(names[label] for label in d.labels)}
        for d in report.dissent
    ]
    return said


@pytest.mark.parametrize("door", [by_mcp, by_llm_model, by_llm_consortium])
def test_every_door_gives_the_same_report_as_python(
    settings: Settings, door: Callable[[Settings], RunReport]
) -> None:
    report = door(settings)
    assert report.status == "completed"
    assert report.consortium == "mine"
    assert told(report) == told(by_python(settings))
