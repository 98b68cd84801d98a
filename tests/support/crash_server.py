"""The real server with members that note every call, and that kills itself at a given moment.

`CALLS` names the file of notes: a line when a call begins and one when it is about to land.
`CRASH_AT` is `N+MS`: SIGKILL, so many milliseconds after the N-th line.
"""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from llm.plugins import pm

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.frontends.mcp.server import serve
from tests.support.fake_models import FakeAsync, FakePlugin, models
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskGroup

    from consortium_mcp.services.service import Service

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows either terminates at once


def note(line: str) -> None:
    """Write a line, and crash if it is the one."""
    calls = Path(os.environ["CALLS"])
    with calls.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    number, _, milliseconds = os.environ.get("CRASH_AT", "0+0").partition("+")
    if len(calls.read_text(encoding="utf-8").splitlines()) == int(number):
        threading.Thread(target=crash, args=[int(milliseconds) / 1000], daemon=True).start()


def crash(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), KILL)


class Noting(FakeAsync):
    """Takes `seconds` and notes when it begins and when it lands."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        note(f"begin {self.model_id}")
        await anyio.sleep(self.seconds)  # type: ignore[attr-defined]
        async for text in super().execute(prompt, stream, response, conversation):
            note(f"land {self.model_id}")
            yield text


def changes_its_mind(prompt: Any) -> str:  # noqa: ANN401
    """Says 41 until it has seen the synthesis."""
    return reply("42", 0.7) if "It is 42." in prompt.prompt else reply("41", 0.6)


FAKES = (
    Noting("one", reply("42", 0.9), seconds=0.02),
    Noting("two", changes_its_mind, seconds=0.03),
    Noting("three", reply("42", 0.5), seconds=0.04),
    Noting(
        "judge",
        verdict(support="A, B, C", groups="", ranking="", needs_iteration="true"),
        seconds=0.02,
    ),
)


def make(group: TaskGroup) -> Service:
    from consortium_mcp.services.assembly import assemble  # noqa: PLC0415 (as the real one does)

    # The same labels in every run, so that two reports can be compared word for word.
    return assemble(from_environment(), group, new_seed=lambda: "the same")


if __name__ == "__main__":
    pm.register(FakePlugin(models(*FAKES)), name="fake")
    serve(from_environment(), make)
