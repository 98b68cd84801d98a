"""`consortium-mcp install claude-code` and `uninstall`, with a Claude Code to speak to."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from consortium_mcp.frontends.cli.main import main
from tests.conftest import ROOT
from tests.support.installs import install_at_once

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for a program")
OLD = {"type": "stdio", "command": "/old/consortium-mcp", "args": [], "env": {"KEY": "s3cret"}}


@pytest.fixture
def claude(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with Claude Code on the PATH."""
    programs = home / "bin"
    programs.mkdir()
    script = shlex.join([sys.executable, str(ROOT / "tests" / "support" / "fake_claude.py")])
    (programs / "claude").write_text(f'#!/bin/sh\nexec {script} "$@"\n', encoding="utf-8")
    (programs / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return home


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [arguments[0], "claude-code", *arguments[1:]])
    assert "s3cret" not in result.output
    return result.exit_code, result.output


def give(home: Path, entry: dict[str, Any], file: str = ".claude.json") -> None:
    (home / file).write_text(json.dumps({"mcpServers": {"consortium": entry}}), encoding="utf-8")


def has(home: Path) -> dict[str, Any]:
    servers = json.loads((home / ".claude.json").read_text(encoding="utf-8"))["mcpServers"]
    entry: dict[str, Any] = servers.get("consortium", {})
    return entry


def told(home: Path) -> list[str]:
    file = home / "told"
    return (
        [line.split()[0] for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    )


def test_it_is_added_once_and_taken_out_again(claude: Path) -> None:
    code, output = run("install")
    assert code == 0, output
    entry = has(claude)
    assert entry["command"].startswith("/")
    assert entry["env"]["LLM_USER_PATH"]
    assert told(claude) == ["get", "add"]
    code, output = run("install")
    assert code == 0
    assert "has this server already; nothing was changed" in output
    assert told(claude) == ["get", "add"]
    code, output = run("uninstall", "--dry-run")
    assert (code, output.strip()) == (0, "claude mcp remove --scope user consortium")
    assert run("uninstall")[0] == 0
    assert has(claude) == {}
    code, output = run("uninstall")
    assert code == 0
    assert "has no server 'consortium'; nothing was changed" in output


def test_what_changed_is_told_as_json(claude: Path) -> None:
    give(claude, OLD)
    found = []
    for arguments in (
        ("install", "--force", "--dry-run"), ("install", "--force"), ("install",),
        ("uninstall", "--dry-run"), ("uninstall",), ("uninstall",),
    ):  # fmt: skip
        code, output = run(*arguments, "--json")
        assert code == 0, output
        [change] = json.loads(output)["changes"]
        found.append((change["change"], [line.split()[2] for line in change.get("ran", [])]))
        planned = [line.split()[2] for line in change.get("would_run", [])]
        assert bool(planned) == ("--dry-run" in arguments)
        assert (change["backup"] is None) == (change["change"] == "none" or bool(planned))
    assert found == [
        ("changed", []), ("changed", ["remove", "add"]), ("none", []),
        ("removed", []), ("removed", ["remove"]), ("none", []),
    ]  # fmt: skip


def test_an_entry_that_points_elsewhere_is_not_there_already(claude: Path) -> None:
    give(claude, OLD)
    code, output = run("install")
    assert code == 1
    assert "another copy of this program, which starts /old/consortium-mcp. --force" in output
    code, output = run("install", "--force", "--dry-run")
    assert code == 0, output
    assert has(claude) == OLD
    code, output = run("install", "--force")
    assert code == 0, output
    assert "It now sets LLM_USER_PATH as this shell does." in output
    now = has(claude)
    assert now["command"] != OLD["command"]
    assert now["env"]["KEY"] == "s3cret"
    assert told(claude) == ["remove", "add"]
    [backup] = claude.glob(".claude.json.backup-*")
    assert backup.name in output
    assert json.loads(backup.read_text("utf-8"))["mcpServers"]["consortium"] == OLD


def test_what_add_cannot_write_stays_as_well(claude: Path) -> None:
    give(claude, OLD | {"timeout": 500})
    assert run("install", "--force")[0] == 0
    assert told(claude) == ["remove", "add-json"]
    now = has(claude)
    assert (now["timeout"], now["env"]["KEY"]) == (500, "s3cret")
    assert now["command"] != OLD["command"]


def test_what_was_there_is_there_again_if_the_new_one_is_refused(
    claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CLAUDE_REFUSES", "add")
    give(claude, OLD)
    code, output = run("install", "--force")
    assert code == 1
    assert "failed: I will not." in output
    assert has(claude) == OLD


@pytest.mark.parametrize("file", [".claude.json", "local.json"])
def test_another_server_of_the_name_stays(claude: Path, file: str) -> None:
    other = {"command": "npx", "args": ["--key=s3cret"], "env": {"KEY": "s3cret"}}
    give(claude, other, file)
    for command in ("install", "uninstall"):
        code, output = run(command)
        assert code == 1
        assert "which starts npx" in output
    code, output = run("install", "--force")
    assert code == 0, output
    assert "KEY" not in has(claude)["env"]


def test_a_server_of_this_folder_only_is_left_to_its_user(claude: Path) -> None:
    give(claude, OLD, "local.json")
    code, output = run("uninstall")
    assert code == 1
    assert "`claude mcp remove --scope local consortium`" in output


def test_without_the_program_the_command_to_run_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    _, shown = run("install", "--dry-run")
    assert shown.startswith("claude mcp add --scope user consortium --env LLM_USER_PATH=")
    code, output = run("install")
    assert code == 1
    assert "`claude` is not on the PATH" in output
    assert shown.strip() in output
    give(home, OLD)
    code, output = run("uninstall")
    assert code == 1
    assert "claude mcp remove --scope user consortium" in output


def test_a_file_that_cannot_be_read_is_said(home: Path) -> None:
    (home / ".claude.json").write_text("{", encoding="utf-8")
    code, output = run("install")
    assert code == 1
    assert "cannot be read as JSON" in output


def test_several_at_once_wait_for_one_another(claude: Path) -> None:
    names = ("one", "two", "three", "four")
    environment = os.environ | {"HOME": str(claude), "PYTHONPATH": str(ROOT)}
    install_at_once("claude-code", environment, *names)
    servers = json.loads((claude / ".claude.json").read_text(encoding="utf-8"))["mcpServers"]
    assert set(servers) == set(names)
