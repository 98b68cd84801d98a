"""An agent that speaks the Agent Client Protocol, by hand, over its standard streams.

    agent = Agent("fake", (sys.executable, fake_acp_agent.__file__, str(folder)))

What it does is named in the prompt, such as `case:permission`. What it was given, and what came of
what it asked for, is in `seen.json` in the folder that its argument names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ANSWER = "It is 42."

_ENDED = {
    "stopReason": "end_turn",
    "usage": {"totalTokens": 10, "inputTokens": 7, "outputTokens": 3},
}
_ERRORS = {
    "key": {"code": -32000, "message": "Authentication required"},
    "limited": {
        "code": -32603, "message": "Internal",
        "data": {"details": "You have hit your limit, it resets at 5 pm"},
    },
}  # fmt: skip
_GEMINI = {"quota": {"token_count": {"input_tokens": 5, "output_tokens": 2}}}
_LAST_WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "error-text": ("Error: Authentication failed (HTTP 401)", {"stopReason": "end_turn"}),
    "refuse": ("", {"stopReason": "refusal"}),
    "long": ("x" * 300_000, _ENDED | {"stopReason": "max_tokens"}),
    "gemini": (ANSWER, {"stopReason": "end_turn", "_meta": _GEMINI}),
}


class _Agent:
    """One process: one session with one prompt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, Any] = {
            "environment": dict(os.environ),
            "files": [each.name for each in Path().iterdir()],
            "pid": os.getpid(),
        }

    def run(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            method, given = message["method"], message.get("params") or {}
            self.seen[method] = given
            result: Any = {}
            if method == "initialize":
                result = {"protocolVersion": 1, "agentCapabilities": self._capabilities()}
            elif method == "session/new":
                result = {"sessionId": "s"}
            elif method == "session/prompt":
                result = self._prompt(message["id"], given["prompt"][0]["text"])
            if result is not None:
                self._send(id=message["id"], result=result)
            self._note()

    def _capabilities(self) -> dict[str, Any]:
        return {"sessionCapabilities": {"close": {}}}

    def _prompt(self, number: int, text: str) -> Any:  # noqa: ANN401
        self._note()
        case = text.partition("case:")[2]
        if case in _ERRORS:
            self._send(id=number, error=_ERRORS[case])
            return None
        if case in _LAST_WORDS:
            said, ended = _LAST_WORDS[case]
            self._say(said)
            return ended
        if case == "crash":
            sys.exit("\x1b[31mout of memory\x1b[0m")
        if case in ("permission", "file", "sleeps"):
            getattr(self, f"_{case}")()
        self._update("usage_update", used=10, size=100, cost={"amount": 0.02, "currency": "USD"})
        self._say(ANSWER)
        return _ENDED

    def _permission(self) -> None:
        call = {"toolCallId": "t", "title": "Run rm"}
        self._say("I will look at it first.")
        self._update("tool_call", **call)
        options = [
            {"optionId": "yes", "name": "Yes", "kind": "allow_always"},
            {"optionId": "no", "name": "No", "kind": "reject_once"},
        ]
        self._ask("session/request_permission", sessionId="s", toolCall=call, options=options)

    def _file(self) -> None:
        self._ask("fs/read_text_file", sessionId="s", path="/etc/passwd")
        self._ask("fs/write_text_file", sessionId="s", path="/x", content="x")
        self._ask("terminal/create", sessionId="s", command="ls")

    def _sleeps(self) -> None:
        sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
        self.seen["child"] = subprocess.Popen(sleeping, start_new_session=True).pid
        self._note()
        time.sleep(600)

    def _ask(self, method: str, **given: Any) -> None:  # noqa: ANN401
        self._send(id=f"ask {method}", method=method, params=given)
        self.seen[method] = json.loads(sys.stdin.readline())

    def _say(self, text: str) -> None:
        self._update("agent_message_chunk", content={"type": "text", "text": text})

    def _update(self, kind: str, **update: Any) -> None:  # noqa: ANN401
        given = {"sessionId": "s", "update": {"sessionUpdate": kind, **update}}
        self._send(method="session/update", params=given)

    def _send(self, **message: Any) -> None:  # noqa: ANN401
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()

    def _note(self) -> None:
        part = self.folder / "seen.part"
        part.write_text(json.dumps(self.seen))
        part.replace(self.folder / "seen.json")


if __name__ == "__main__":
    _Agent(Path(sys.argv[1])).run()
