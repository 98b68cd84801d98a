"""Every saved consortium as a model of llm's: `llm -m NAME`, sync and async.

Imported wherever llm lists its models, so a consultation is loaded when one begins.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import llm
from pydantic import Field, create_model

from consortium_mcp.core.domain.request import SETTINGS
from consortium_mcp.core.domain.run import Turn
from consortium_mcp.frontends.llm.options import OF_A_MODEL, help_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterator

    from consortium_mcp.core.domain.report import RunReport


_FIELDS: Any = {
    name: (SETTINGS[name].plain, Field(default=None, description=help_text(name)))
    for name in OF_A_MODEL
}
ConsortiumOptions = create_model(
    "ConsortiumOptions",
    __base__=llm.Options,
    __doc__="What may differ from what is saved.",
    **_FIELDS,
)


class _Saved:
    """What the sync and the async model have in common."""

    can_stream = False
    consortium_saved = True
    """Read by the registry: ours are asked as consortiums, and not through llm."""

    def __init__(self, name: str) -> None:
        self.model_id = name

    def __str__(self) -> str:
        return f"Consortium: {self.model_id}"

    async def _consulted(
        self, prompt: llm.Prompt, response: llm.Response | llm.AsyncResponse
    ) -> str:
        from consortium_mcp.core.domain.errors import ConsortiumError  # noqa: PLC0415
        from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest  # noqa: PLC0415
        from consortium_mcp.frontends.one_shot import consult_once  # noqa: PLC0415
        from consortium_mcp.frontends.text.command_errors import LISTINGS  # noqa: PLC0415

        options = prompt.options.model_dump(exclude_none=True)
        settings = ConsortiumSettings(**options, system=_system(prompt))
        request = ConsultRequest(prompt.prompt, self.model_id, settings, history=_history(prompt))
        try:
            outcome = await consult_once(request)
            report = outcome.answered().report
        except ConsortiumError as error:
            raise llm.ModelError(error.told(LISTINGS)) from error
        response.set_usage(input=report.usage.input_tokens, output=report.usage.output_tokens)
        response.response_json = _for_llms_log(report)
        return report.synthesis or ""


class ConsortiumModel(_Saved, llm.Model):
    """A saved consortium, sync."""

    class Options(ConsortiumOptions):  # type: ignore[misc, valid-type]  # made above
        """What may differ from what is saved."""

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002 (the prompt holds what was said)
    ) -> Iterator[str]:
        """Consult, and give the synthesis."""
        yield _run(self._consulted(prompt, response))


class AsyncConsortiumModel(_Saved, llm.AsyncModel):
    """A saved consortium, async."""

    class Options(ConsortiumOptions):  # type: ignore[misc, valid-type]  # made above
        """What may differ from what is saved."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,  # noqa: ARG002 (the prompt holds what was said)
    ) -> AsyncGenerator[str, None]:
        """Consult, and give the synthesis."""
        yield await self._consulted(prompt, response)


def _run(consulting: Coroutine[Any, Any, str]) -> str:
    """Run it to its end; where an event loop runs already, in a thread with a loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(consulting)
    outcome: list[str | Exception] = []

    def work() -> None:
        try:
            outcome.append(asyncio.run(consulting))
        except Exception as error:  # noqa: BLE001 (raised again in the caller's thread)
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    [result] = outcome
    if isinstance(result, Exception):
        raise result
    return result


def _system(prompt: llm.Prompt) -> str | None:
    """The system prompt, also where it was given at the beginning of the conversation."""
    said = [_text(message) for message in prompt.messages if message.role == "system"]
    return prompt.system or (said[-1] if said else None) or None


def _text(message: Any) -> str:  # noqa: ANN401 (llm exports no type for it)
    return "\n".join(text for part in message.parts if (text := getattr(part, "text", "")))


def _history(prompt: llm.Prompt) -> list[Turn]:
    """What was asked and answered before, oldest first, as llm would send it to a model."""
    turns: list[Turn] = []
    asked = ""
    for message in prompt.messages:
        if message.role == "user":
            asked = _text(message)
        elif message.role == "assistant":
            turns.append(Turn(prompt=asked, synthesis=_text(message)))
    return turns


def _for_llms_log(report: RunReport) -> dict[str, Any]:
    """What llm's own log keeps beside the text."""
    return {
        "run_id": report.run_id,
        "status": report.status,
        "confidence": report.confidence,
        "warnings": report.warnings,
    }


def consortium_models(names: list[str]) -> list[tuple[ConsortiumModel, AsyncConsortiumModel]]:
    """One for each name, sync and async."""
    return [(ConsortiumModel(name), AsyncConsortiumModel(name)) for name in names]
