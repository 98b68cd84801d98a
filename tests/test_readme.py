"""The README's commands and blocks, run or checked as they are written."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from consortium_mcp.adapters.clients.configs import CLIENTS, Machine, as_text
from tests.conftest import CHECKOUT, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = "".join(
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("operating", "answers", "replay")
)


def commands_in(text: str) -> list[str]:
    """The lines of its blocks of shell commands."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.strip().splitlines()]


SHELL = commands_in(README)
CLIENTS_PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
PUBLISHED = "consortium-mcp[anthropic,gemini]"


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert README.count("\n") < 120
    assert SHELL[:2] == [
        "pip install uv && uv run --extra local consortium-mcp demo",
        "uv run pytest",
    ]


BY_HAND = ("llm keys set anthropic", "llm keys set gemini")  # they ask for the keys
INSTALLATION = (
    "uv tool install --with-executables-from llm '.[anthropic,gemini]'",
    "consortium-mcp doctor",
    "consortium-mcp install claude-desktop",
)
OTHER_COMMANDS = (
    "uv run --extra local consortium-mcp setup-local",
    "uv run consortium-mcp runs prune --older-than 90d",
    "uv run consortium-mcp runs export",
    "uv run consortium-mcp replay examples/replay.jsonl --panel model-1,model-2,model-3",
    "uv run consortium-mcp leaderboard",
)


def test_every_command_is_run_by_a_test() -> None:
    assert sorted(SHELL[2:]) == sorted([*BY_HAND, *INSTALLATION])
    assert sorted(commands_in(PAGES)) == sorted(OTHER_COMMANDS)


def run_as_written(commands: Iterable[str], environment: dict[str, str]) -> None:
    """Run them from the clone, without what these tests' own environment would lend them."""
    environment = environment | {"PYTHONPATH": ""}
    for name in ("VIRTUAL_ENV", "UV_NO_SYNC"):
        environment.pop(name, None)
    for command in commands:
        done = subprocess.run(  # noqa: S602 (the command is the README's)
            command,
            shell=True,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@CHECKOUT
@pytest.mark.local_model
@pytest.mark.usefixtures("local_models")
def test_the_first_command_works_in_a_fresh_environment(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    fresh = tmp_path / "python"
    venv.create(fresh, with_pip=True)
    programs = fresh / ("Scripts" if sys.platform == "win32" else "bin")
    environment = child_environment | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "project"),
    }
    run_as_written((SHELL[0], *OTHER_COMMANDS), environment)
    assert (tmp_path / "llm" / "consortium.db").exists()


@CHECKOUT
@pytest.mark.skipif(sys.platform == "win32", reason="the quotes are a POSIX shell's")
def test_the_installation_works_as_it_is_written(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    programs = tmp_path / "programs"
    client = CLIENTS["claude-desktop"].path(Machine(home, sys.platform, {}))
    client.parent.mkdir(parents=True)
    environment = child_environment | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(programs),
        "ANTHROPIC_API_KEY": "made-up",
        "OPENAI_API_KEY": "made-up",
    }
    environment |= {"UV_CACHE_DIR": uv_cache()}  # before its home is another
    environment |= {"HOME": str(home)}
    environment.pop("XDG_CONFIG_HOME", None)
    run_as_written(INSTALLATION, environment)
    entry = json.loads(client.read_text(encoding="utf-8"))["mcpServers"]["consortium"]
    assert (Path(entry["command"]).name, entry["args"]) == ("consortium-mcp", [])
    assert Path(entry["command"]).is_absolute()
    assert (programs / "llm").exists()


def uv_cache() -> str:
    return subprocess.check_output(["uv", "cache", "dir"], text=True).strip()  # noqa: S607


def test_the_clients_blocks_are_what_install_would_write() -> None:
    for name, client in CLIENTS.items():
        block = as_text(client, "consortium", client.entry("uvx", [PUBLISHED], {}))
        assert f"```{client.form}\n{block}```" in CLIENTS_PAGE, name
    assert f"claude mcp add --scope user consortium -- uvx '{PUBLISHED}'" in CLIENTS_PAGE


def test_the_links_for_one_click_hold_the_same_server() -> None:
    server = {"command": "uvx", "args": [PUBLISHED]}
    [cursor] = re.findall(r"\(https://cursor\.com/en/install-mcp\?([^)]+)\)", README)
    [code] = re.findall(r"\(https://vscode\.dev/redirect/mcp/install\?([^)]+)\)", README)
    asked = parse_qs(cursor)
    assert asked["name"] == ["consortium"]
    assert json.loads(base64.b64decode(asked["config"][0])) == server
    asked = parse_qs(code)
    assert asked["name"] == ["consortium"]
    assert json.loads(asked["config"][0]) == server
