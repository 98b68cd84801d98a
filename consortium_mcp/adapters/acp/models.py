"""The user's other agents as models of llm: `acp/opencode`, `acp/copilot`."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import TYPE_CHECKING, Any

import llm

from consortium_mcp.adapters.acp.agents import Agent, agents_of
from consortium_mcp.adapters.agents.models import MOST_AT_ONCE, note_answer
from consortium_mcp.adapters.installation import how_to_add

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence


class _AgentBase:
    """What the sync and the async model have in common."""

    can_stream = False
    consortium_at_once = MOST_AT_ONCE

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.model_id = self.consortium_provider = f"acp/{agent.name}"

    def consortium_readiness(self, seconds: float) -> dict[str, str]:  # noqa: ARG002 (of the protocol)
        """Read by the registry: what is `missing`, or what is in `doubt`."""
        if importlib.util.find_spec("acp") is None:
            how = how_to_add("agent-client-protocol")
            return {"missing": f"the package agent-client-protocol is missing: {how}"}
        if self.agent.path is None:
            return {"missing": f"the program {self.agent.command[0]} is not found"}
        return {"doubt": "whether somebody is signed in cannot be known before it is asked"}

    async def _answer(self, prompt: llm.Prompt, response: Any) -> str:  # noqa: ANN401
        # Late: the library takes a while, and is there only with the extra `acp`.
        from consortium_mcp.adapters.acp.asking import ask  # noqa: PLC0415

        answer = await ask(self.agent, prompt.prompt, prompt.system)
        note_answer(response, answer)
        return answer.text


class AcpModel(_AgentBase, llm.Model):
    """An agent, sync."""

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002
    ) -> Iterator[str]:
        """Ask it in a process of its own."""
        yield asyncio.run(self._answer(prompt, response))


class AsyncAcpModel(_AgentBase, llm.AsyncModel):
    """An agent, async."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,  # noqa: ARG002
    ) -> AsyncGenerator[str, None]:
        """Ask it in a process of its own."""
        yield await self._answer(prompt, response)


def acp_models(commands: Sequence[str]) -> list[tuple[AcpModel, AsyncAcpModel]]:
    """The agents that these commands start."""
    return [(AcpModel(agent), AsyncAcpModel(agent)) for agent in agents_of(commands)]
