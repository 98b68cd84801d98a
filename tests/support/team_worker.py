"""A worker of a team in a process of its own, whose members stop where a test wants them to.

A prompt with `#N#` is answered up to its N-th moment: N times a call begins or is about to land.
Then its calls hang until the file `release` is in the folder of `CALLS`, the file of notes.
"""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

import logging
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import anyio
from llm.plugins import pm

from consortium_mcp.adapters.settings import from_environment
from consortium_mcp.services.workers.opening import run_worker
from tests.support.fake_models import FakeAsync, FakePlugin, models
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_MOMENT = re.compile(r"#(\d+)#")


class Noting(FakeAsync):
    """Notes when it begins and when it lands, as far as its run may get."""

    passed: ClassVar[Counter[str]] = Counter()

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        found = _MOMENT.search(str(prompt.prompt))
        if found is not None:
            await self._pass("begin", found[1])
        text = [each async for each in super().execute(prompt, stream, response, conversation)]
        if found is not None:
            await self._pass("land", found[1])
        yield "".join(text)

    async def _pass(self, what: str, moment: str) -> None:
        calls = Path(os.environ["CALLS"])
        released = anyio.Path(calls.parent / "release")
        while self.passed[moment] >= int(moment) and not await released.exists():  # noqa: ASYNC110 (a file)
            await anyio.sleep(0.05)
        self.passed[moment] += 1
        note(calls, f"{os.environ['REPLICA']} {what} {moment} {self.model_id}\n")


def note(calls: Path, line: str) -> None:
    with calls.open("a", encoding="utf-8") as file:
        file.write(line)


def fakes() -> Callable[..., None]:
    """The members `one`, `two` and `three`, and `judge`."""
    goes_on = verdict(support="A, B, C", groups="", ranking="", needs_iteration="true")
    members = [Noting(name, reply("42", 0.9)) for name in ("one", "two", "three")]
    return models(*members, Noting("judge", goes_on))


if __name__ == "__main__":
    logging.basicConfig(level="WARNING")
    pm.register(FakePlugin(fakes()), name="fake")
    grace = float(os.environ.get("GRACE", "20"))
    anyio.run(run_worker, from_environment(for_team=True), grace)
