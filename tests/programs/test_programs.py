"""The real agent programs, each against a loopback fake of its API. Run by `.ci/programs`.

They run in a network namespace with nothing but loopback, in an environment made from nothing, with
made-up keys and a home of their own that is full of traps.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters

from consortium_mcp.core.domain.errors import MemberError
from tests.conftest import ROOT
from tests.programs import kit
from tests.programs.kit import SCHEMA, TRAP, Subject
from tests.providers.kit import ANSWER, JUDGEMENT, Api
from tests.support.client import data_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("CONSORTIUM_REAL_PROGRAMS" not in os.environ, reason="see .ci/programs"),
]
NAMES = [each.name for each in kit.subjects(0)]


@pytest.fixture
def port() -> Iterator[int]:
    with kit.api() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Path:
    for name, value in kit.trapped_home(tmp_path, port).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.fixture(params=NAMES)
def subject(request: pytest.FixtureRequest, home: Path, port: int) -> Subject:
    assert home.is_dir()
    found = next(each for each in kit.subjects(port) if each.name == request.param)
    if not kit.installed(found):
        pytest.skip(f"{found.program} is not installed")
    return found


def files_of(home: Path) -> set[str]:
    return {str(each.relative_to(home)) for each in home.rglob("*") if each.is_file()}


async def none_left() -> None:
    """Wait until no process of our calls is left; a program's own helpers take a moment."""
    with anyio.fail_after(60):
        while kit.processes():  # noqa: ASYNC110 (they are no children of ours)
            await anyio.sleep(0.05)


async def test_a_member_answers(subject: Subject) -> None:
    answer = await subject.ask("What is it? case:ok", system="Be careful and brief.")
    assert answer.text == ANSWER
    assert (answer.input_tokens, answer.output_tokens) == (7, 3)
    assert (answer.cost_usd is not None) == (subject.program == "claude")
    assert "Be careful and brief." in json.dumps([body for _, body in Api.requests])
    await none_left()


async def test_a_member_does_nothing_else(subject: Subject, home: Path) -> None:
    if subject.is_acp:
        pytest.skip("what such an agent starts and reads by itself is its user's configuration")
    before = files_of(home)
    await subject.ask("What is it? case:ok")
    sent = [body for _, body in Api.requests if body]
    assert TRAP not in json.dumps(sent)
    assert kit.tools_in(sent) <= subject.tools
    assert not (home.parent / "sprung").exists()
    assert not (home.parent / "starts").exists()
    left = {name for name in files_of(home) - before if "session" in name or "history" in name}
    assert not left


async def test_an_arbiter_answers_by_its_schema(subject: Subject) -> None:
    answer = await subject.ask("Judge. case:judge", schema=SCHEMA)
    # Where there are no schemas, a verdict comes in tags.
    assert answer.text == json.dumps(JUDGEMENT) or not subject.knows_schemas


@pytest.mark.parametrize(
    ("case", "kinds", "permanent"),
    [
        ("key", {"key"}, True),
        ("credit", {"http"}, True),
        ("missing", {"unknown_model", "agent"}, None),
        ("limited", {"rate_limit"}, False),
        ("broken", {"agent"}, False),
    ],
)
async def test_each_error_is_told_apart(
    subject: Subject,
    case: str,
    kinds: set[str],
    permanent: bool | None,  # noqa: FBT001
) -> None:
    if case in {"limited", "broken"} and (subject.is_acp or subject.program == "gemini"):
        pytest.skip("it tries such a call again by itself, for minutes")
    with pytest.raises(MemberError) as caught:
        await subject.ask(f"What is it? case:{case}")
    said = str(caught.value)
    assert said.startswith(f"{subject.program}: ")
    if subject.is_acp:  # several agents pass on no more than a text
        assert caught.value.kind in kinds | {"agent"}, said
        return
    assert caught.value.kind in kinds, said
    assert permanent is None or caught.value.permanent is permanent


async def test_a_call_that_is_given_up_leaves_no_process_and_no_connection(
    subject: Subject,
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(subject.ask, "What is it? case:hang")
        while not any("hang" in json.dumps(body) for _, body in Api.requests):  # noqa: ASYNC110
            await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    assert await anyio.to_thread.run_sync(Api.hung_up.wait, 60)
    await none_left()


async def test_eight_at_once_leave_nothing(subject: Subject) -> None:
    if subject.is_acp:
        pytest.skip("the same processes; two at once at the most in the product")
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(subject.ask, "What is it? case:ok")
    await none_left()


@pytest.mark.parametrize("name", ["claude", "gemini"])
async def test_a_server_that_its_own_member_has_entered_runs_once(name: str, home: Path) -> None:
    """The server that is asked is the one in the member's own configuration; no second starts.

    Codex is not among them: its fake API is no setting of the environment. That it starts none of
    its configured servers, this one among them, `test_a_member_does_nothing_else` shows.
    """
    model = {"claude": "agent/claude", "gemini": "agent/gemini/flash"}[name]
    environment = {
        **os.environ, "LLM_USER_PATH": str(home / "llm"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    del environment["LLM_LOAD_PLUGINS"]  # which keeps plugins out of the other tests
    command = str(home.parent / "consortium-mcp")
    server = StdioServerParameters(command=command, env=environment, cwd=ROOT)
    asked: dict[str, Any] = {
        "prompt": "What is it? case:ok", "models": [f"{model}:2"], "strategy": "vote",
        "max_iterations": 1,
    }  # fmt: skip
    async with Client(server) as client:
        report = data_of(await client.call_tool("consult_consortium", asked))
    assert [member["status"] for member in report["members"]] == ["answered", "answered"]
    assert report["usage"]["calls"] == 2
    assert (home.parent / "starts").read_text().splitlines() == ["started"]
