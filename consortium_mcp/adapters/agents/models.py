"""The agent programs as models of llm: `agent/claude`, `agent/codex`, `agent/gemini`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm
from pydantic import Field

from consortium_mcp.adapters.agents.asking import ask
from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.codex import Codex
from consortium_mcp.adapters.agents.environment import key_in_use
from consortium_mcp.adapters.agents.finding import find
from consortium_mcp.adapters.agents.gemini import Gemini
from consortium_mcp.adapters.agents.process_models import (
    Answering,
    AsyncProcessModel,
    ProcessModel,
)
from consortium_mcp.adapters.agents.sign_in import signed_in

if TYPE_CHECKING:
    from consortium_mcp.adapters.agents.programs import Answer, Program

PROGRAMS: tuple[Program, ...] = (Claude(), Codex(), Gemini())
_MODEL_OPTION = Field(description="One of the program's own models", default=None)


class _AgentBase(Answering):
    """What the sync and the async model have in common."""

    def __init__(self, program: Program, model: str | None = None) -> None:
        self.program = program
        self._model = model
        self.model_id = f"agent/{program.name}" + (f"/{model}" if model else "")
        self.supports_schema = program.knows_schemas
        self.consortium_provider = f"agent/{program.name}"
        """Read by the registry: each program counts as a provider of its own."""

    def consortium_readiness(self, seconds: float) -> dict[str, str]:
        """Read by the registry: what is `missing`, or what is in `doubt`; empty if it is ready."""
        others = [each for each in PROGRAMS if find(each.name, Path.home())]
        state = signed_in(self.program, seconds, others)
        if state == "yes":
            return {}
        if state == "no":
            return {"missing": f"nobody is signed in: {self.program.how_to_sign_in}"}
        return {"doubt": "whether somebody is signed in cannot be known before it is asked"}

    def consortium_note(self) -> str:
        """Read by the registry: by what it answers, for plans."""
        if (key := key_in_use(self.program)) is not None:
            return f"{self.model_id} answers by the API key in {key}, not by a subscription."
        return f"{self.model_id} answers by the subscription that is signed in."

    async def ask(self, prompt: llm.Prompt) -> Answer:
        """See `process_models`."""
        return await ask(
            self.program,
            prompt.prompt,
            system=prompt.system,
            schema=_as_dict(prompt.schema),
            model=getattr(prompt.options, "model", None) or self._model,
        )


class AgentModel(_AgentBase, ProcessModel):
    """An agent program, sync."""

    class Options(llm.Options):
        """What `-o` may set."""

        model: str | None = _MODEL_OPTION


class AsyncAgentModel(_AgentBase, AsyncProcessModel):
    """An agent program, async."""

    class Options(llm.Options):
        """What `-o` may set."""

        model: str | None = _MODEL_OPTION


def agent_models() -> list[tuple[AgentModel, AsyncAgentModel]]:
    """The programs that are found on this machine, each with its own models."""
    return [
        (AgentModel(program, model), AsyncAgentModel(program, model))
        for program in PROGRAMS
        if find(program.name, Path.home()) is not None
        for model in (None, *program.models)
    ]


def _as_dict(schema: Any) -> dict[str, Any] | None:  # noqa: ANN401 (a dict or a pydantic class)
    return schema if schema is None or isinstance(schema, dict) else schema.model_json_schema()
