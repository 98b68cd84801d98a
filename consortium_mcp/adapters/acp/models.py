"""The user's other agents as models of llm: `acp/opencode`, `acp/copilot`."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from consortium_mcp.adapters.acp.agents import Agent, agents_of
from consortium_mcp.adapters.agents.process_models import (
    Answering,
    AsyncProcessModel,
    ProcessModel,
)
from consortium_mcp.adapters.installation import how_to_add

if TYPE_CHECKING:
    from collections.abc import Sequence

    import llm

    from consortium_mcp.adapters.agents.programs import Answer


class _AgentBase(Answering):
    """What the sync and the async model have in common."""

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

    async def ask(self, prompt: llm.Prompt) -> Answer:
        """See `process_models`."""
        # Late: the library takes a while, and is there only with the extra `acp`.
        from consortium_mcp.adapters.acp.asking import ask  # noqa: PLC0415

        return await ask(self.agent, prompt.prompt, prompt.system)


class AcpModel(_AgentBase, ProcessModel):
    """An agent, sync."""


class AsyncAcpModel(_AgentBase, AsyncProcessModel):
    """An agent, async."""


def acp_models(commands: Sequence[str]) -> list[tuple[AcpModel, AsyncAcpModel]]:
    """The agents that these commands start."""
    return [(AcpModel(agent), AsyncAcpModel(agent)) for agent in agents_of(commands)]
