"""The Python API: `create_consortium(...).orchestrate(prompt)`.

llm and the database are imported only with the first question, so `import consortium_mcp` costs
almost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence
    from os import PathLike

    from consortium_mcp.core.domain.attachment import Attachment, AttachmentSpec
    from consortium_mcp.core.domain.consortium import TemplateUse
    from consortium_mcp.core.domain.request import ConsortiumSettings, MemberSpec
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.one_shot import OnProgress

    Attached = str | PathLike[str] | AttachmentSpec | Mapping[str, Any]
    Template = str | TemplateUse | Mapping[str, Any]
    Members = str | MemberSpec | Mapping[str, Any] | Iterable[str | MemberSpec | Mapping[str, Any]]

T = TypeVar("T")


def create_consortium(
    models: Members | None = None,
    confidence_threshold: float | None = None,
    max_iterations: int | None = None,
    min_iterations: int | None = None,
    arbiter: str | None = None,
    *,
    raw: bool = False,
    system_prompt: str | None = None,
    consortium: str | None = None,
    **settings: Any,  # noqa: ANN401 (the fields of a consortium, by name)
) -> Consortium:
    """Create a consortium. Defaults are the same as in every other front end.

    Args:
        models: the members, each as `model`, `model:count`, a `MemberSpec` or a mapping with its
            fields; or a single one of these; or a text with commas between several; or a mapping of
            models to counts. Default: the members of `consortium`.
        confidence_threshold: see `ConsortiumSettings`, also for the next three.
        max_iterations: 1 to 20.
        min_iterations: 1 to 20, at most `max_iterations`.
        arbiter: the model that judges.
        raw: add the raw replies of the members and the arbiter to the result.
        system_prompt: the system prompt of every member; the setting `system`.
        consortium: the name of a saved consortium to start from.
        settings: any other field of `ConsortiumSettings`: `strategy`, `sampling`, `quorum`, …

    Raises:
        ConfigError: a setting is unknown (the message lists all), or a member is invalid.
    """
    from consortium_mcp.core.domain.request import ConsortiumSettings  # noqa: PLC0415

    if (name := "minimum_iterations") in settings:  # as llm-consortium spells it from 0.4 on
        min_iterations = settings.pop(name)
    _check_names(settings)
    if isinstance(arbiters := settings.get("arbiters"), str):
        settings["arbiters"] = _names(arbiters)
    if (template := settings.get("template")) is not None:
        settings["template"] = _template(template)
    if isinstance(counts := settings.get("counts"), int):
        settings["counts"] = [counts]
    if settings.get("schema") is not None:
        from consortium_mcp.adapters.schemas import schema_of  # noqa: PLC0415 (it imports llm)

        settings["schema"] = schema_of(settings["schema"])
    named = ConsortiumSettings(
        None if models is None else _members(models),
        arbiter=arbiter,
        system=system_prompt,
        confidence_threshold=confidence_threshold,
        max_iterations=max_iterations,
        min_iterations=min_iterations,
    )
    return Consortium(replace(named, **settings), consortium, raw=raw)


def _check_names(settings: Mapping[str, object]) -> None:
    from consortium_mcp.core.domain.errors import ConfigError  # noqa: PLC0415 (with what follows)
    from consortium_mcp.core.domain.request import MAX_TOKENS_MEANINGS, SETTINGS  # noqa: PLC0415

    if "max_tokens" in settings:
        raise ConfigError(MAX_TOKENS_MEANINGS)
    if unknown := settings.keys() - {*SETTINGS, "counts"}:
        raise ConfigError(
            f"No setting is called {', '.join(sorted(unknown))}. "
            f"There are: {', '.join(sorted(SETTINGS))}."
        )


def _members(models: Members) -> list[str | MemberSpec]:
    """The members, of which a single one may stand without a list.

    Raises:
        InvalidMember: these are no members.
    """
    from consortium_mcp.core.domain.errors import InvalidMember  # noqa: PLC0415 (with what follows)
    from consortium_mcp.core.domain.request import MemberSpec  # noqa: PLC0415

    if isinstance(models, str):  # a text is a sequence too, of letters
        return [*_names(models)]
    if isinstance(models, MemberSpec):
        return [models]
    if isinstance(models, Mapping):
        if isinstance(models.get("model"), str):
            return [_member(models)]
        return [f"{model}:{count}" for model, count in models.items()]
    try:
        return [_member(each) for each in models]
    except TypeError as error:
        raise InvalidMember(
            f'models is {models!r}; write a model\'s id, such as "gpt-4o", or a list of ids.'
        ) from error


def _template(template: Template) -> TemplateUse:
    """The template; a name or a mapping becomes a `TemplateUse`.

    Raises:
        ConfigError: it is neither.
    """
    from pydantic import ValidationError  # noqa: PLC0415 (with what follows)

    from consortium_mcp.core.domain.consortium import TemplateUse  # noqa: PLC0415
    from consortium_mcp.core.domain.errors import ConfigError  # noqa: PLC0415

    try:
        return TemplateUse.model_validate(template)
    except ValidationError as error:
        raise ConfigError(
            f"template is {template!r}; write a name, or "
            '{"name": "review_change", "params": {"focus": "security"}}.'
        ) from error


def _names(text: str) -> list[str]:
    """The names in a text with commas between them; an empty text is an empty name."""
    return [each.strip() for each in text.split(",")]


def _member(member: str | MemberSpec | Mapping[str, Any]) -> str | MemberSpec:
    """The member; a mapping, as the tools take it, becomes a `MemberSpec`.

    Raises:
        InvalidMember: the mapping is not a member.
    """
    from pydantic import ValidationError  # noqa: PLC0415 (with what follows)

    from consortium_mcp.core.domain.errors import InvalidMember  # noqa: PLC0415
    from consortium_mcp.core.domain.request import MemberSpec  # noqa: PLC0415

    if isinstance(member, (str, MemberSpec)):
        return member
    try:
        return MemberSpec.model_validate(member)
    except ValidationError as error:
        raise InvalidMember(f"{member!r} is not a member: {error.errors()[0]['msg']}.") from error


@dataclass(frozen=True)
class Consortium:
    """A panel and its settings. Every prompt is a separate run; no conversation is kept."""

    settings: ConsortiumSettings
    name: str | None = None
    """The saved consortium it starts from."""
    raw: bool = False

    def orchestrate(
        self,
        prompt: str,
        *,
        on_progress: OnProgress | None = None,
        history: Sequence[tuple[str, str]] = (),
        continue_run: str | None = None,
        attachments: Iterable[Attached] = (),
        template: Template | None = None,
    ) -> Result:
        """Ask the consortium and wait for the answer.

        Args:
            prompt: the question.
            on_progress: called with every answer and verdict.
            history: earlier (prompt, answer) pairs, oldest first.
            continue_run: the id of an ended run whose conversation to continue.
            attachments: what the prompt is about: each a path, a URL, an `AttachmentSpec`, or a
                mapping with its fields (one of `path`, `url`, `text` and `base64`; `type`, `name`).
            template: the name of a template of llm's that the prompt goes into, or a mapping with
                its `name` and `params`; instead of the consortium's own.

        Raises:
            ConfigError: the request is invalid, or an event loop is already running; no model was
                called.
            UnknownRun: the run to continue does not exist.
            RunError: no member answered.
        """
        consulting = self.aorchestrate(
            prompt,
            on_progress=on_progress,
            history=history,
            continue_run=continue_run,
            attachments=attachments,
            template=template,
        )
        return run_coroutine(consulting, "await consortium.aorchestrate(prompt)")

    async def aorchestrate(
        self,
        prompt: str,
        *,
        on_progress: OnProgress | None = None,
        history: Sequence[tuple[str, str]] = (),
        continue_run: str | None = None,
        attachments: Iterable[Attached] = (),
        template: Template | None = None,
    ) -> Result:
        """`orchestrate` for async code; arguments and errors are the same."""
        from consortium_mcp.core.domain.request import ConsultRequest  # noqa: PLC0415
        from consortium_mcp.frontends.one_shot import consult_once, turns_of  # noqa: PLC0415

        settings = self.settings
        if template is not None:
            settings = replace(settings, template=_template(template))
        request = ConsultRequest(
            prompt,
            self.name,
            settings,
            continue_run,
            turns_of(history),
            await _read(attachments),
            client="python",
        )
        outcome = (await consult_once(request, on_progress=on_progress)).answered()
        return Result(outcome.report, outcome.exchanges if self.raw else ())

    def save(self, name: str, *, overwrite: bool = False) -> list[str]:
        """Save it under a name, for every front end and for `llm -m NAME`.

        Args:
            name: letters, digits, dots, hyphens and underscores.
            overwrite: replace another one of this name.

        Returns:
            Warnings, such as a missing key.

        Raises:
            ConfigError: the name or the configuration is invalid, or a different consortium has
                this name; the message says how it differs.
        """
        return run_coroutine(self.asave(name, overwrite=overwrite), "await consortium.asave(name)")

    async def asave(self, name: str, *, overwrite: bool = False) -> list[str]:
        """`save` for async code; arguments and errors are the same."""
        from consortium_mcp.adapters.settings import from_environment  # noqa: PLC0415
        from consortium_mcp.services.assembly import open_service  # noqa: PLC0415

        async with open_service(from_environment(), any_template=True) as service:
            resolved = await service.consortiums.save(
                name, self.settings, clone=self.name, overwrite=overwrite
            )
        return list(resolved.warnings)


async def _read(attachments: Iterable[Attached]) -> tuple[Attachment, ...]:
    """The attachments with their content, read in a thread.

    Raises:
        ConfigError: one cannot be read.
    """
    specs = [_spec(each) for each in attachments]
    if not specs:
        return ()
    import anyio.to_thread  # noqa: PLC0415 (with what follows)

    from consortium_mcp.adapters.files.attachments import read_attachments  # noqa: PLC0415

    return await anyio.to_thread.run_sync(read_attachments, specs, None)


def _spec(attachment: Attached) -> str | AttachmentSpec:
    from pydantic import ValidationError  # noqa: PLC0415 (with what follows)

    from consortium_mcp.core.domain.attachment import AttachmentSpec  # noqa: PLC0415
    from consortium_mcp.core.domain.errors import ConfigError  # noqa: PLC0415

    if isinstance(attachment, AttachmentSpec):
        return attachment
    if not isinstance(attachment, Mapping):
        return str(attachment)
    try:
        return AttachmentSpec.model_validate(attachment)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise ConfigError(f"{attachment!r} is not an attachment: {why}.") from error


def run_coroutine(call: Coroutine[Any, Any, T], instead: str) -> T:
    """Run the coroutine; `instead` is what to write if an event loop is running.

    Raises:
        ConfigError: an event loop is running.
    """
    import asyncio  # noqa: PLC0415 (20 ms that every `llm` command would pay)

    from consortium_mcp.core.domain.errors import ConfigError  # noqa: PLC0415

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(call)
    call.close()
    raise ConfigError(
        f"An event loop is running here (a notebook, or async code). Write `{instead}`."
    )


class Result(dict[str, Any]):
    """The result of a prompt: a dictionary with llm-consortium's keys, and the typed report.

    Args:
        report: the report of the run.
        exchanges: every call, where the raw replies are wanted.
    """

    def __init__(self, report: RunReport, exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(_as_mapping(report, exchanges))
        self.report = report
        self.exchanges = tuple(exchanges)


def _as_mapping(report: RunReport, exchanges: Sequence[Exchange]) -> dict[str, Any]:
    parts = report.confidence_parts
    replies = {e.label: e.reply for e in exchanges if e.iteration == report.reported_iteration}
    verdicts = [e.reply for e in exchanges if e.role == "arbiter" and e.reply is not None]
    responses = [
        {
            "model": member.model,
            "label": member.label,
            "answer": member.final_answer,
            "confidence": member.stated_confidence,
            "supports": member.supports,
            "error": member.error,
            "response": replies.get(member.label),
        }
        for member in report.members
    ]
    return {
        "original_prompt": report.prompt,
        "model_responses": responses,
        "synthesis": {
            "synthesis": report.synthesis,
            "final_answer": report.final_answer,
            "confidence": report.confidence,
            "analysis": parts.method if parts else None,
            "dissent": "\n".join(side.argument for side in report.dissent),
            "needs_iteration": False,
            "refinement_areas": report.refinements,
            "raw_arbiter_response": verdicts[-1] if verdicts else None,
        },
        "metadata": {
            "run_id": report.run_id,
            "status": report.status,
            "models_used": {member.label: member.model for member in report.members},
            "arbiter": report.arbiter,
            "iteration_count": report.iterations,
            "timestamp": report.created_at,
        },
    }
