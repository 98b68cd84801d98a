"""Codex as a model, tried with 0.171.0.

It gets a home of its own with nothing of the user's but the sign-in. Switched off: the shell, MCP
servers and plugins, hooks, rules, other agents, the web, instruction files, sessions. It cannot be
made to drop `view_image`, `request_user_input`, `apply_patch` and, with some models, `exec`, which
runs JavaScript: that one fails, because its host is switched off, and the sandbox is read-only. Its
list of its own skills stays.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from consortium_mcp.adapters.agents.environment import key_in_use
from consortium_mcp.adapters.agents.programs import Answer, Call, Ended, Program, SignIn, failure

_OFF = ("shell_tool", "unified_exec", "code_mode_host", "multi_agent", "goals", "apps", "plugins",
        "hooks", "image_generation")  # fmt: skip
_SETTINGS = (
    'web_search="disabled"',
    "project_doc_max_bytes=0",
    "include_environment_context=false",
    "include_permissions_instructions=false",
    "include_apps_instructions=false",
)


class Codex(Program):
    """OpenAI's program."""

    name = "codex"
    maker = "openai"
    tested = "0.171.0"
    models = ("gpt-6.2-sol", "gpt-6-luna", "gpt-5.5")
    variables = ("OPENAI_", "CODEX_")
    keys = ("CODEX_API_KEY",)
    status_command = ("login", "status")
    knows_schemas = True
    how_to_sign_in = "run `codex login`"

    def __init__(self, settings: tuple[str, ...] = ()) -> None:
        self._settings = (*_SETTINGS, *settings)
        """`-c` settings; more of them where it should speak to another server."""

    def command(self, call: Call) -> list[str]:
        """See `Program`."""
        arguments = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only",
                     "--ephemeral", "--ignore-user-config", "--ignore-rules"]  # fmt: skip
        for feature in _OFF:
            arguments += ["--disable", feature]
        settings = list(self._settings)
        if call.system:
            system = call.folder / "system.md"
            system.write_text(call.system, encoding="utf-8")
            settings.append(f"model_instructions_file={json.dumps(str(system))}")
        for setting in settings:
            arguments += ["-c", setting]
        if call.schema is not None:
            schema = call.folder / "schema.json"
            schema.write_text(json.dumps(strict(call.schema)), encoding="utf-8")
            arguments += ["--output-schema", str(schema)]
        if call.model is not None:
            arguments += ["-m", call.model]
        return [*arguments, "-"]

    def environment(self, call: Call, home: Path) -> dict[str, str]:
        """See `Program`: a home with nothing in it but the sign-in, so without an AGENTS.md.

        The sign-in is linked, not copied: Codex writes a renewed one through the link (as 0.171.0
        does), and an old copy would sign its user out.
        """
        users = Path(os.environ.get("CODEX_HOME") or home / ".codex")
        if not (users / "auth.json").exists() and key_in_use(self) is None:
            return {}  # the sign-in is in the system's keyring, found by the path of the home
        own = call.folder / "codex"
        own.mkdir()
        try:
            for name in ("auth.json", "auth.lock"):
                (own / name).symlink_to(users / name)
        except OSError:  # on Windows, without the right to make links
            return {}
        return {"CODEX_HOME": str(own)}

    def read(self, ended: Ended) -> Answer:
        """See `Program`."""
        events = list(_events(ended.output))
        for event in events:
            if event.get("type") == "turn.failed":
                raise failure(self, _message(event))
        texts = [
            item.get("text")
            for event in events
            if event.get("type") == "item.completed"
            and isinstance(item := event.get("item"), dict)
            and item.get("type") == "agent_message"
        ]
        if ended.code != 0 or not texts:
            errors = [_message(event) for event in events if event.get("type") == "error"]
            raise failure(self, errors[-1] if errors else ended.errors or ended.output)
        usage: dict[str, Any] = next(
            (e["usage"] for e in events if isinstance(e.get("usage"), dict)), {}
        )
        return Answer(
            text=str(texts[-1]),
            input_tokens=usage.get("input_tokens"),
            output_tokens=usage.get("output_tokens"),
        )

    def read_status(self, ended: Ended) -> SignIn:
        """See `Program`."""
        said = f"{ended.output}\n{ended.errors}".lower()
        if "not logged in" in said:
            return "no"
        return "yes" if "logged in" in said else "unknown"


def _events(output: str) -> Any:  # noqa: ANN401 (an iterator of JSON objects)
    for line in output.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _message(event: dict[str, Any]) -> str:
    error = event.get("error")
    found = error.get("message") if isinstance(error, dict) else event.get("message")
    return str(found or "it gave no reason")


def strict(schema: Any) -> Any:  # noqa: ANN401 (a JSON Schema, or a part of one)
    """The schema as OpenAI's strict mode demands it: every field required, no other allowed."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not hasattr(schema, "items"):
        return schema
    found = {name: strict(value) for name, value in schema.items()}
    if isinstance(found.get("properties"), dict):
        found |= {"required": list(found["properties"]), "additionalProperties": False}
    return found
