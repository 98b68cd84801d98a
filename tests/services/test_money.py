"""What a run costs, from the plan to the journal, through the service and real calls of fakes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import anyio
import anyio.to_thread
import pytest
from click.testing import CliRunner

from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.run_summary import CostsBy, RunQuery
from consortium_mcp.frontends.cli.measuring.costs import command
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport

pytestmark = pytest.mark.anyio

PANEL = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="synthesis")
PRICES = """
a = { input = 1_000, output = 1_000 }
b = { input = 10_000, output = 0, cached = 5 }
judge = { input = 0, output = 70_000 }
"""
"""A fake tells 7 tokens in and 3 out: 1, 7 and 21 cents."""


@pytest.fixture(autouse=True)
def priced_models(settings: Settings) -> Iterator[None]:
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    settings.prices.write_text(PRICES, encoding="utf-8")
    fakes = [FakeAsync(name, reply("42", 0.9)) for name in ("a", "b", "unpriced")]
    with plugin("fake", models(*fakes, FakeAsync("judge", verdict()))):
        yield


async def consulted(settings: Settings, wanted: ConsortiumSettings, client: str = "c") -> RunReport:
    async with open_service(settings) as service:
        run_id = await service.consult(ConsultRequest("Six × 7?", None, wanted, client=client))
        return await service.wait(run_id, 30)


async def planned(settings: Settings, wanted: ConsortiumSettings) -> RunReport:
    async with open_service(settings) as service:
        return await service.dry_run(ConsultRequest("Six × 7?", None, wanted))


async def test_a_run_of_three_priced_calls_to_the_cent(settings: Settings) -> None:
    report = await consulted(settings, PANEL)
    assert [round(100 * (member.cost_usd or 0), 6) for member in report.members] == [1, 7]
    assert round(100 * (report.usage.cost_usd or 0), 6) == 29
    assert (report.usage.calls, report.usage.priced_calls) == (3, 3)
    async with open_service(settings) as service:
        exchanges = await service.exchanges(report.run_id or "")
    assert sorted(round(100 * (each.cost_usd or 0), 6) for each in exchanges) == [1, 7, 21]


async def test_a_plan_says_what_it_costs_from_the_least_to_the_most(settings: Settings) -> None:
    wanted = replace(PANEL, max_iterations=1)
    plan = (await planned(settings, wanted)).plan
    report = await consulted(settings, wanted)
    assert plan is not None
    assert plan.least_cost_usd is not None
    assert plan.most_cost_usd is not None
    assert plan.least_cost_usd < plan.most_cost_usd
    assert plan.most_cost_usd > (report.usage.cost_usd or 0)
    assert plan.priced_calls == plan.most_calls == 4


async def test_what_has_no_price_is_not_in_the_range_and_is_told(settings: Settings) -> None:
    wanted = replace(PANEL, max_iterations=1, models=["a", "unpriced"])
    plan = (await planned(settings, wanted)).plan
    assert plan is not None
    assert (plan.priced_calls, plan.most_calls) == (3, 4)
    nothing = replace(PANEL, models=["unpriced"], arbiter="unpriced")
    plan = (await planned(settings, nothing)).plan
    assert plan is not None
    assert (plan.least_cost_usd, plan.most_cost_usd, plan.priced_calls) == (None, None, 0)


async def test_a_plan_that_max_cost_does_not_allow_says_so(settings: Settings) -> None:
    report = await planned(settings, replace(PANEL, max_cost=0.001))
    assert report.plan is not None
    assert report.plan.most_cost_usd == 0.001
    assert any("the least that this panel costs is about $" in each for each in report.warnings)


async def test_a_run_stays_within_max_cost(settings: Settings) -> None:
    report = await consulted(settings, replace(PANEL, max_cost=0.05))
    assert report.usage.calls == 0
    assert (report.status, report.stop_reason) == ("failed", "budget")
    assert "max_cost is $0.05;" in (report.error or "")
    assert "raise max_cost" in (report.error or "")


async def test_max_cost_warns_of_those_that_it_cannot_count(settings: Settings) -> None:
    wanted = replace(PANEL, max_cost=1_000, models=["a", "unpriced"])
    report = await consulted(settings, wanted)
    assert report.status == "completed"
    assert [each for each in report.warnings if "max_cost does not count unpriced" in each]
    unlimited = await consulted(settings, replace(wanted, max_cost=None))
    assert not [each for each in unlimited.warnings if "max_cost" in each]


async def test_a_consortium_in_another_spends_what_both_allow(settings: Settings) -> None:
    async with open_service(settings) as service:
        inner = replace(PANEL, max_cost=1_000)
        await service.consortiums.save("inner", inner)
        outer = ConsortiumSettings(models=["inner", "a"], arbiter="judge", strategy="synthesis")
        plan = (await service.dry_run(ConsultRequest("?", None, outer))).plan
        assert plan is not None
        assert plan.priced_calls == plan.most_calls
        assert (plan.most_cost_usd or 0) > 0
    report = await consulted(settings, outer)
    assert round(100 * (report.usage.cost_usd or 0), 6) == 29 + 1 + 21
    little = await consulted(settings, replace(outer, max_cost=3))
    assert "max_cost is $3;" in " ".join([*little.warnings, little.error or ""])


async def test_costs_add_up_by_each_name_and_count_nested_calls_once(settings: Settings) -> None:
    async with open_service(settings) as service:
        await service.consortiums.save("inner", PANEL)
    outer = ConsortiumSettings(models=["inner", "unpriced"], arbiter="judge", strategy="synthesis")
    await consulted(settings, outer, client="an-editor")
    async with open_service(settings) as service:
        found = {by: await service.costs(by) for by in get_args(CostsBy)}
        listed = (await service.list_runs(RunQuery())).runs
    cents = {
        by: {line.name: line.cost_usd and round(100 * line.cost_usd, 6) for line in costs.lines}
        for by, costs in found.items()
    }
    assert cents["model"] == {"judge": 42, "b": 7, "a": 1, "unpriced": None}
    assert cents["consortium"] == {"inner": 29, None: 21}
    assert cents["client"] == {"an-editor": 50}
    assert [*cents["month"].values()] == [50]
    assert {(c.total.calls, c.total.priced_calls) for c in found.values()} == {(5, 4)}
    assert [(run.calls, run.priced_calls) for run in listed] == [(5, 4), (3, 3)]
    assert [round(100 * (run.cost_usd or 0), 6) for run in listed] == [50, 29]


async def test_a_nested_run_that_fails_is_counted_once_too(settings: Settings) -> None:
    with plugin("more", models(FakeAsync("mute", "<think>?</think>"))):
        settings.prices.write_text(f"{PRICES}mute = {{ input = 1_000, output = 1_000 }}\n")
        async with open_service(settings) as service:
            inner = ConsortiumSettings(models=["mute"], arbiter="judge", strategy="synthesis")
            await service.consortiums.save("inner", inner)
        outer = ConsortiumSettings(models=["inner", "a"], arbiter="judge", strategy="synthesis")
        report = await consulted(settings, replace(outer, max_iterations=1))
    async with open_service(settings) as service:
        total = (await service.costs("model")).total
    assert total.calls == report.usage.calls == 3
    assert total.cost_usd == pytest.approx(report.usage.cost_usd)


async def test_nothing_recorded_costs_nothing_that_is_known(settings: Settings) -> None:
    async with open_service(settings) as service:
        total = (await service.costs("month")).total
    assert (total.calls, total.cost_usd) == (0, None)


async def test_the_command_shows_costs_as_a_table_and_as_json(settings: Settings) -> None:
    def shown(*arguments: str) -> str:
        # With the help option as its group has it: click keeps the first that it is asked for.
        own: dict[str, Any] = {"obj": settings, "help_option_names": ["-h", "--help"]}
        result = CliRunner().invoke(command, arguments, **own)
        assert result.exit_code == 0, result.output
        return result.output

    assert "holds no calls yet" in await anyio.to_thread.run_sync(shown)
    await consulted(settings, replace(PANEL, models=["a", "unpriced"]), client="an-editor")
    table = await anyio.to_thread.run_sync(shown, "--by", "model")
    assert [line.split() for line in table.splitlines()[:5]] == [
        ["model", "cost", "calls", "priced"],
        ["judge", "$0.21", "1", "1"],
        ["a", "$0.0100", "1", "1"],
        ["unpriced", "not", "known", "1", "0"],
        ["total", "$0.22", "3", "2"],
    ]
    assert "Costs are an estimate" in table
    found = json.loads(await anyio.to_thread.run_sync(shown, "--by", "client", "--json"))
    assert found["by"] == "client"
    assert [(line["name"], line["calls"]) for line in found["costs"]] == [("an-editor", 3)]
    assert found["total"]["priced_calls"] == 2
