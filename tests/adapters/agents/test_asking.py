"""Questions to agent programs, which are fakes: what they are given, and what is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from consortium_mcp.adapters.agents.asking import ask
from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.codex import Codex
from consortium_mcp.adapters.agents.environment import key_in_use
from consortium_mcp.adapters.agents.gemini import Gemini
from consortium_mcp.adapters.agents.programs import Call
from consortium_mcp.core.domain.errors import MemberError
from tests.conftest import ROOT
from tests.support.fake_agent import ANSWER, installed, seen

if TYPE_CHECKING:
    from consortium_mcp.adapters.agents.programs import Program

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are scripts"),
]
PROGRAMS = [Claude(), Codex(), Gemini()]
SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the PATH with all three, and a home with nothing in it."""
    folder = tmp_path / "bin"
    for program in PROGRAMS:
        installed(folder, program.name)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


async def gone(pids: list[int]) -> None:
    """Wait until these processes have ended."""
    while any(_runs(pid) for pid in pids):  # noqa: ASYNC110 (they are no children of ours)
        await anyio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return not state.stdout.strip().startswith("Z") and bool(state.stdout.strip())


async def one_call(folder: Path) -> dict[str, Any]:
    """What the one call was given, once the program has noted it."""
    while not (calls := seen(folder)):  # noqa: ASYNC110 (another process makes it)
        await anyio.sleep(0.02)
    [call] = calls
    return call


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
async def test_a_program_answers_with_its_tokens(program: Program, programs: Path) -> None:
    answer = await ask(program, "How many? ß" * 20_000, system="Be brief.", model="m-1")
    assert answer.text == ANSWER
    assert (answer.input_tokens, answer.output_tokens) == (9 if program.name == "claude" else 7, 3)
    assert answer.cost_usd == (0.01 if program.name == "claude" else None)
    call = await one_call(programs)
    assert call["prompt"] == "How many? ß" * 20_000
    assert not any("How many" in each for each in call["arguments"])
    assert "m-1" in call["arguments"]
    assert call["folder"] == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
async def test_a_program_sees_its_own_keys_and_no_others(
    program: Program, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "CODEX_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY",
                 "LLM_USER_PATH", "CONSORTIUM_DB"):  # fmt: skip
        monkeypatch.setenv(name, "made-up")
    await ask(program, "How many?")
    given = (await one_call(programs))["environment"]
    assert [name for name, value in given.items() if value == "made-up"] == [program.keys[0]]
    assert given["CONSORTIUM_DEPTH"] == "1"
    assert given["HOME"] == os.environ["HOME"]


def test_the_system_text_and_the_schema_go_into_files_or_flags(tmp_path: Path) -> None:
    call = Call("?", tmp_path, "Be brief.", SCHEMA)
    claude, codex = Claude().command(call), Codex().command(call)
    made = Gemini().environment(call, tmp_path / "nobody")
    assert json.loads(claude[claude.index("--json-schema") + 1]) == SCHEMA
    told = Path(claude[claude.index("--system-prompt-file") + 1])
    assert told.read_text(encoding="utf-8") == "Be brief."
    schema = json.loads(Path(codex[codex.index("--output-schema") + 1]).read_text())
    assert schema == SCHEMA | {"additionalProperties": False}
    assert Path(made["GEMINI_SYSTEM_MD"]).read_text(encoding="utf-8") == "Be brief."


async def test_a_flag_that_a_version_does_not_know_names_both_versions(programs: Path) -> None:
    del programs
    with pytest.raises(MemberError, match=r"installed claude is 0\.1\.2; .* of 2\.1") as caught:
        await ask(Claude(), "case:flag")
    assert caught.value.permanent


async def test_a_program_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    program = Claude()
    program.name = "no-such-program"
    with pytest.raises(MemberError, match="not installed") as caught:
        await ask(program, "?")
    assert caught.value.permanent


@pytest.mark.parametrize("case", ["case:sleeps case:children", "case:children"])
async def test_nothing_is_left_of_a_call(programs: Path, case: str) -> None:
    """Neither a child in a session of its own, nor one whose parent has ended."""
    if "sleeps" in case:
        async with anyio.create_task_group() as group:
            group.start_soon(ask, Claude(), case)
            call = await one_call(programs)
            group.cancel_scope.cancel()
    else:
        await ask(Claude(), case)
        call = await one_call(programs)
    with anyio.fail_after(60):
        await gone([call["pid"], *call["children"]])


async def test_nothing_is_left_when_the_process_that_asked_is_killed(programs: Path) -> None:
    script = (
        "import anyio\nfrom consortium_mcp.adapters.agents.asking import ask\n"
        "from consortium_mcp.adapters.agents.claude import Claude\n"
        "anyio.run(ask, Claude(), 'case:sleeps case:children')"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    asking = subprocess.Popen(  # noqa: ASYNC220 (it is killed, not waited for)
        [sys.executable, "-c", script], env=environment
    )
    call = await one_call(programs)
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    with anyio.fail_after(60):
        await gone([call["pid"], *call["children"]])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
async def test_a_placeholder_is_no_key_of_a_program(
    program: Program, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As desktop clients pass it for a setting that its user has left empty."""
    for name in program.keys:
        monkeypatch.setenv(name, "${user_config.key}")
    assert key_in_use(program) is None
    await ask(program, "How many?")
    given = (await one_call(programs))["environment"]
    assert not given.keys() & set(program.keys)
