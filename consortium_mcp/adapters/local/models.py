"""The local demo members as llm models. Imported only where the extra `local` is installed."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import llm

from consortium_mcp.adapters import settings
from consortium_mcp.adapters.local import members
from consortium_mcp.adapters.local.engine import CompletionSession, LocalEngine, LocalModelError
from consortium_mcp.adapters.local.weights import weights_are_there, weights_file

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

MAX_JSON_TOKENS = 256


@cache
def _engine(weights: Path) -> LocalEngine:
    """One engine for each file: two models with the same weights share it."""
    return LocalEngine(weights)


class _DemoBase:
    """What the sync and the async model have in common."""

    can_stream = False
    supports_schema = True
    consortium_demo = True
    """Read by the registry: the model is too small to weigh arguments."""

    def __init__(
        self, model_id: str, answer: Callable[[CompletionSession, str], tuple[str, str | None]]
    ) -> None:
        self.model_id = model_id
        self._answer = answer

    def consortium_missing(self) -> str | None:
        """Read by the registry: why the model cannot be called yet; `None` when it is ready."""
        if weights_are_there(settings.from_environment().local_models):
            return None
        return "its weights are not here yet: run `consortium-mcp setup-local`"

    def _reply(self, prompt: llm.Prompt, response: llm.Response | llm.AsyncResponse) -> str:
        session = CompletionSession(_engine(weights_file(settings.from_environment().local_models)))
        try:
            return self._reply_text(prompt, session)
        except LocalModelError as error:
            raise llm.ModelError(str(error)) from error
        finally:
            response.set_usage(input=session.input_tokens, output=session.output_tokens)

    def _reply_text(self, prompt: llm.Prompt, session: CompletionSession) -> str:
        if prompt.schema is not None:
            return _by_schema(session, prompt.prompt, _as_dict(prompt.schema))
        text, short = self._answer(session, prompt.prompt)
        # The model cannot follow the instruction to tag its answer, so this adds the tag.
        if short and "<final_answer>" in (prompt.system or ""):
            return f"{text}\n<final_answer>{short}</final_answer>"
        return text


class DemoModel(_DemoBase, llm.Model):
    """A demo member, sync."""

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002
    ) -> Iterator[str]:
        """Answer with our own system prompt: the model is too small to follow another."""
        yield self._reply(prompt, response)


class AsyncDemoModel(_DemoBase, llm.AsyncModel):
    """A demo member, async: the sync code in a thread."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,  # noqa: ARG002
    ) -> AsyncGenerator[str, None]:
        """Answer; see `DemoModel.execute`."""
        yield await anyio.to_thread.run_sync(self._reply, prompt, response, abandon_on_cancel=True)


def demo_models() -> list[tuple[DemoModel, AsyncDemoModel]]:
    """The two members, each sync and async."""
    kinds = zip(members.MEMBERS, (members.chat, members.few_shot), strict=True)
    return [(DemoModel(name, answer), AsyncDemoModel(name, answer)) for name, answer in kinds]


def _by_schema(session: CompletionSession, question: str, schema: dict[str, Any]) -> str:
    """A reply that follows the schema; a single choice is made as suits a small model."""
    fields = schema.get("properties", {})
    if len(fields) == 1:
        (name, field), *_ = fields.items()
        choices = field.get("enum")
        if choices and all(isinstance(choice, str) for choice in choices):
            return json.dumps({name: members.choose(session, question, choices)})
    messages = [{"role": "user", "content": question}]
    return session.chat(messages, max_tokens=MAX_JSON_TOKENS, schema=schema)


def _as_dict(schema: Any) -> dict[str, Any]:  # noqa: ANN401 (a dict or a pydantic class)
    found: dict[str, Any] = schema if isinstance(schema, dict) else schema.model_json_schema()
    return found
