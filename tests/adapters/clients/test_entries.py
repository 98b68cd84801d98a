from __future__ import annotations

from typing import Any

import pytest

from consortium_mcp.adapters.clients.entries import is_ours, told


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("/opt/venv/bin/consortium-mcp", []),
        ("C:\\Tools\\Consortium-MCP.EXE", []),
        ("consortium-mcp", ["-x"]),
        ("/usr/bin/python3.11", ["-m", "consortium_mcp"]),
        ("python", ["-X", "dev", "-m", "consortium_mcp"]),
        ("uvx", ["consortium-mcp[anthropic,gemini]"]),
        ("uvx", ["consortium-mcp"]),
        ("uvx", ["consortium-mcp==0.1.0"]),
        ("uvx", ["consortium-mcp@latest"]),
        ("uvx.cmd", ["--from", "C:\\src\\consortium-mcp[all]", "consortium-mcp"]),
        ("/bin/uvx", ["--from", "consortium-mcp[all] @ file:///src/clone", "consortium-mcp"]),
        ("uv", ["run", "--directory", "/src/clone", "consortium-mcp"]),
        ("uv", ["tool", "run", "consortium-mcp"]),
        ("pipx", ["run", "consortium-mcp"]),
        ("env", ["A=1", "uvx", "consortium-mcp"]),
        ("cmd", ["/c", "uvx", "consortium-mcp"]),
    ],
)
@pytest.mark.parametrize("more", [{}, {"env": {"KEY": "x"}, "autoApprove": ["list_runs"]}])
def test_an_entry_that_starts_this_program_is_ours(
    command: str, args: list[str], more: dict[str, Any]
) -> None:
    assert is_ours({"command": command, "args": args} | more)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "consortium-mcp",
        {},
        {"command": None},
        {"command": "consortium-mcp", "args": [1]},
        {"command": "npx", "args": ["-y", "server-filesystem", "/home/ann/consortium-mcp"]},
        {"command": "uvx", "args": ["consortium-mcp-tools"]},
        {"command": "uvx", "args": ["llm-consortium"]},
        {"command": "python", "args": ["-m", "consortium_mcp_tools"]},
        {"url": "http://127.0.0.1/consortium-mcp"},
    ],
)
def test_another_program_is_not(entry: object) -> None:
    assert not is_ours(entry)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"command": "npx", "args": ["--key=s3cret"], "env": {"K": "s3cret"}}, "starts npx"),
        ({"url": "https://u:s3cret@example.com/s3cret?k=s3cret"}, "is at example.com"),
        ({"env": {"K": "s3cret"}}, "starts nothing that we know"),
        ("s3cret", "starts nothing that we know"),
    ],
)
def test_what_an_entry_starts_is_told_without_its_keys(entry: object, words: str) -> None:
    assert told(entry) == f"which {words}"
