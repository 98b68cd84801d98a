"""Saved consortiums as llm models: `llm -m NAME`, sync and async.

llm imports this file whenever it lists its models, so `consult_once` is imported only when needed.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any

import click
import llm
from pydantic import Field, create_model

from consortium_mcp.core.domain.request import SETTINGS
from consortium_mcp.core.domain.run import Turn
from consortium_mcp.frontends.llm.options import MODEL_OPTIONS, help_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.terminal.live import LiveRows
    from consortium_mcp.services.runs.progress import Progress


_FIELDS: Any = {
    name: (SETTINGS[name].plain, Field(default=None, description=help_text(name)))
    for name in MODEL_OPTIONS
}
ConsortiumOptions = create_model(
    "ConsortiumOptions",
    __base__=llm.Options,
    __doc__="What may differ from what is saved.",
    **_FIELDS,
)


class _AnyType(frozenset[str]):
    """Types that a member may take. llm checks before it asks; here the panel decides, later."""

    def __contains__(self, _type: object) -> bool:
        return True


_ATTACHMENT_TYPES = _AnyType(
    {"application/pdf", "audio/mpeg", "audio/wav", "image/jpeg", "image/png", "text/plain"}
)
"""Those that llm's lists show."""


class _Saved:
    """The common part of the sync and the async model."""

    can_stream = False
    consortium_saved = True
    """Read by the registry, which asks these models as consortiums and not through llm."""

    def __init__(self, name: str) -> None:
        self.model_id = name

    def __str__(self) -> str:
        return f"Consortium: {self.model_id}"

    async def _consult(
        self,
        prompt: llm.Prompt,
        response: llm.Response | llm.AsyncResponse,
        watched: _Watched,
    ) -> str:
        from consortium_mcp.core.domain.errors import ConsortiumError  # noqa: PLC0415
        from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest  # noqa: PLC0415
        from consortium_mcp.frontends.llm.attached import from_llm  # noqa: PLC0415
        from consortium_mcp.frontends.llm.input_text import argument_text  # noqa: PLC0415
        from consortium_mcp.frontends.one_shot import consult_once  # noqa: PLC0415
        from consortium_mcp.frontends.text.command_errors import LISTINGS  # noqa: PLC0415

        options = prompt.options.model_dump(exclude_none=True)
        try:
            system, asked = (argument_text(text or "") for text in (_system(prompt), prompt.prompt))
            settings = ConsortiumSettings(
                **options, system=system or None, schema=_schema_of(prompt)
            )
            request = ConsultRequest(
                asked,
                self.model_id,
                settings,
                history=_history(prompt),
                attachments=[from_llm(each) for each in _attachments(prompt)],
                client="llm",
            )
            outcome = await consult_once(
                request,
                on_progress=watched.lines,
                watch=watched.rows,
                listener=None if watched.rows is None else watched.rows.listen,
            )
            report = outcome.answered().report
        except ConsortiumError as error:
            raise llm.ModelError(error.told(LISTINGS)) from error
        response.set_usage(input=report.usage.input_tokens, output=report.usage.output_tokens)
        response.response_json = _for_llms_log(report)
        watched.tell(report)
        return report.synthesis or ""


class _Watched:
    """What stderr shows of a consultation while its synthesis is waited for; here nothing."""

    lines: Callable[[Progress], None] | None = None
    """Shows each step on a line of its own."""
    rows: LiveRows | None = None
    """Shows every member at once."""

    def tell(self, report: RunReport) -> None:
        """Say how sure the answer is."""


class _WatchedOnTerminal(_Watched):
    """The same where a person looks."""

    def __init__(self) -> None:
        from consortium_mcp.frontends.terminal.watching import live_rows, print_progress  # noqa: PLC0415

        self.rows = live_rows()
        self.lines = None if self.rows else print_progress

    def tell(self, report: RunReport) -> None:
        from consortium_mcp.frontends.terminal.watching import screen  # noqa: PLC0415

        if on := screen(sys.stderr):
            from consortium_mcp.frontends.terminal.reports import show_confidence  # noqa: PLC0415 (rich)

            show_confidence(on, report)


