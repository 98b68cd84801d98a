"""The real server with fake models behind llm: what the acceptance tests launch as a child."""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""

import json
import re
import time
from typing import TYPE_CHECKING

import anyio
import llm
from llm.plugins import pm

from consortium_mcp.frontends.cli.main import main
from tests.support.fake_models import FakeAsync, FakePlugin, FakeSync, models
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Late(FakeAsync):
    """Agrees, after so many seconds."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        async for _ in super().execute(prompt, stream, response, conversation):
            yield reply("42", 0.8)


class Held(FakeAsync):
    """Agrees as soon as the test has made the file `release` in llm's folder."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        release = anyio.Path(llm.user_dir()) / "release"  # type: ignore[no-untyped-call]
        while not await release.exists():  # noqa: ASYNC110 (it is a file)
            await anyio.sleep(0.05)
        async for _ in super().execute(prompt, stream, response, conversation):
            yield reply("42", 0.8)


def pieces_of_verdict(prompt: llm.Prompt) -> list[str]:
    """An arbiter's thinking, and a verdict as far as the middle of its synthesis."""
    code = re.findall(r'<verdict code="([^"]+)">', str(prompt.prompt))[-1]
    return [
        f'<think>First <verdict code="{code}"><synthesis>a draft</synthesis></verdict></think>',
        f'<verdict code="{code}">',
        "<synthesis>The beginning ",
        "of it. <",
    ]


LAST_PIECE = "/synthesis><final_answer>42</final_answer><support>A, B</support></verdict>"


class Writes(FakeAsync):
    """An arbiter that stops within its synthesis until the file `release` is in llm's folder."""

    can_stream = True

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001, ARG002
        for piece in pieces_of_verdict(prompt):
            yield piece
        release = anyio.Path(llm.user_dir()) / "release"  # type: ignore[no-untyped-call]
        while not await release.exists():  # noqa: ASYNC110 (it is a file)
            await anyio.sleep(0.05)
        yield LAST_PIECE


class WritesSync(FakeSync):
    """The same, for llm's sync models."""

    def execute(self, prompt, stream, response, conversation) -> Iterator[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001, ARG002
        yield from pieces_of_verdict(prompt)
        while not (llm.user_dir() / "release").exists():  # type: ignore[no-untyped-call]
            time.sleep(0.05)
        yield LAST_PIECE


class InTurn(FakeAsync):
    """Agrees, the nth call as soon as the file `turns` in llm's folder has n bytes."""

    began = 0

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        self.began += 1
        turn, turns = self.began, anyio.Path(llm.user_dir()) / "turns"  # type: ignore[no-untyped-call]
        while not await turns.exists() or (await turns.stat()).st_size < turn:  # noqa: ASYNC110 (it is a file)
            await anyio.sleep(0.05)
        async for _ in super().execute(prompt, stream, response, conversation):
            yield reply("42", 0.8)


class Blocking(FakeAsync):
    """Agrees after blocking its loop, as a plugin that uses `requests` does."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        time.sleep(8)  # noqa: ASYNC251 (the fault that is faked)
        async for _ in super().execute(prompt, stream, response, conversation):
            yield reply("42", 0.8)


INVOICE = {"vendor": "Acme", "total": 12.5, "lines": [{"item": "bolt", "n": 2}]}
WRONG_INVOICE = {"vendor": "Acme", "total": 125, "lines": [{"item": "bolt", "n": 2}]}


def chooses(prompt: llm.Prompt) -> str:
    """As an arbiter: the first value of each field, with the run's code."""
    code = re.findall(r"The code of this run is (\w+)", str(prompt.prompt))
    fields = re.findall(r"^F(\d+) is ", str(prompt.prompt), re.MULTILINE)
    chosen = [{"field": f"F{number}", "choice": "1", "text": ""} for number in fields]
    return json.dumps({"code": code[-1] if code else "", "fields": chosen})


FAKES = (
    FakeAsync("reads", json.dumps(INVOICE), supports_schema=True),
    FakeAsync("reads too", f"Here it is:\n```json\n{json.dumps(INVOICE)}\n```"),
    FakeAsync("misreads", json.dumps(WRONG_INVOICE)),
    FakeAsync("chooses", chooses),
    FakeAsync("sure", reply("42", 0.9)),
    FakeAsync("agrees", reply("42", 0.8)),
    FakeAsync("wrong", reply("41", 0.6)),
    FakeAsync("slow", 20.0),
    Late("a second", 1.0),
    Late("late", 2.0),
    Late("6 seconds", 6.0),
    Held("held", ""),
    InTurn("in turn", ""),
    Writes("writes", ""),
    WritesSync("writes too", ""),
    Late("30 seconds", 30.0),
    Late("70 seconds", 70.0),
    FakeSync("stuck", 60.0),
    FakeAsync("down", RuntimeError("the provider is down")),
    FakeAsync("judge", verdict(groups="", ranking="")),
    FakeAsync("judge-alone", verdict(support="A", groups="", ranking="")),
)

if __name__ == "__main__":
    pm.register(FakePlugin(models(*FAKES)), name="fake")
    pm.register(FakePlugin(models(Blocking("blocking", ""))), name="blocking")
    main()
