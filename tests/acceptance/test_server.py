"""The real server, as a child over stdio, spoken to by the SDK's client on both protocol eras."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from consortium_mcp.core.reports.report import RunReport
from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, Connect, data_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_a_consultation_from_question_to_journal(connect: Connect, era: str) -> None:
    told: list[tuple[float, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        assert total == 9
        told.append((progress, message))

    async with connect(era) as client:
        assert (client.protocol_version == "2026-07-28") == (era == "auto")
        result = await client.call_tool(
            "consult_consortium", {"prompt": "Six × 7?"} | PANEL, progress_callback=on_progress
        )
        report = RunReport.model_validate(data_of(result))
        assert report.status == "completed"
        assert report.synthesis == "It is 42."
        assert report.final_answer == "42"
        assert report.confidence == pytest.approx(0.85)
        assert "**Confidence 0.85**" in text_of(result)
        assert [message for _, message in told] == [
            "iteration 1 of 3: 1 of 2 members answered",
            "iteration 1 of 3: 2 of 2 members answered",
            "iteration 1 of 3: verdict, confidence 0.85",
        ]
        assert [number for number, _ in told] == [1, 2, 3]
    async with connect(era) as other:  # a second process sees it all
        listed = data_of(await other.call_tool("list_runs", {}))
        assert [run["run_id"] for run in listed["runs"]] == [report.run_id]
        whole = await other.call_tool(
            "get_run",
            {"run_id": report.run_id, "include": ["responses", "iterations", "exchanges"]},
        )
        found = data_of(whole)
        assert RunReport.model_validate(found | {"included": None}, extra="ignore") == report
        included = found["included"]
        sections = [entry["section"] for entry in included["entries"]]
        assert sections == ["responses"] * 2 + ["iterations"] + ["exchanges"] * 3
        assert "It is 42." in included["entries"][2]["text"]
        assert included["next_offset"] is None
        assert "I counted." in text_of(whole)


@pytest.mark.parametrize("era", ERAS)
async def test_consortiums_are_saved_listed_used_and_deleted(connect: Connect, era: str) -> None:
    async with connect(era) as client:
        saved = data_of(
            await client.call_tool(
                "save_consortium",
                {"name": "mine", "models": ["sure:2", {"model": "wrong", "tier": "light"}]}
                | {"arbiter": "judge", "description": "For sums.", "confidence_threshold": 0.5},
            )
        )
        assert saved["warnings"] == []
        assert [m["model"] for m in saved["consortium"]["members"]] == ["sure", "sure", "wrong"]
        resources = await client.list_resources()
        assert "consortium://consortiums/mine" in [str(r.uri) for r in resources.resources]
        read = await client.read_resource("consortium://consortiums/mine")
        assert json.loads(read.contents[0].text)["description"] == "For sums."  # type: ignore[union-attr]
        report = data_of(
            await client.call_tool("consult_consortium", {"prompt": "?", "consortium": "mine"})
        )
        assert report["consortium"] == "mine"
        assert len(report["members"]) == 3
        page = data_of(await client.call_tool("list_runs", {"consortium": "mine"}))
        assert len(page["runs"]) == 1
        listed = data_of(await client.call_tool("list_consortiums", {}))
        assert [c["name"] for c in listed["consortiums"]] == ["mine"]
        await client.call_tool("delete_consortium", {"name": "mine"})
        assert data_of(await client.call_tool("list_consortiums", {}))["consortiums"] == []
        again = await client.call_tool("delete_consortium", {"name": "mine"})
        assert again.is_error


async def test_past_syntheses_are_resources(connect: Connect) -> None:
    async with connect() as client:
        asked = {"prompt": "Six × 7?"} | PANEL
        report = data_of(await client.call_tool("consult_consortium", asked))
        listed = {str(r.uri): r for r in (await client.list_resources()).resources}
        assert listed[report["resource"]].name == "Six × 7?"
        templates = await client.list_resource_templates()
        assert {t.uri_template for t in templates.resource_templates} == {
            "consortium://consortiums/{name}",
            "consortium://runs/{run_id}",
            "consortium://runs/{run_id}/report",
            "consortium://runs/{run_id}/page",
        }
        synthesis = await client.read_resource(report["resource"])
        assert "It is 42." in synthesis.contents[0].text  # type: ignore[union-attr]
        whole = await client.read_resource(report["resource"] + "/report")
        assert json.loads(whole.contents[0].text) == report  # type: ignore[union-attr]
        page = (await client.read_resource(report["resource"] + "/page")).contents[0]
        assert page.mime_type == "text/html"
        assert "It is 42." in page.text  # type: ignore[union-attr]
        for unknown in (
            "consortium://runs/nope",
            "consortium://runs/nope/page",
            "consortium://consortiums/nope",
        ):
            with pytest.raises(MCPError, match="nope"):
                await client.read_resource(unknown)


@pytest.mark.parametrize("era", ERAS)
async def test_a_failed_run_is_an_error_that_carries_its_report(connect: Connect, era: str) -> None:
    async with connect(era) as client:
        result = await client.call_tool(
            "consult_consortium", {"prompt": "?", "models": ["down"], "arbiter": "judge"}
        )
        assert result.is_error
        assert "the provider is down" in text_of(result)
        assert result.structured_content is not None
        report = RunReport.model_validate(result.structured_content)
        assert report.status == "failed"
        assert report.members[0].error == "RuntimeError: the provider is down"
        again = await client.call_tool("get_run", {"run_id": report.run_id})
        assert again.is_error
        assert again.structured_content is not None


async def test_by_default_a_majority_stands_and_the_spared_are_named(connect: Connect) -> None:
    async with connect() as client:
        asked = {"prompt": "?", "models": ["sure", "agrees", "wrong"], "max_iterations": 1}
        report = data_of(await client.call_tool("consult_consortium", asked))
        assert (report["strategy"], report["final_answer"]) == ("auto", "42")
        assert report["usage"]["calls"] == 3
        assert report["confidence"] == pytest.approx(2 / 3 * 0.85)
        thrifty = asked | {"sampling": "thrifty", "strategy": "vote"}
        result = await client.call_tool("consult_consortium", thrifty)
        report = data_of(result)
        assert (report["usage"]["calls"], report["asked"]) == (2, 2)
        assert [m["status"] for m in report["members"]] == ["answered", "answered", "spared"]
        assert "not asked, because the others had settled it" in text_of(result)
        escalating = asked | {"models": ["sure", "wrong"], "escalate_to": "agrees"}
        report = data_of(await client.call_tool("consult_consortium", escalating))
        assert [m["model"] for m in report["members"]] == ["sure", "wrong", "agrees"]
        assert report["confidence_parts"]["weighted"]


async def test_a_dead_member_degrades_and_is_no_supporter(connect: Connect) -> None:
    async with connect() as client:
        asked = {"prompt": "?", "models": ["sure", "down"], "arbiter": "judge-alone"}
        report = data_of(await client.call_tool("consult_consortium", asked))
    dead = next(m for m in report["members"] if m["model"] == "down")
    assert dead["status"] == "failed"
    assert dead["supports"] is None
    assert report["status"] == "degraded"
    assert report["warnings"]


BAD_INPUT: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("consult_consortium", {"prompt": " "} | PANEL, "prompt is empty"),
    ("consult_consortium", {"prompt": "?", "models": ["sur"]}, "sure"),
    ("consult_consortium", {"prompt": "?", "models": ["sure:0"]}, "from 1 to 32"),
    ("consult_consortium", {"prompt": "?", "models": ["sure:99"]}, "from 1 to 32"),
    (
        "consult_consortium",
        {"prompt": "?", "confidence_threshold": 1.5} | PANEL,
        "0.8 for 80 %",
    ),
    ("consult_consortium", {"prompt": "?", "confidence_threshold": 80} | PANEL, "0.8 for 80 %"),
    ("consult_consortium", {"prompt": "?", "min_iterations": 4} | PANEL, "greater than"),
    ("consult_consortium", {"prompt": "?", "consortium": "nope"}, "save_consortium"),
    ("consult_consortium", {"prompt": "?", "models": ["gpt-4o"]}, "llm keys set openai"),
    ("consult_consortium", {"prompt": "?"}, "setup-local"),
    ("consult_consortium", {"prompt": "?", "wait_seconds": -1} | PANEL, "0 or more"),
    ("get_run", {"run_id": "nope"}, "list_runs"),
    ("list_runs", {"cursor": "nope"}, "next_cursor"),
    ("list_runs", {"limit": 500}, "between 1 and 100"),
)


async def test_bad_input_names_the_remedy_and_leaves_no_run(connect: Connect) -> None:
    async with connect() as client:
        for tool, arguments, remedy in BAD_INPUT:
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert remedy in text_of(result), (tool, arguments)
        assert data_of(await client.call_tool("list_runs", {}))["runs"] == []


async def test_a_database_that_cannot_be_made_is_said_with_the_answer(
    connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    async with connect(CONSORTIUM_DB=str(tmp_path / "file" / "x.db")) as client:
        report = data_of(await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL))
        assert report["synthesis"] == "It is 42."
        assert "CONSORTIUM_DB" in report["warnings"][-1]


async def test_a_database_of_a_newer_version_is_said(connect: Connect, tmp_path: Path) -> None:
    database = tmp_path / "newer.db"
    async with connect(CONSORTIUM_DB=str(database)) as client:
        await client.call_tool("list_runs", {})
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('consortium_mcp', '9999', 'now')"
    )
    connection.commit()
    connection.close()
    async with connect(CONSORTIUM_DB=str(database)) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "?"} | PANEL)
        assert result.is_error
        assert "Upgrade" in text_of(result)


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_that_is_over_names_the_next_call(connect: Connect, era: str) -> None:
    async with connect(era) as client:
        asked = {"prompt": "?", "models": ["slow"], "arbiter": "judge", "wait_seconds": 0}
        report = data_of(await client.call_tool("consult_consortium", asked))
        assert report["status"] == "working"
        assert report["next_step"].startswith(f'get_run(run_id="{report["run_id"]}"')
        still = data_of(
            await client.call_tool("get_run", {"run_id": report["run_id"], "wait_seconds": 0.1})
        )
        assert still["status"] == "working"


async def test_models_are_listed_with_what_they_lack(connect: Connect) -> None:
    async with connect() as client:
        all_models = data_of(await client.call_tool("list_models", {}))["models"]
        by_id = {model["id"]: model for model in all_models}
        assert by_id["sure"]["ready"]
        assert "llm keys set openai" in by_id["gpt-4o"]["missing"]
        found = data_of(await client.call_tool("list_models", {"query": "agrees"}))["models"]
        assert [model["id"] for model in found] == ["agrees"]


async def test_search_and_pages_work_over_the_wire(connect: Connect) -> None:
    async with connect() as client:
        for word in ("red", "green", "blue"):
            await client.call_tool("consult_consortium", {"prompt": f"Why {word}?"} | PANEL)
        found = data_of(await client.call_tool("list_runs", {"query": "green"}))
        assert [run["prompt"] for run in found["runs"]] == ["Why green?"]
        first = data_of(await client.call_tool("list_runs", {"limit": 2}))
        assert [run["prompt"] for run in first["runs"]] == ["Why blue?", "Why green?"]
        rest = await client.call_tool("list_runs", {"limit": 2, "cursor": first["next_cursor"]})
        assert [run["prompt"] for run in data_of(rest)["runs"]] == ["Why red?"]
        assert data_of(rest)["next_cursor"] is None
        none = data_of(await client.call_tool("list_runs", {"status": "failed"}))
        assert none["runs"] == []


async def test_nothing_but_the_protocol_reaches_stdout(child_environment: dict[str, str]) -> None:
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
    command = [sys.executable, "-m", "tests.support.fake_server"]
    with anyio.fail_after(60):
        done = await anyio.run_process(
            command, input=json.dumps(request).encode() + b"\n", env=child_environment
        )
    lines = done.stdout.decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1]


async def test_every_tool_says_what_it_does_to_the_world(connect: Connect) -> None:
    async with connect() as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {
        "consult_consortium",
        "save_consortium",
        "list_runs",
        "get_run",
        "rate_run",
        "cancel_run",
        "resume_run",
        "list_consortiums",
        "delete_consortium",
        "list_models",
    }
    for name, tool in tools.items():
        assert tool.title
        assert tool.description
        assert len(tool.description) < 2048
        assert tool.output_schema
        assert tool.annotations is not None
        reads = name.startswith(("list_", "get_"))
        assert bool(tool.annotations.read_only_hint) is reads  # not given: false
        calls_models = name in {"consult_consortium", "resume_run"}
        assert tool.annotations.open_world_hint is calls_models
    for name in ("delete_consortium", "cancel_run"):
        annotations = tools[name].annotations
        assert annotations is not None
        assert annotations.destructive_hint is True


@pytest.mark.parametrize("era", ERAS)
async def test_money_is_limited_told_and_added_up_by_client(
    connect: Connect, child_environment: dict[str, str], era: str
) -> None:
    folder = anyio.Path(child_environment["LLM_USER_PATH"])
    await folder.mkdir(parents=True, exist_ok=True)
    # A fake tells 7 tokens in and 3 out: 1, 3 and 10 cents.
    prices = {"sure": 1_000, "agrees": 3_000, "judge": 10_000}
    lines = [f"{name} = {{input = {each}, output = {each}}}\n" for name, each in prices.items()]
    await (folder / "consortium-prices.toml").write_text("".join(lines))
    async with connect(era, CONSORTIUM_CONFIRM_CALLS="99") as client:
        asked = {"prompt": "Six × 7?"} | PANEL
        planned = await client.call_tool("consult_consortium", asked | {"dry_run": True})
        plan = data_of(planned)["plan"]
        assert plan["priced_calls"] == plan["most_calls"]
        assert "(an estimate)" in text_of(planned)
        result = await client.call_tool("consult_consortium", asked)
        usage = data_of(result)["usage"]
        assert [round(100 * usage["cost_usd"], 6), usage["priced_calls"]] == [14, 3]
        assert plan["least_cost_usd"] < plan["most_cost_usd"] > usage["cost_usd"]
        assert "3 calls, 21 tokens in, 9 out, about $0.14" in text_of(result)
        refused = await client.call_tool("consult_consortium", asked | {"max_cost": "$2"})
        assert refused.is_error
        assert "max_cost is $2; about $0.0000 is spent or under way" in text_of(refused)
        [_, listed] = data_of(await client.call_tool("list_runs", {}))["runs"]
        assert round(100 * listed["cost_usd"], 6) == 14
    with sqlite3.connect(folder / "consortium.db") as db:
        assert {client for (client,) in db.execute("SELECT client FROM runs")} == {"mcp"}
