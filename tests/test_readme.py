"""The README's commands and blocks, run or checked as they are written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.strip().splitlines()
]
JSON_BLOCKS = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
SERVER = ["--directory", "/path/to/consortium-mcp", "run", "--no-dev", "--with", "llm-anthropic"]


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert README.count("\n") < 200
    assert SHELL[:2] == [
        "pip install uv && uv run --extra local consortium-mcp demo",
        "uv run pytest",
    ]


def test_every_command_is_run_by_a_test() -> None:
    by_hand = [line for line in SHELL if line.startswith("claude mcp add consortium -- ")]
    assert [line.partition(" -- ")[2].split() for line in by_hand] == [
        ["uv", *SERVER, "consortium-mcp"]
    ]
    assert sorted({*SHELL} - {*by_hand}) == sorted([SHELL[0], SHELL[1], *OTHER_COMMANDS])


OTHER_COMMANDS = (
    "uv run consortium-mcp doctor",
    "uv run --extra local consortium-mcp setup-local",
    "uv run consortium-mcp runs prune --older-than 90d",
    "uv run consortium-mcp runs export",
    "uv run consortium-mcp replay examples/replay.jsonl --panel model-1,model-2,model-3",
    "uv run consortium-mcp leaderboard",
)


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
        "PYTHONPATH": "",
    }
    for name in ("VIRTUAL_ENV", "UV_NO_SYNC"):
        environment.pop(name, None)
    for command in (SHELL[0], *OTHER_COMMANDS):
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
    assert (tmp_path / "llm" / "consortium.db").exists()


def test_the_client_blocks_are_json_and_start_the_same_server() -> None:
    desktop, code = (json.loads(block) for block in JSON_BLOCKS)
    servers = (desktop["mcpServers"]["consortium"], code["servers"]["consortium"])
    for server in servers:
        assert server["command"] == "uv"
        assert server["args"] == [*SERVER, "consortium-mcp"]
    assert servers[1]["type"] == "stdio"


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_variable_that_is_read_is_documented() -> None:
    source = (ROOT / "consortium_mcp/adapters/settings.py").read_text(encoding="utf-8")
    for name in set(re.findall(r'"((?:CONSORTIUM|LLM)_[A-Z_]+)"', source)):
        assert f"`{name}`" in README, name
