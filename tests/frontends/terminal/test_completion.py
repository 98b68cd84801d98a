"""What a shell completes, through click, as a shell asks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from consortium_mcp import create_consortium
from consortium_mcp.frontends.cli.main import main
from consortium_mcp.frontends.llm.commands import consortium
from tests.support.fake_models import FakeAsync, models, plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from consortium_mcp.adapters.settings import Settings


def completed(*words: str, program: click.Command = consortium) -> list[str]:
    """What may stand in the place of the last word."""
    *before, last = words
    shell = ShellComplete(program, {}, "program", "_PROGRAM_COMPLETE")
    return [item.value for item in shell.get_completions(before, last)]


@pytest.fixture
def mine(our_plugin: None) -> str:  # noqa: ARG001 (its models)
    made = create_consortium(["o3-mini", "gpt-4o"], arbiter="gemini-2", strategy="synthesis")
    made.save("mine")
    run_id = made.orchestrate("Six × 7?").report.run_id
    assert run_id is not None
    return run_id


def test_commands_and_options_also_without_the_name_of_run(mine: str) -> None:  # noqa: ARG001
    assert {"run", "list", "runs", "run-info"} <= {*completed("")}
    assert completed("sh") == ["show"]
    assert "--arbiter" in completed("--arb")
    assert "--arbiter" in completed("Six × 7?", "--arb")
    assert completed("Six × 7?", "and more", "--raw") == ["--raw"]
    assert completed("runs", "--status", "int") == ["interrupted"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "m"),
        ("remove", ""),
        ("save", "mi"),
        ("--consortium", "m"),
        ("runs", "--consortium", "m"),
        ("save", "x", "--clone", "m"),
    ],
)
def test_saved_consortiums(mine: str, words: tuple[str, ...]) -> None:  # noqa: ARG001
    assert completed(*words) == ["mine"]


@pytest.mark.parametrize("command", ["run-info", "resume", "--continue"])
def test_past_runs_in_any_case(mine: str, command: str) -> None:
    assert completed(command, "") == ["latest", mine]
    assert completed(command, mine[:8].lower()) == [mine]
    assert completed(command, "la") == ["latest"]


def test_models_and_strategies(mine: str) -> None:  # noqa: ARG001
    assert "o3-mini" in completed("-m", "o3")
    assert completed("-m", "min") == ["mine"]
    assert "gemini-2" in completed("save", "x", "--arbiter", "gem")
    assert completed("--strategy", "ver") == ["verify"]


def test_nothing_that_a_plugin_prints_reaches_the_shell(
    settings: Settings,  # noqa: ARG001 (its environment)
    our_plugin: None,  # noqa: ARG001
    capfd: pytest.CaptureFixture[str],
) -> None:
    loud = models(FakeAsync("loud", "x"))

    def register(add: Callable[..., None]) -> None:
        print("listing")  # noqa: T201 (the fault)
        sys.stderr.write("still listing\n")
        loud(add)

    with plugin("loud", register):
        assert completed("-m", "lou") == ["loud"]
    assert capfd.readouterr() == ("", "")


def test_a_database_that_cannot_be_read_completes_nothing(
    settings: Settings,
    our_plugin: None,  # noqa: ARG001
) -> None:
    assert completed("show", "") == []
    assert not settings.database.exists()
    settings.database.parent.mkdir(parents=True, exist_ok=True)
    settings.database.write_bytes(b"no database" * 100)
    assert completed("show", "") == []
    assert completed("run-info", "0") == []


def test_the_commands_of_consortium_mcp() -> None:
    assert completed("le", program=main) == ["leaderboard"]
    assert completed("--h", program=main) == ["--http", "--help"]
    assert completed("costs", "--by", "c", program=main) == ["consortium", "client"]
    assert completed("install", "cur", program=main) == ["cursor"]
