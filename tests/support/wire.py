"""A server as a child, spoken to line by line: for what the SDK's client would hide."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Self, cast

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

REAL_SERVER = [sys.executable, "-m", "consortium_mcp"]
FAKE_SERVER = [sys.executable, "-m", "tests.support.fake_server"]


class Wire:
    """One server and both ends of its wire.

    Args:
        environment: the child's.
        command: how it is started.
        terminal: give it a terminal of its own, so that Ctrl-C can be typed there.
    """

    def __init__(
        self,
        environment: dict[str, str],
        command: list[str] = FAKE_SERVER,
        *,
        terminal: bool = False,
    ) -> None:
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (see __exit__)
        self.terminal = -1
        setup: dict[str, Any] = {}
        if terminal:
            self.terminal, side = os.openpty()

            def take_terminal() -> None:
                import fcntl  # noqa: PLC0415 (POSIX only, as terminals are here)
                import termios  # noqa: PLC0415

                os.setsid()
                fcntl.ioctl(side, termios.TIOCSCTTY, 0)

            setup = {"preexec_fn": take_terminal}
        elif sys.platform == "win32":
            setup = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
            **setup,
        )
        if terminal:
            os.close(side)
        self.stdin = cast("IO[str]", self.process.stdin)
        self.stdout = cast("IO[str]", self.process.stdout)
        self._id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for end in (self.stdin, self.stdout):
            with suppress(BrokenPipeError):
                end.close()
        self._stderr.close()
        if self.terminal >= 0:
            os.close(self.terminal)

    def errors(self) -> str:
        """What the server has written to stderr."""
        self._stderr.seek(0)
        return self._stderr.read()

    def send(self, method: str, params: dict[str, Any]) -> int:
        """Send a request; its id."""
        self._id += 1
        self._write({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        return self._id

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def reply(self, request_id: str | int, result: dict[str, Any]) -> None:
        """Answer a request of the server's."""
        self._write({"jsonrpc": "2.0", "id": request_id, "result": result})

    def _write(self, message: dict[str, Any]) -> None:
        self.stdin.write(json.dumps(message) + "\n")
        self.stdin.flush()

    def answer(self, request_id: int) -> dict[str, Any]:
        """The answer to this request; every line before it must be JSON-RPC too."""
        while True:
            line = self.stdout.readline()
            assert line, f"the server hung up: {self.errors()}"
            message: dict[str, Any] = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == request_id:
                return message

    def initialization(self) -> str:
        params = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        return json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})

    def initialize(self) -> None:
        self._write(json.loads(self.initialization()))
        self.answer(0)
        self.notify("notifications/initialized", {})

    def call(self, tool: str, arguments: dict[str, Any]) -> int:
        """Call a tool; the request's id."""
        return self.send("tools/call", {"name": tool, "arguments": arguments})

    def tool(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool and wait for its result."""
        result: dict[str, Any] = self.answer(self.call(name, arguments))["result"]
        return result

    def until_full(self) -> None:
        """Wait until the server can write no more, for nobody reads what it says."""
        import fcntl  # noqa: PLC0415 (POSIX only, as the tests that use it)
        import termios  # noqa: PLC0415

        # How much a pipe holds depends on the sizes of what was written: it takes whole pages.
        deadline = time.monotonic() + 60
        waiting, since = -1, time.monotonic()
        while waiting < 1 or time.monotonic() - since < 1:
            assert time.monotonic() < deadline, f"the server still writes: {self.errors()}"
            size = fcntl.ioctl(self.stdout.fileno(), termios.FIONREAD, b"\0" * 4)
            before, waiting = waiting, int.from_bytes(size, sys.byteorder)
            if waiting != before:
                since = time.monotonic()
            time.sleep(0.02)

    def until_recorded(self, database: Path, *, exchanges: int) -> None:
        """Wait until so many exchanges are in the journal."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if database.exists():
                connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
                try:
                    [(found,)] = connection.execute("SELECT count(*) FROM exchanges").fetchall()
                except sqlite3.OperationalError:  # its tables are being made
                    found = 0
                finally:
                    connection.close()
                if found >= exchanges:
                    return
            time.sleep(0.02)
        raise AssertionError(f"no exchange was recorded: {self.errors()}")
