"""Gemini CLI as a model, tried with 0.61.0.

It gets a home of its own, with nothing of the user's but the sign-in, and settings that switch off
tools, MCP servers, extensions, hooks, skills and instruction files. Left: a few lines on the date
and the empty folder, which it puts before the prompt.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.agents.programs import Answer, Call, Ended, Program, SignIn, failure

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS: dict[str, Any] = {
    "tools": {"core": []},
    "mcp": {"allowed": []},
    "mcpServers": {},
    "hooksConfig": {"enabled": False},
    "skills": {"enabled": False},
    "context": {"fileName": ["none-of-the-users.md"]},
    "telemetry": {"enabled": False},
    "privacy": {"usageStatisticsEnabled": False},
    "general": {
        "enableAutoUpdate": False,
        "enableAutoUpdateNotification": False,
        "maxAttempts": 1,
    },
}
_SIGN_IN = ("oauth_creds.json", "google_accounts.json", "installation_id",
            "gemini-credentials.json")  # fmt: skip
_NO_SIGN_IN = 41
"""Its exit code for "Invalid auth method selected"."""


class Gemini(Program):
    """Google's program."""

    name = "gemini"
    maker = "google"
    tested = "0.61.0"
    models = ("pro", "flash")
    variables = ("GEMINI_", "GOOGLE_")
    keys = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    status_command = ()
    knows_schemas = False
    how_to_sign_in = "start `gemini` once and sign in"

    def command(self, call: Call) -> list[str]:
        """See `Program`."""
        arguments = ["-o", "json", "-e", "none", "--allowed-mcp-server-names", "none",
                     "--skip-trust", "--approval-mode", "plan"]  # fmt: skip
        arguments += ["-m", call.model] if call.model is not None else []
        return [*arguments, "-p", ""]

    def environment(self, call: Call, home: Path) -> dict[str, str]:
        """See `Program`."""
        system = call.folder / "system.md"
        system.write_text(call.system or "Answer the question.", encoding="utf-8")
        own = call.folder / "home" / ".gemini"
        own.mkdir(parents=True)
        for name in _SIGN_IN:
            if (home / ".gemini" / name).exists():
                shutil.copy2(home / ".gemini" / name, own / name)
        settings = _SETTINGS | {"security": {"auth": {"selectedType": _way_to_sign_in(home)}}}
        (own / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        return {"GEMINI_CLI_HOME": str(own.parent), "GEMINI_SYSTEM_MD": str(system)}

    def read(self, ended: Ended) -> Answer:
        """See `Program`."""
        try:
            said: dict[str, Any] = json.loads(_json_in(ended.output) or _json_in(ended.errors))
        except ValueError:
            said = {}
        if ended.code != 0 or not isinstance(said.get("response"), str):
            error = said.get("error") or {}
            message = str(error.get("message") or ended.errors or ended.output)
            if ended.code == _NO_SIGN_IN:
                message = f"not logged in: {message}"
            raise failure(self, _inner(message), _status(message))
        models = (said.get("stats") or {}).get("models") or {}
        tokens = [each.get("tokens") or {} for each in models.values()]
        return Answer(
            text=said["response"],
            input_tokens=_sum(each.get("prompt") for each in tokens),
            output_tokens=_sum(
                count for each in tokens for count in (each.get("candidates"), each.get("thoughts"))
            ),
        )

    def read_status(self, ended: Ended) -> SignIn:  # noqa: ARG002 (of the protocol)
        """See `Program`: there is no command that asks."""
        return "unknown"


def _way_to_sign_in(home: Path) -> str:
    """What the user has chosen in the program, else by what is there."""
    try:
        settings = json.loads((home / ".gemini" / "settings.json").read_text(encoding="utf-8"))
        chosen = settings["security"]["auth"]["selectedType"]
    except (OSError, ValueError, KeyError, TypeError):
        signed_in = (home / ".gemini" / "oauth_creds.json").exists()
        return "oauth-personal" if signed_in else "gemini-api-key"
    return str(chosen)


def _json_in(text: str) -> str:
    """From the first brace at the beginning of a line on: warnings may stand before."""
    place = 0 if text.startswith("{") else text.find("\n{") + 1
    return text[place:] if text[place : place + 1] == "{" else ""


def _inner(message: str) -> str:
    """The provider's own message, which comes as JSON within the message."""
    try:
        return str(json.loads(message)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return message


def _status(message: str) -> int | None:
    try:
        return int(json.loads(message)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return None


def _sum(counts: Any) -> int | None:  # noqa: ANN401 (an iterable of counts, or whatever was sent)
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known else None
