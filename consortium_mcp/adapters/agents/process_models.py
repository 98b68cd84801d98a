"""The two classes of llm's for models each of whose answers is a process of its own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import llm

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from consortium_mcp.adapters.agents.programs import Answer

MOST_AT_ONCE = 2
"""Processes of one program: each takes 200 to 500 MB."""


class Answering(ABC):
    """What both have in common; a subclass says how it answers."""

    can_stream = False
    consortium_at_once = MOST_AT_ONCE
    """Read by the registry: how many calls may run at the same time."""

    @abstractmethod
    async def ask(self, prompt: llm.Prompt) -> Answer:
        """The answer to the prompt, by a process that has ended when this returns."""

    async def _answer(self, prompt: llm.Prompt, response: Any) -> str:  # noqa: ANN401 (llm's two classes)
        """The answer's text; what else is known of it is kept on llm's response."""
        answer = await self.ask(prompt)
        response.set_usage(input=answer.input_tokens, output=answer.output_tokens)
        known = {"cost_usd": answer.cost_usd, "finish_reason": "length" if answer.is_cut else None}
        response.response_json = {name: each for name, each in known.items() if each is not None}
        return answer.text


class ProcessModel(Answering, llm.Model):
    """A sync one."""

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002
    ) -> Iterator[str]:
        """Ask it in a process of its own."""
        yield asyncio.run(self._answer(prompt, response))


class AsyncProcessModel(Answering, llm.AsyncModel):
    """An async one."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,  # noqa: ARG002
    ) -> AsyncGenerator[str, None]:
        """Ask it in a process of its own."""
        yield await self._answer(prompt, response)
