"""`llm -m NAME`: saved consortiums as models of llm's."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import llm
import pytest
from click.testing import CliRunner, Result
from llm.cli import cli

from consortium_mcp import create_consortium
from tests.support.fake_models import FakeAsync, models, plugin

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.usefixtures("our_plugin")


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, [*arguments], input=stdin)


@pytest.fixture
def mine(our_plugin: None) -> str:  # noqa: ARG001 (its models)
    create_consortium(
        ["o3-mini", "gpt-4o"], arbiter="gemini-2", strategy="synthesis", system_prompt="Saved."
    ).save("mine")
    return "mine"


def test_nothing_is_printed_but_the_synthesis(mine: str) -> None:
    done = run("-m", mine, "Six × 7?")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "It is 42.\n", "")


def test_the_async_model_gives_the_same(mine: str) -> None:
    done = run("-m", mine, "--async", "Six × 7?")
    assert (done.exit_code, done.stdout) == (0, "It is 42.\n")


def test_system_and_options_differ_from_what_is_saved(
    mine: str, documented: dict[str, FakeAsync]
) -> None:
    done = run("-m", mine, "-s", "Be brief.", "-o", "min_iterations", "2", "Six × 7?")
    assert done.exit_code == 0, done.output
    asked = documented["o3-mini"].prompts
    assert len(asked) == 2
    assert (asked[0].system or "").startswith("Be brief.")
    done = run("-m", mine, "-o", "strategy", "nope", "Six × 7?")
    assert done.exit_code == 1
    assert "Unknown strategy 'nope'" in done.stderr
    assert run("-m", mine, "-o", "nope", "1", "?").exit_code == 1
    assert "confidence_threshold" in run("models", "-q", mine, "--options").output


def test_a_conversation_reaches_members_and_arbiter(
    mine: str, documented: dict[str, FakeAsync]
) -> None:
    assert run("-m", mine, "Tell me about Mars.").exit_code == 0
    done = run("-c", "How far is it?")
    assert (done.exit_code, done.stdout) == (0, "It is 42.\n")
    for model in ("o3-mini", "gemini-2"):
        prompt = documented[model].prompts[-1].prompt
        assert prompt.index("Tell me about Mars.") < prompt.index("How far is it?")
        assert "It is 42." in prompt
    logged = json.loads(run("logs", "-n", "1", "--json").output)[0]
    third = run("--cid", logged["conversation_id"], "And back?")
    assert third.exit_code == 0, third.output
    prompt = documented["o3-mini"].prompts[-1].prompt
    assert prompt.index("Mars") < prompt.index("How far") < prompt.index("And back?")


def test_a_system_prompt_stays_for_the_conversation(
    mine: str, documented: dict[str, FakeAsync]
) -> None:
    assert run("-m", mine, "-s", "Be brief.", "One?").exit_code == 0
    assert run("-c", "Two?").exit_code == 0
    assert (documented["o3-mini"].prompts[-1].system or "").startswith("Be brief.")


def test_llms_log_names_the_run(mine: str, settings: Settings) -> None:
    run("-m", mine, "Six × 7?")
    logged = json.loads(run("logs", "-n", "1", "--json").output)[0]
    with sqlite3.connect(settings.database) as connection:
        [(run_id,)] = connection.execute("SELECT run_id FROM runs").fetchall()
    connection.close()
    assert logged["response_json"]["run_id"] == run_id
    assert logged["output_tokens"] == 9


def test_a_run_without_an_answer_is_an_error_with_its_id() -> None:
    create_consortium(["down"], arbiter="gemini-2").save("dead")
    done = run("-m", "dead", "?")
    assert done.exit_code == 1
    assert "it is down" in done.stderr
    assert "(run 01" in done.stderr
    assert done.stdout == ""


def test_the_python_api_of_llm_works_also_inside_a_loop(mine: str) -> None:
    assert llm.get_model(mine).prompt("Six × 7?").text() == "It is 42."

    async def inside() -> str:
        return llm.get_model(mine).prompt("Six × 7?").text()

    import asyncio  # noqa: PLC0415

    assert asyncio.run(inside()) == "It is 42."
    create_consortium(["down"], arbiter="gemini-2").save("dead")

    async def failing() -> str:
        return llm.get_model("dead").prompt("?").text()

    with pytest.raises(llm.ModelError, match="it is down"):
        asyncio.run(failing())


def test_a_name_that_another_model_takes_later_means_that_model(mine: str) -> None:
    with plugin("late", models(FakeAsync(mine, "the other"))):
        assert "the sync twin" in run("-m", mine, "?").output


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 99])
def test_whatever_the_database_is_other_commands_work(
    settings: Settings, content: bytes | None
) -> None:
    settings.user_dir.mkdir(exist_ok=True)
    if content is not None:
        settings.database.write_bytes(content)
    done = run("models")
    assert done.exit_code == 0
    assert "gpt-4o" in done.output
    assert done.stderr == ""


def test_a_fault_of_ours_is_said_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSORTIUM_WAIT_SECONDS", "soon")
    done = run("models")
    assert done.exit_code == 0
    assert "gpt-4o" in done.stdout
    assert "consortium-mcp offers no models: CONSORTIUM_WAIT_SECONDS" in done.stderr
