"""Our plugin must cost other `llm` commands next to nothing.

What it costs is what it imports: CPU time depends on what else the machine does, and is measured in
`bench.plugin`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from consortium_mcp import create_consortium
from tests.support.fake_models import FakeAsync, models, plugin

PROGRAM = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("|".join(sys.modules)))
from llm.cli import cli
cli()
"""
TEAM = {"psycopg", "psycopg_pool", "psycopg_binary", "procrastinate", "prometheus_client"}
"""What the extra `team` brings."""
OPENED = """
import anyio
from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.services.assembly import open_service
async def run():
    async with open_service(from_environment()) as service:
        await service.store.check()
anyio.run(run)
"""
MOST = 40
"""Modules of ours; the server has more than a hundred."""


def imported(arguments: tuple[str, ...], plugins: str) -> set[str]:
    """The modules that an `llm` command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | {"LLM_LOAD_PLUGINS": plugins},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split("|"))


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("arguments", [("--help",), ("models",)])
def test_other_llm_commands_import_little_more(arguments: tuple[str, ...]) -> None:
    with plugin("fake", models(FakeAsync("a", "x"), FakeAsync("b", "x"))):
        create_consortium(["a", "b"]).save("mine")
    more = imported(arguments, "consortium-mcp") - imported(arguments, "")
    ours = {name for name in more if name.partition(".")[0] == "consortium_mcp"}
    foreign = {name.partition(".")[0] for name in more - ours} - sys.stdlib_module_names
    assert foreign == set()
    assert 0 < len(ours) <= MOST


@pytest.mark.parametrize(
    "program",
    [
        "import consortium_mcp",
        "import llm.cli; import consortium_mcp.frontends.llm.plugin",
        "from consortium_mcp.frontends.mcp import server; server.make_server",
        "import consortium_mcp.services.assembly",
    ],
)
@pytest.mark.usefixtures("settings")
def test_what_checks_schemas_is_loaded_only_with_one(program: str) -> None:
    shown = f"{program}\nimport sys\nprint('jsonschema_rs' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        env=os.environ | {"LLM_LOAD_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "program",
    [
        "import consortium_mcp; consortium_mcp.create_consortium",
        "import llm.cli; import consortium_mcp.frontends.llm.plugin",
        "import consortium_mcp.frontends.llm.commands",
        "import consortium_mcp.frontends.cli.main, consortium_mcp.frontends.cli.runs",
        "from consortium_mcp.frontends.mcp import server, stdio, http; server.make_server",
        OPENED,
    ],
)
def test_nothing_of_a_teams_server_is_loaded_for_one_person(program: str) -> None:
    shown = f"{program}\nimport sys\nprint({TEAM} & {{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        env=os.environ | {"LLM_LOAD_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
