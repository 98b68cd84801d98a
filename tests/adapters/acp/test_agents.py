"""`CONSORTIUM_ACP`, read."""

from __future__ import annotations

import sys

import pytest

from consortium_mcp.adapters.acp.agents import agents_of


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        ("opencode acp", "opencode", ("opencode", "acp")),
        ("copilot --acp", "copilot", ("copilot", "--acp")),
        ("/opt/bin/Goose acp", "goose", ("/opt/bin/Goose", "acp")),
        ("mine=npx -y my-agent", "mine", ("npx", "-y", "my-agent")),
        ("gemini --acp -m 'a b'", "gemini", ("gemini", "--acp", "-m", "a b")),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="quotes are the shell's of POSIX")
def test_a_command_names_its_agent(text: str, name: str, command: tuple[str, ...]) -> None:
    [agent] = agents_of([text])
    assert (agent.name, agent.command) == (name, command)


@pytest.mark.parametrize(
    ("texts", "names", "said"),
    [
        (["opencode acp", "it's broken", "copilot --acp"], ["opencode", "copilot"], "it's broken"),
        (["=npx agent"], [], "names no program"),
        (["npx a", "npx b"], ["npx"], "names npx twice; write NAME=COMMAND"),
    ],
)
def test_what_cannot_be_read_is_left_out_with_a_word(
    texts: list[str], names: list[str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert [agent.name for agent in agents_of(texts)] == names
    assert said in caplog.text


def test_an_agent_sees_its_own_variables() -> None:
    [copilot, goose] = agents_of(["copilot --acp", "goose acp"])
    assert copilot.variables == ("COPILOT_", "GH_", "GITHUB_TOKEN")
    assert goose.variables == ("GOOSE_",)