def _watched() -> _Watched:
    """For the command `llm` on a terminal; a program that uses llm's Python API prints itself.

    Called in the thread of the command: click knows it by that.
    """
    context = click.get_current_context(silent=True)
    command = None if context is None else context.find_root().command
    # llm's command imports its models, so it is here wherever it runs.
    is_llm = command is not None and command is getattr(sys.modules.get("llm.cli"), "cli", None)
    return _WatchedOnTerminal() if is_llm and sys.stderr.isatty() else _Watched()


class ConsortiumModel(_Saved, llm.Model):
    """A saved consortium, sync."""

    attachment_types = _ATTACHMENT_TYPES
    supports_schema = True

    class Options(ConsortiumOptions):  # type: ignore[misc, valid-type]  # made above
        """What may differ from what is saved."""

    def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.Response,
        conversation: llm.Conversation | None,  # noqa: ARG002 (the prompt holds the earlier turns)
    ) -> Iterator[str]:
        """Consult, and give the synthesis."""
        yield _run(self._consult(prompt, response, _watched()))


class AsyncConsortiumModel(_Saved, llm.AsyncModel):
    """A saved consortium, async."""

    attachment_types = _ATTACHMENT_TYPES
    supports_schema = True

    class Options(ConsortiumOptions):  # type: ignore[misc, valid-type]  # made above
        """What may differ from what is saved."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,  # noqa: ARG002, FBT001 (llm's signature)
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,  # noqa: ARG002 (the prompt holds the earlier turns)
    ) -> AsyncGenerator[str, None]:
        """Consult, and give the synthesis."""
        yield await self._consult(prompt, response, _watched())


def _run(coroutine: Coroutine[Any, Any, str]) -> str:
    """Run a coroutine; if an event loop runs already, in a thread with its own loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    outcome: list[str | Exception] = []

    def work() -> None:
        try:
            outcome.append(asyncio.run(coroutine))
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
    """The prompt's own system prompt, or else the last one in the conversation."""
    texts = [_text(message) for message in prompt.messages if message.role == "system"]
    return prompt.system or (texts[-1] if texts else None) or None


def _text(message: Any) -> str:  # noqa: ANN401 (llm exports no type for it)
    return "\n".join(text for part in message.parts if (text := getattr(part, "text", "")))


def _history(prompt: llm.Prompt) -> list[Turn]:
    """The earlier turns of the conversation, oldest first, as llm would send them to a model."""
    turns: list[Turn] = []
    asked = ""
    for message in prompt.messages:
        if message.role == "user":
            asked = _text(message)
        elif message.role == "assistant":
            turns.append(Turn(prompt=asked, synthesis=_text(message)))
    return turns


def _schema_of(prompt: llm.Prompt) -> dict[str, Any] | None:
    """The JSON Schema that the prompt wants an answer of; llm gives it as a dict or a class."""
    from consortium_mcp.adapters.schemas import schema_of  # noqa: PLC0415 (only where one is given)

    return None if prompt.schema is None else schema_of(prompt.schema)


def _attachments(prompt: llm.Prompt) -> list[llm.Attachment]:
    """What is attached to this turn and to those before."""
    earlier = [
        attachment
        for message in prompt.messages
        for part in message.parts
        if (attachment := getattr(part, "attachment", None)) is not None
    ]
    return [*{each.id(): each for each in (*earlier, *prompt.attachments)}.values()]


def _for_llms_log(report: RunReport) -> dict[str, Any]:
    """The data that llm's own log stores with the text."""
    return {
        "run_id": report.run_id,
        "status": report.status,
        "confidence": report.confidence,
        "warnings": report.warnings,
    }


def consortium_models(names: list[str]) -> list[tuple[ConsortiumModel, AsyncConsortiumModel]]:
    """The sync and the async model for each name."""
    return [(ConsortiumModel(name), AsyncConsortiumModel(name)) for name in names]
