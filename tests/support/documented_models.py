"""A plugin for llm with the models that the documents name, faked; see `tests.test_commands`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import llm

from tests.support.fake_models import FakeAsync, FakeSync
from tests.support.fakes import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ANSWER = reply("yes", 0.9, "It should take the lock.")
INVOICE = {"vendor": "Example Ltd", "total": 12.5, "due": "2026-12-01"}
FINDINGS = {"verdict": "merge", "findings": []}


def _answer(prompt: llm.Prompt) -> str:
    """An object where the question brings its schema."""
    question = f"{prompt.system}\n{prompt.prompt}"
    if '"vendor"' in question:
        return json.dumps(INVOICE)
    return json.dumps(FINDINGS) if '"findings"' in question else ANSWER


class _Documented(FakeAsync):
    """Answers at once; or while there is a file `hold` in llm's folder, not at all."""

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        hold = anyio.Path(llm.user_dir()) / "hold"  # type: ignore[no-untyped-call]
        while await hold.exists():  # noqa: ASYNC110 (it is a file)
            await anyio.sleep(0.05)
        async for part in super().execute(prompt, stream, response, conversation):
            yield part


@llm.hookimpl(trylast=True)  # after llm's own, whose names these have
def register_models(register: Callable[..., None], model_aliases: Any) -> None:  # noqa: ANN401, ARG001
    """As the provider's plugins name them."""
    for name, alias in (
        ("gpt-4o", "4o"),
        ("anthropic/claude-opus-5", "claude-opus-5"),
        ("gemini/gemini-3.5-flash", "gemini-3.5-flash"),
    ):
        fakes = FakeSync(name, _answer), _Documented(name, _answer)
        for fake in fakes:
            fake.attachment_types = {"image/png", "application/pdf"}
            fake.supports_tools = True
        register(*fakes, aliases=(alias,))
