"""`consortium-mcp install`, as its user sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from consortium_mcp.adapters.installation import Installation
from consortium_mcp.frontends.cli.install import server_command
from consortium_mcp.frontends.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


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
    monkeypatch.setenv("XAI_API_KEY", "of a provider that is not installed")
    (home.parent / "llm").mkdir(exist_ok=True)
    store = home.parent / "llm" / "keys.json"
    store.write_text('{"openai": "made-up-secret"}', encoding="utf-8")
    assert "_API_KEY" not in install("cursor")[1]
    store.write_text("{", encoding="utf-8")
    assert "OPENAI_API_KEY" in install("cursor", "--name", "two")[1]


def test_paths_are_written_absolute_and_what_is_only_this_process_own_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("LLM_USER_PATH", "llm")
    monkeypatch.setenv("CONSORTIUM_DB", os.path.join("~", "runs.db"))  # noqa: PTH118
    monkeypatch.setenv("CONSORTIUM_DEPTH", "1")
    monkeypatch.setenv("CONSORTIUM_LOG", "INFO")
    monkeypatch.setenv("CONSORTIUM_MODELS", "")
    assert install("cursor")[0] == 0
    assert entry_in(home)["env"] == {
        "LLM_USER_PATH": str(home / "llm"),
        "CONSORTIUM_DB": str(home / "runs.db"),
        "CONSORTIUM_LOG": "INFO",
    }


def entry_in(home: Path, name: str = "consortium") -> dict[str, Any]:
    servers = json.loads((home / ".cursor" / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]
    entry: dict[str, Any] = servers[name]
    return entry


def test_a_copy_that_has_moved_is_pointed_here_and_its_settings_stay(home: Path) -> None:
    there = {
        "command": str(home / "old" / "consortium-mcp"),
        "args": [],
        "env": {"OPENAI_API_KEY": "s3cret", "LLM_USER_PATH": "/where/it/was"},
        "autoApprove": ["list_runs"],
    }
    path = home / ".cursor" / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"consortium": there}}), encoding="utf-8")
    code, refused = install("cursor")
    assert code == 1
    assert "is another copy of this program" in refused
    code, shown = install("cursor", "--force", "--dry-run")
    assert code == 0, shown
    code, output = install("cursor", "--force")
    assert code == 0, output
    assert "Changed 'consortium' in" in output
    assert "LLM_USER_PATH has another value in the client's settings" in output
    assert "s3cret" not in refused + shown + output
    now = entry_in(home)
    assert now == there | {"command": now["command"]}
    assert now["command"] != there["command"]
    assert "nothing was changed" in install("cursor")[1]


def test_a_variable_that_is_added_to_an_entry_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install("cursor")[0] == 0
    monkeypatch.setenv("CONSORTIUM_LOG", "INFO")
    code, output = install("cursor")
    assert code == 1
    assert "lacks settings that this shell has" in output
    assert "It now sets CONSORTIUM_LOG as this shell does." in install("cursor", "--force")[1]
    assert entry_in(home)["env"]["CONSORTIUM_LOG"] == "INFO"


def test_another_server_is_replaced_as_a_whole_and_its_keys_are_not_shown(home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    other = {"command": "npx", "args": ["--key=s3cret"], "env": {"KEY": "s3cret"}}
    path.write_text(json.dumps({"mcpServers": {"consortium": other}}, indent=2), encoding="utf-8")
    code, refused = install("cursor")
    assert code == 1
    assert "another server 'consortium', which starts npx" in refused
    code, output = install("cursor", "--force")
    assert code == 0
    assert "Replaced 'consortium' in" in output
    assert "s3cret" not in refused + output
    assert "KEY" not in entry_in(home)["env"]


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_neither_llm_nor_a_plugin_is_loaded(home: Path, command: str) -> None:
    script = (
        "import sys\n"
        "from consortium_mcp.frontends.cli.main import main\n"
        f"main({[command, 'cursor']!r}, standalone_mode=False)\n"
        "assert not {'llm', 'mcp', 'openai', 'sqlite_utils'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"HOME": str(home), "USERPROFILE": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


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


def test_the_server_and_the_plugin_load_nothing_of_it() -> None:
    script = (
        "import sys\n"
        "import consortium_mcp.frontends.mcp.server, consortium_mcp.frontends.llm.plugin\n"
        "assert not {'filelock', 'tomlkit'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
