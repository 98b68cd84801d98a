"""The largest results of each tool, as bytes: they fit into a conversation and say what is left."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client

from consortium_mcp.frontends.mcp.server import make_server
from tests.support.client import data_of, text_of
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp_types import CallToolResult

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio

MOST_BYTES = 60_000
KINDS = ("w", "é", "猫", "🙂", '"', "\n", "\\")
"""Characters of one to four bytes, and those that JSON writes with two."""


def bytes_of(result: CallToolResult) -> int:
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


@asynccontextmanager
async def client_of(settings: Settings, *fakes: FakeAsync) -> AsyncIterator[Client]:
    with plugin("big", models(*fakes)):
        async with Client(make_server(settings)) as client:
            yield client


async def call(client: Client, tool: str, **arguments: Any) -> CallToolResult:  # noqa: ANN401
    """The result of a call, after a look at how long it is."""
    result = await client.call_tool(tool, arguments, read_timeout_seconds=60)
    assert bytes_of(result) < MOST_BYTES, tool
    return result


async def whole(client: Client, run_id: str, section: str) -> str:
    """The text of a section, read page by page."""
    texts: list[str] = []
    offset: int | None = 0
    while offset is not None:
        wanted = {"run_id": run_id, "include": [section], "offset": offset}
        found = data_of(await call(client, "get_run", **wanted))["included"]
        texts += [entry["text"] for entry in found["entries"]]
        offset = found["next_offset"]
    return "".join(texts)


def long_reply(answer: str, text: str) -> str:
    return reply(answer, 0.8, f"Because {text}.")


async def test_of_a_prompt_of_a_megabyte_its_beginning_comes_back(settings: Settings) -> None:
    prompt = "Mind this code: " + "x = 6 * 7\n" * 100_000 + "What is x?"
    yes = FakeAsync("yes", reply("42", 0.9)), FakeAsync("aye", reply("42", 0.9))
    async with client_of(settings, *yes) as client:
        panel = {"models": ["yes", "aye"], "strategy": "vote"}
        planned = await call(client, "consult_consortium", prompt=prompt, dry_run=True, **panel)
        asked = await call(client, "consult_consortium", prompt=prompt, **panel)
        report = data_of(asked)
        run_id = report["run_id"]
        for result in (
            planned,
            asked,
            await call(client, "get_run", run_id=run_id),
            await call(client, "resume_run", run_id=run_id),
            await call(client, "cancel_run", run_id=run_id),
            await call(client, "get_run", run_id=run_id, include=["exchanges"]),
        ):
            shown = data_of(result)
            assert shown["prompt"].startswith("Mind this code: x = 6 * 7")
            assert len(shown["prompt"]) == 500
            left = len(prompt) - 499
            [note] = [each for each in shown["left_out"] if each.startswith("prompt")]
            assert f"{left:,} characters more" in note
        assert f'get_run(run_id="{run_id}", include=["prompt"])' in report["left_out"][0]
        assert report["left_out"][1:] == []
        page = await call(client, "get_run", run_id=run_id, include=["prompt"], offset=900_000)
        entry = data_of(page)["included"]["entries"][0]
        assert entry["text"] == prompt[900_000 : 900_000 + len(entry["text"])]
        whole_report = await client.read_resource(f"consortium://runs/{run_id}/report")
        assert json.loads(whole_report.contents[0].text)["prompt"] == prompt  # type: ignore[union-attr]
        await call(client, "list_runs")


async def test_an_ordinary_report_lacks_nothing(settings: Settings) -> None:
    yes = FakeAsync("yes", reply("42", 0.9)), FakeAsync("aye", reply("42", 0.9))
    async with client_of(settings, *yes) as client:
        panel = {"models": ["yes", "aye"], "strategy": "vote"}
        report = data_of(await call(client, "consult_consortium", prompt="Six × 7?", **panel))
        assert "left_out" not in report
        resource = await client.read_resource(f"consortium://runs/{report['run_id']}/report")
        assert json.loads(resource.contents[0].text) == report  # type: ignore[union-attr]


async def test_as_much_as_may_be_attached_fits(settings: Settings) -> None:
    yes = FakeAsync("yes", reply("42", 0.9))
    yes.attachment_types = {"image/png"}
    address = "https://example.com/" + "a" * 1_900
    attachments = [{"url": f"{address}{n}.png", "name": "猫" * 99 + f"{n}"} for n in range(20)]
    async with client_of(settings, yes) as client:
        panel: dict[str, Any] = {"models": ["yes"], "strategy": "vote", "attachments": attachments}
        planned = await call(client, "consult_consortium", prompt="?", dry_run=True, **panel)
        asked = await call(client, "consult_consortium", prompt="?", **panel)
        for result in (planned, asked):
            shown = data_of(result)["attachments"]
            assert [len(each["name"]) for each in shown] == [200] * 20
            assert text_of(result).count("image/png") == 10
        run_id = data_of(asked)["run_id"]
        await call(client, "list_runs")
        assert "猫0 (image/png) comes with" in await whole(client, run_id, "exchanges")


@pytest.mark.parametrize("kind", KINDS, ids=[f"U+{ord(kind):04X}" for kind in KINDS])
async def test_32_members_with_long_answers_fit(settings: Settings, kind: str) -> None:
    text = kind * (500_000 // len(kind.encode()))
    different = [FakeAsync(f"m{n}", long_reply(f"{n}{kind}" * 20, text)) for n in range(32)]
    judge = FakeAsync(
        "judge",
        verdict(
            synthesis=f"So {text}!",
            final_answer="",
            support="A",
            groups="",
            ranking="",
            dissent="\n".join(f"{name}: {text[:20_000]}" for name in "BCDEF"),
            refinements="\n".join(f"Look at {n}. {kind.strip() * 300}" for n in range(50)),
        ),
    )
    names = [fake.model_id for fake in different]
    panel = {"models": names, "arbiter": "judge", "strategy": "synthesis", "max_iterations": 1}
    async with client_of(settings, *different, judge) as client:
        result = await call(client, "consult_consortium", prompt=f"Why? {text}", **panel)
        report = data_of(result)
        run_id = report["run_id"]
        shown = len(report["members"])
        assert shown == 32 or f"members: {32 - shown} more" in " ".join(report["left_out"])
        assert shown == 32 or kind in "猫🙂"
        assert report["synthesis"].endswith("…")
        assert "**Confidence" in text_of(result)
        cut = [each for each in report["warnings"] if "too long for the arbiter's prompt" in each]
        assert len(cut) == 2  # one about the question, and one about all answers
        # What is left out is to be had as it says.
        [note] = [each for each in report["left_out"] if each.startswith("synthesis")]
        offset = int(re.findall(r"offset=([0-9]+)\)", note)[0])
        assert offset == len(report["synthesis"]) - 1
        asked = {"run_id": run_id, "include": ["synthesis"], "offset": offset}
        rest = data_of(await call(client, "get_run", **asked))["included"]["entries"][0]["text"]
        begun = report["synthesis"][:-1] + rest
        assert f"So {text}!".startswith(begun) or f"So {text.strip()}".startswith(begun)
        for section in ("responses", "iterations", "exchanges", "report"):
            await call(client, "get_run", run_id=run_id, include=[section])
        everything = ["prompt", "synthesis", "report", "responses", "iterations", "exchanges"]
        await call(client, "get_run", run_id=run_id, include=everything)


async def test_what_a_report_leaves_out_is_in_its_pages(settings: Settings) -> None:
    points = [f"Point {n}: {'look again, ' * 60}" for n in range(200)]
    judge = FakeAsync("judge", verdict(refinements="\n".join(points), needs_iteration="false"))
    yes = FakeAsync("yes", reply("42", 0.9)), FakeAsync("aye", reply("42", 0.9))
    async with client_of(settings, *yes, judge) as client:
        panel = {"models": ["yes", "aye"], "arbiter": "judge", "strategy": "synthesis"}
        asked = {"prompt": "Six × 7?", "max_iterations": 1} | panel
        report = data_of(await call(client, "consult_consortium", **asked))
        [note] = report["left_out"]
        assert note.startswith("refinements: ")
        assert 'include=["report"]' in note
        text = await whole(client, report["run_id"], "report")
    for point in points:
        assert point.strip() in text


async def test_a_run_that_failed_for_32_reasons_fits(settings: Settings) -> None:
    why = [FakeAsync(f"m{n}", RuntimeError(f"{n} is down. " * 200)) for n in range(32)]
    async with client_of(settings, *why) as client:
        asked = {"prompt": "?", "models": [fake.model_id for fake in why], "strategy": "vote"}
        result = await call(client, "consult_consortium", **asked)
        assert result.is_error
        assert len(text_of(result)) < 8_000


async def test_32_members_that_fail_alike_are_one_reason(settings: Settings) -> None:
    down = FakeAsync("down", RuntimeError("the provider is down"))
    cut = FakeAsync("cut", reply("42"), response_json={"choices": [{"finish_reason": "length"}]})
    async with client_of(settings, down, cut) as client:
        asked = {"prompt": "?", "strategy": "vote", "max_iterations": 2, "min_iterations": 2}
        failed = await call(client, "consult_consortium", models=["down:32"], **asked)
        assert text_of(failed).count("the provider is down") <= 33  # in each member's line, once
        assert (failed.structured_content or {})["error"].count("the provider is down") == 1
        result = await call(client, "consult_consortium", models=["cut:31", "down"], **asked)
        mixed = data_of(result)
    about_cut = [each for each in mixed["warnings"] if each.startswith("cut ")]
    assert len(about_cut) == 1
    assert re.match(r"cut \([A-Z], [A-Z], .*, AF\)|cut \([A-Z], [A-Z], .*, AE\)", about_cut[0])
    assert "in iterations 1, 2: " in about_cut[0]


async def test_a_hundred_runs_are_pages_that_fit_and_hold_each_once(settings: Settings) -> None:
    yes = FakeAsync("yes", lambda prompt: f"{prompt.prompt[:2_000]}")
    seen: list[str] = []
    async with client_of(settings, yes) as client:
        for n in range(100):
            asked = {"prompt": f"{n}? " + "Ünd warum? " * 100, "models": ["yes"]}
            await call(client, "consult_consortium", strategy="vote", max_iterations=1, **asked)
        cursor = None
        pages = 0
        while pages == 0 or cursor is not None:
            result = await call(client, "list_runs", limit=100, cursor=cursor)
            page = data_of(result)
            cursor = page["next_cursor"]
            pages += 1
            seen += [run["run_id"] for run in page["runs"]]
            assert (f'cursor="{cursor}"' in text_of(result)) == (cursor is not None)
    assert len(seen) == len(set(seen)) == 100
    assert pages <= 3


async def test_365_models_and_long_ids_fit(settings: Settings) -> None:
    needs = [
        FakeAsync(f"provider/{'long-' * 8}{n}", "x", consortium_missing=lambda: "set its key")
        for n in range(300)
    ]
    ready = [FakeAsync(f"ready/{'long-' * 8}{n}", "x") for n in range(65)]
    async with client_of(settings, *needs, *ready) as client:
        result = await call(client, "list_models")
        found = data_of(result)
        assert [each["ready"] for each in found["models"]] == [True] * 50
        lacking = await call(client, "list_models", query="provider/")
        told = json.dumps(lacking.structured_content)
        assert len(data_of(lacking)["models"]) == 50
    assert told.count("set its key") == 1
    assert text_of(lacking).count("set its key") == 1


async def test_consortiums_without_end_fit(settings: Settings) -> None:
    yes = FakeAsync("yes", "x"), FakeAsync("aye", "x")
    async with client_of(settings, *yes) as client:
        panel = {"models": ["yes:32", "aye:32"], "system": "Mind. " * 50_000}
        saved = await call(client, "save_consortium", name="c-0", description="d" * 90_000, **panel)
        assert any("consortium://consortiums/c-0" in each for each in data_of(saved)["left_out"])
        for n in range(1, 60):
            await call(client, "save_consortium", name=f"c-{n}", clone="c-0")
        every = await call(client, "list_consortiums")
        assert "name a part of their names" in text_of(every)
        assert any("query=" in each for each in data_of(every)["left_out"])
        one = await call(client, "list_consortiums", query="C-42")
        assert [each["name"] for each in data_of(one)["consortiums"]] == ["c-42"]
        refused = await call(client, "save_consortium", name="c-1", **panel | {"system": "No."})
        assert "overwrite" in text_of(refused)
        unknown = await call(client, "delete_consortium", name="n" * 1_000_000)
        assert unknown.is_error
        await call(client, "delete_consortium", name="c-0")
