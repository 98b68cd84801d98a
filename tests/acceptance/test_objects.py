"""Objects instead of prose, through every door of the real programs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import ERAS
from tests.conftest import ROOT
from tests.support.client import Connect, data_of, text_of
from tests.support.fake_server import INVOICE
from tests.support.programs import program

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = {
    "type": "object",
    "properties": {
        "vendor": {"type": "string"},
        "total": {"type": "number"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "n": {"type": "integer"}},
            },
        },
    },
    "required": ["vendor", "total", "lines"],
}
MEMBERS = ["reads", "reads too", "misreads"]
PROMPT = "What does the invoice say?"
LONGEST = 60


def llm(
    environment: dict[str, str], *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program("tests.support.fake_llm", *arguments),
        env=environment,
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=LONGEST,
    )


def panel() -> list[str]:
    return [part for member in MEMBERS for part in ("-m", member)] + ["--arbiter", "chooses"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("given", [SCHEMA, json.dumps(SCHEMA)], ids=["object", "text"])
async def test_over_mcp(connect: Connect, era: str, given: object) -> None:
    asked = {"prompt": PROMPT, "models": MEMBERS, "arbiter": "chooses", "schema": given}
    async with connect(era) as client:
        result = await client.call_tool("consult_consortium", asked | {"wait_seconds": 30})
        report = data_of(result)
        assert report["status"] == "completed", report["warnings"]
        assert report["data"] == INVOICE
        fields = {field["path"]: field for field in report["fields"]}
        assert [*fields] == ["/vendor", "/total", "/lines/0/item", "/lines/0/n"]
        total = fields["/total"]
        assert total["settled_by"] == "arbiter"
        assert total["agreement"] == pytest.approx(2 / 3)
        assert [vote["value"] for vote in total["votes"]] == [12.5, 125]
        assert sorted(len(vote["labels"]) for vote in total["votes"]) == [1, 2]
        assert fields["/vendor"]["settled_by"] == "vote"
        assert report["arbiter"] == "chooses"
        assert report["usage"]["calls"] == 4
        text = text_of(result)
        assert '"total": 12.5' in text
        assert "3 of 4 are agreed" in text
        assert "/total: 12.5" in text
        paged = data_of(
            await client.call_tool("get_run", {"run_id": report["run_id"], "include": ["fields"]})
        )
        lines = paged["included"]["entries"][0]["text"].splitlines()
        assert [json.loads(line)["path"] for line in lines] == [*fields]


@pytest.mark.anyio
async def test_a_schema_may_be_saved_and_what_cannot_be_is_told(connect: Connect) -> None:
    saved = {"name": "readers", "models": MEMBERS, "arbiter": "chooses", "schema": SCHEMA}
    consult: dict[str, Any] = {"prompt": PROMPT, "consortium": "readers", "wait_seconds": 30}
    async with connect() as client:
        assert not (await client.call_tool("save_consortium", saved)).is_error
        report = data_of(await client.call_tool("consult_consortium", consult))
        assert report["data"] == INVOICE
        plan = data_of(await client.call_tool("consult_consortium", consult | {"dry_run": True}))
        assert plan["plan"]["calls"]["answers"] == [3, 18]
        outer = {"prompt": PROMPT, "models": ["readers", "reads"], "schema": SCHEMA}
        nested = data_of(await client.call_tool("consult_consortium", outer | {"wait_seconds": 30}))
        assert nested["data"] == INVOICE
        assert nested["confidence"] > 0.8
        for given, told in (
            ({"schema": {"type": "array"}}, "wrap it"),
            ({"schema": {"$ref": "https://example.com/s.json"}}, "example.com"),
            ({"schema": 3}, "schema is 3; it must be an object"),
            ({"sampling": "adaptive"}, "With a schema every member is asked"),
            ({"escalate_to": "sure"}, "no use for escalate_to"),
        ):
            refused = await client.call_tool("consult_consortium", consult | given)
            assert refused.is_error
            assert told in text_of(refused)


def test_llm_consortium_prints_the_object_alone_for_a_gate(
    child_environment: dict[str, str],
) -> None:
    asked = ("consortium", PROMPT, *panel(), "--schema", json.dumps(SCHEMA))
    told = llm(child_environment, *asked)
    assert told.returncode == 0, told.stderr
    assert "3 of 4 are agreed" in told.stdout
    for gate, code in (
        (("--fail-under", "0.5"), 0),
        (("--fail-under", "0.9"), 3),
        (("--fail-under", "0.9", "--field", "/vendor"), 0),
        (("--fail-under", "0.6", "--field", "/total"), 3),
    ):
        done = llm(child_environment, *asked, *gate)
        assert (done.returncode, json.loads(done.stdout)) == (code, INVOICE), gate
        assert ("The confidence" in done.stderr) == bool(code)
    done = llm(child_environment, *asked, "--fail-under", "0.5", "--field", "/nothing")
    assert done.returncode == 1
    assert "There are: /vendor, /total" in done.stderr
    done = llm(child_environment, *asked, "--field", "/total")
    assert done.returncode == 2
    assert "give both" in done.stderr


def test_llm_consortium_takes_the_short_form_and_lists(child_environment: dict[str, str]) -> None:
    asked = ("consortium", PROMPT, "-m", "reads", "-m", "reads too")
    done = llm(child_environment, *asked, "--schema", "vendor, total float", "--quiet")
    assert json.loads(done.stdout) == INVOICE
    done = llm(child_environment, *asked, "--schema-multi", "vendor, total float")
    assert "degraded" in done.stdout  # an invoice is no list of items
    assert '"items" is a required property' in done.stdout
    done = llm(child_environment, *asked, "--schema", "a, b", "--schema-multi", "a, b")
    assert done.returncode == 2
    assert "Give either" in done.stderr


def test_llm_with_a_saved_consortium_takes_a_schema(child_environment: dict[str, str]) -> None:
    saved = llm(child_environment, "consortium", "save", "readers", *panel())
    assert saved.returncode == 0, saved.stderr
    for more in ((), ("--async",)):
        done = llm(
            child_environment, "-m", "readers", PROMPT, "--schema", json.dumps(SCHEMA), *more
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == INVOICE
    logged = json.loads(llm(child_environment, "logs", "-n", "1", "--json").stdout)
    assert logged[0]["response_json"]["status"] == "completed"


def test_past_runs_and_models_are_told_of_fields(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    asked = ("consortium", PROMPT, *panel(), "--schema", json.dumps(SCHEMA))
    assert llm(child_environment, *asked).returncode == 0
    for arguments, file in (("runs", "export"), "runs.jsonl"), (("leaderboard",), None):
        done = subprocess.run(
            program("consortium_mcp", *arguments) + ([str(tmp_path / file)] if file else []),
            env=child_environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        assert done.returncode == 0, done.stderr
        if file is None:
            assert "fields with verdict" in done.stdout
            assert "75%" in done.stdout  # misreads one of four
        else:
            [line] = (tmp_path / file).read_text(encoding="utf-8").splitlines()
            record = json.loads(line)
            assert record["report"]["data"] == INVOICE
            assert len(record["report"]["fields"]) == 4
            assert record["config"]["json_schema"] == SCHEMA
