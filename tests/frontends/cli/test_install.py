"""`consortium-mcp install`, as its user sees it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consortium_mcp.adapters.installation import Installation
from consortium_mcp.frontends.cli.install import server_command
from consortium_mcp.frontends.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for a program")


@pytest.fixture
def home(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 (its environment)
    """A home where Cursor is installed."""
    home = tmp_path / "home"
    (home / ".cursor").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


def install(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["install", *arguments])
    return result.exit_code, result.output


def test_the_entry_starts_this_program_by_its_absolute_path_and_holds_no_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-secret")
    code, output = install("cursor")
    assert code == 0, output
    assert f"Added 'consortium' to {home / '.cursor' / 'mcp.json'}." in output
    text = (home / ".cursor" / "mcp.json").read_text(encoding="utf-8")
    entry = json.loads(text)["mcpServers"]["consortium"]
    assert os.path.isabs(entry["command"])  # noqa: PTH117 (a string, as the client reads it)
    assert os.access(entry["command"], os.X_OK)
    assert entry["env"]["LLM_USER_PATH"] == os.environ["LLM_USER_PATH"]
    assert "made-up-secret" not in text
    assert "OPENAI_API_KEY is set in this shell only" in output
    assert "llm keys set openai" in output
    assert install("cursor")[1].count("nothing was changed") == 1
    assert [path.name for path in (home / ".cursor").iterdir()] == ["mcp.json"]


def test_a_stored_key_needs_no_word(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-secret")
    (home.parent / "llm").mkdir(exist_ok=True)
    store = home.parent / "llm" / "keys.json"
    store.write_text('{"openai": "made-up-secret"}', encoding="utf-8")
    assert "OPENAI_API_KEY" not in install("cursor")[1]
    store.write_text("{", encoding="utf-8")
    assert "OPENAI_API_KEY" in install("cursor", "--name", "two")[1]


def test_a_dry_run_shows_the_change_and_makes_none(home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    path.write_text('{\n  "mcpServers": {}\n}\n', encoding="utf-8")
    code, output = install("cursor", "--dry-run")
    assert code == 0, output
    assert '-  "mcpServers": {}' in output
    assert '+    "consortium": {' in output
    assert path.read_text(encoding="utf-8") == '{\n  "mcpServers": {}\n}\n'


@pytest.mark.usefixtures("home")
def test_what_cannot_be_done_is_an_error_without_a_traceback() -> None:
    code, output = install("vscode")
    assert code == 1
    assert output.startswith("Error: VS Code does not seem to be installed")
    code, output = install("cursor", "--name", "a.b")
    assert code == 1
    assert "letters, digits" in output


@POSIX
def test_claude_code_is_told_by_its_own_command(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = home / "said"
    programs = home / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    _, shown = install("claude-code", "--dry-run")
    code, output = install("claude-code")
    assert code == 1
    assert "`claude` is not on the PATH" in output
    assert shown.strip() in output

    def claude(has: int, can: int) -> list[str]:
        """Install with a claude that answers `get` and `add` so; what it was told."""
        (programs / "claude").write_text(
            f'#!/bin/sh\necho "$@" >>{said}\n'
            f'case "$2" in get) exit {has};; add) exit {can};; esac\n',
            encoding="utf-8",
        )
        (programs / "claude").chmod(0o755)
        said.write_text("", encoding="utf-8")
        nonlocal code, output
        code, output = install("claude-code", *(["--force"] if can == 0 and has == 0 else []))
        return said.read_text(encoding="utf-8").splitlines()

    add = " ".join(shlex.split(shown)[1:])
    assert claude(has=1, can=0) == ["mcp get consortium", add]
    assert code == 0
    assert claude(has=0, can=1) == ["mcp get consortium"]
    assert "nothing was changed" in output
    assert claude(has=0, can=0)[1:] == ["mcp remove --scope user consortium", add]
    assert claude(has=1, can=1) == ["mcp get consortium", add]
    assert code == 1
    assert "see its output above" in output


def test_uvx_is_named_where_its_cache_would_not_last(tmp_path: Path) -> None:
    uvx = str(tmp_path / "uvx")
    python = tmp_path / "archive-v0" / "abc" / "bin" / "python3.11"
    python.parent.mkdir(parents=True)
    passing = Installation(python.parent.parent, python, added={"llm-grok": tmp_path})
    arguments = ["--with", "llm-grok", "consortium-mcp"]
    assert server_command(passing, {"uvx": uvx}.get) == (uvx, arguments)
    assert server_command(passing, {}.get)[0] == str(python)  # type: ignore[arg-type]
    python = tmp_path / "bin" / "python3.11"
    python.parent.mkdir(parents=True)
    lasting = Installation(tmp_path, python)
    assert server_command(lasting, {"uvx": uvx}.get) == (str(python), ["-m", "consortium_mcp"])
    program = python.with_name("consortium-mcp")
    program.touch()
    assert server_command(lasting, {"uvx": uvx}.get) == (str(program), [])
