"""Claude Code as a model, tried with 2.1.197.

Switched off: tools, MCP servers, settings with their hooks, instruction files, sessions, their
titles, telemetry. Left: the date, which it puts before the prompt, and, with a schema, the one tool
`StructuredOutput`, by which it answers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.agents.programs import Answer, Call, Ended, Program, SignIn, failure

if TYPE_CHECKING:
    from pathlib import Path


class Claude(Program):
    """Anthropic's program."""

    name = "claude"
    maker = "anthropic"
    tested = "2.1.197"
    models = ("opus", "sonnet", "haiku")
    variables = ("ANTHROPIC_", "CLAUDE_")
    keys = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
    status_command = ("auth", "status")
    knows_schemas = True
    how_to_sign_in = "start `claude` once and sign in"

    def command(self, call: Call) -> list[str]:
        """See `Program`."""
        system = call.folder / "system.txt"
        system.write_text(call.system or "Answer the question.", encoding="utf-8")
        arguments = [
            "-p", "--output-format", "json", "--tools", "", "--strict-mcp-config",
            "--mcp-config", '{"mcpServers":{}}', "--setting-sources", "",
            "--no-session-persistence", "--disable-slash-commands",
            "--system-prompt-file", str(system),
        ]  # fmt: skip
        if call.schema is not None:
            arguments += ["--json-schema", json.dumps(call.schema)]
        if call.model is not None:
            arguments += ["--model", call.model]
        return arguments

    def environment(self, call: Call, home: Path) -> dict[str, str]:  # noqa: ARG002 (of the protocol)
        """See `Program`."""
        # No retries: ours has the call's deadline. No title of the session, no telemetry.
        return {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "0"}

    def read(self, ended: Ended) -> Answer:
        """See `Program`."""
        try:
            said: dict[str, Any] = json.loads(ended.output)
            text = str(said["result"])
        except (ValueError, KeyError, TypeError):
            raise failure(self, ended.errors or ended.output) from None
        if said.get("is_error") or ended.code != 0:
            status = said.get("api_error_status")
            raise failure(self, text, status if isinstance(status, int) else None)
        if said.get("structured_output") is not None:
            text = json.dumps(said["structured_output"], ensure_ascii=False)
        usage = said.get("usage") or {}
        cached = (usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens"))
        sent = [n for n in (usage.get("input_tokens"), *cached) if isinstance(n, int)]
        return Answer(
            text=text,
            input_tokens=sum(sent) if sent else None,
            output_tokens=usage.get("output_tokens"),
            cost_usd=said.get("total_cost_usd"),
        )

    def read_status(self, ended: Ended) -> SignIn:
        """See `Program`."""
        try:
            return "yes" if json.loads(ended.output)["loggedIn"] else "no"
        except (ValueError, KeyError, TypeError):
            return "unknown"
