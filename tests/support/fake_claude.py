"""Stands in for `claude mcp …` as Claude Code 2.1 does it: `python fake_claude.py mcp add …`.

It keeps its servers in `.claude.json` in `CLAUDE_CONFIG_DIR` or the home, those of this folder
only in `local.json` beside it, and writes down what it was told in `told`. `FAKE_CLAUDE_REFUSES`
names the subcommand that fails.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home())
FILE, LOCAL = FOLDER / ".claude.json", FOLDER / "local.json"


def servers(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return found.get("mcpServers", {})  # type: ignore[no-any-return]


def write(found: dict[str, Any]) -> None:
    FILE.write_text(json.dumps({"mcpServers": found}), encoding="utf-8")


def show(name: str, entry: dict[str, Any], scope: str) -> None:
    print(f"{name}:\n  Scope: …\n  Status: ✘ Failed to connect\n  Type: stdio")  # noqa: T201
    print(f"  Command: {entry['command']}\n  Args: {' '.join(entry['args'])}\n  Environment:")  # noqa: T201
    for key, value in entry.get("env", {}).items():
        print(f"    {key}={value}")  # noqa: T201
    print(f"\nTo remove this server, run: claude mcp remove {name} -s {scope}")  # noqa: T201


def main(command: str, arguments: list[str]) -> str | None:
    """Do it, or say why not."""
    found = servers(FILE)
    if command == os.environ.get("FAKE_CLAUDE_REFUSES"):
        return "I will not."
    if command == "get":
        for file, scope in ((LOCAL, "local"), (FILE, "user")):
            if entry := servers(file).get(arguments[0]):
                show(arguments[0], entry, scope)
                return None
        return f'No MCP server named "{arguments[0]}".'
    assert arguments[:2] == ["--scope", "user"]
    name, rest = arguments[2], arguments[3:]
    if command == "remove":
        del found[name]
    elif name in found:
        return f"MCP server {name} already exists in user config"
    elif command == "add-json":
        found[name] = json.loads(rest[0])
    else:
        start = rest.index("--")
        env = dict(each.split("=", 1) for each in rest[1:start:2])
        found[name] = {"type": "stdio", "command": rest[start + 1], "args": rest[start + 2 :]}
        found[name] |= {"env": env}
    write(found)
    return None


def alone(command: str, arguments: list[str]) -> str | None:
    """Do it, but say so where nobody keeps others waiting: the real one loses servers then."""
    if not (FOLDER / "..claude.json.lock").exists():
        return "Another may be at work too."
    return main(command, arguments)


if __name__ == "__main__":
    with (FOLDER / "told").open("a", encoding="utf-8") as told:
        told.write(" ".join(sys.argv[2:4]) + "\n")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.exit(alone(sys.argv[2], sys.argv[3:]))
