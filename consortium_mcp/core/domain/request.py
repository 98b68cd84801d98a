"""A request as the user wrote it, before models and saved consortiums are looked up.

`ConsortiumSettings` is the single description of a consortium's settings. The tools' schemas, the
options of `llm consortium` and `llm -m NAME`, the Python arguments and docs/settings.md are all
generated from it. It states the bounds; `ConsortiumConfig` checks them and says what to change.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 (the annotations are read below)
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import Field

from consortium_mcp.core.domain.consortium import (
    MAX_ITERATIONS,
    ConsortiumConfig,
    OnUnsupported,
    Sampling,
    TemplateUse,
    Tier,
)
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.core.domain.run import Turn
    from consortium_mcp.core.reports.report import RunReport


class MemberSpec(Value):
    """A member with settings of its own."""

    model: str
    """`model` or `model:count`."""
    system: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    tier: Tier | None = None
    role: str | None = None
    """For the strategy `roles`: the name of a role, or your own instructions."""


MAX_TOKENS_MEANINGS = (
    "max_tokens may mean two things: max_total_tokens=50000 limits the whole run, in and out; the "
    "length of one answer is an option of a member, as in "
    'models=[{"model": "gpt-4o", "options": {"max_tokens": 500}}].'
)
"""What `max_tokens` is answered with: elsewhere it is the length of an answer."""

_SHARE = {"minimum": 0, "maximum": 1}
_ITERATIONS = {"minimum": 1, "maximum": MAX_ITERATIONS}
_SECONDS = {"minimum": 0}
_COUNT = {"minimum": 1}
_SENT_AS = {"type": "string"}
"""What clients are told of a text that may be an object: the list of tools is paid for all day."""


def _described(text: str, bounds: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 (pydantic's)
    return Field(description=text, json_schema_extra=bounds)


@dataclass(frozen=True)
class ConsortiumSettings:
    """What the user chose; `None` leaves a setting to the saved consortium or to the default."""

    models: Annotated[
        Sequence[str | MemberSpec] | None,
        _described(
            "Who answers: 'model', 'model:count' (gpt-4o:2 asks two), a saved consortium, or an "
            "object with settings of its own."
        ),
    ] = None
    arbiter: Annotated[
        str | None,
        _described("The model that judges; best not a member. Default: the first member."),
    ] = None
    arbiters: Annotated[Sequence[str] | None, _described("Asked if the arbiter fails.")] = None
    arbiter_options: Annotated[
        dict[str, Any] | None, _described("Model options for whoever judges.")
    ] = None
    strategy: Annotated[str | None, _described("How the answers become a verdict.")] = None
    sampling: Annotated[
        str | None,
        _described(
            "full asks all; adaptive three, then the rest; thrifty two at a time, smart the "
            "weightiest first, until one answer leads by two votes.",
            {"enum": [*get_args(Sampling)]},
        ),
    ] = None
    escalate_to: Annotated[
        str | None, _described("A stronger model, asked if the first answers differ.")
    ] = None
    system: Annotated[str | None, _described("System prompt for every member.")] = None
    criteria: Annotated[
        str | None, _described("What to judge and write by, such as 'in French; keep code whole'.")
    ] = None
    template: Annotated[
        str | TemplateUse | None,
        _described("A template for the prompt: its name or {name, params}.", _SENT_AS),
    ] = None
    confidence_threshold: Annotated[
        float | None, _described("Stop when confidence reaches this.", _SHARE)
    ] = None
    max_iterations: Annotated[int | None, _described("Iterations at most.", _ITERATIONS)] = None
    min_iterations: Annotated[int | None, _described("Iterations at least.", _ITERATIONS)] = None
    quorum: Annotated[
        float | None,
        _described(
            "Share of members whose answers suffice.",
            _SHARE,
        ),
    ] = None
    straggler_grace: Annotated[
        float | None,
        _described("Seconds to wait for the others after the quorum.", {"minimum": 0}),
    ] = None
    member_timeout: Annotated[
        float | None, _described("Seconds for one member's answer, retries included.", _SECONDS)
    ] = None
    arbiter_timeout: Annotated[
        float | None, _described("Seconds for one judgement, retries included.", _SECONDS)
    ] = None
    deadline_seconds: Annotated[
        float | None,
        _described("Seconds for the whole run.", _SECONDS),
    ] = None
    max_calls: Annotated[int | None, _described("Total calls, retries too.", _COUNT)] = None
    max_total_tokens: Annotated[int | None, _described("Total tokens, in and out.", _COUNT)] = None
    max_cost: Annotated[float | None, _described("US dollars, estimated.", {"minimum": 0})] = None
    tools: Annotated[
        Sequence[str] | None,
        _described(
            "Tools of llm that members may use, such as llm_time, and folder: list, read and "
            "search the folders of CONSORTIUM_FILES."
        ),
    ] = None
    on_unsupported: Annotated[
        str | None,
        _described(
            "A member that does not take an attachment is left out (skip), given its text (text), "
            "or the call is refused (fail). Default skip.",
            {"enum": [*get_args(OnUnsupported)]},
        ),
    ] = None
    reuse: Annotated[
        str | None, _described("Return a run that finished this recently: 1h, 7d.")
    ] = None
    schema: Annotated[dict[str, Any] | None, _described("JSON Schema of the answer.", _SENT_AS)] = (
        None
    )
    description: Annotated[str | None, _described("What the consortium is for.")] = None
    counts: Sequence[int] = ()
    """Counts given separately from the models; see `panel.member_syntax.with_counts`."""

    def given(self) -> dict[str, Any]:
        """The settings that were given, except those that name models."""
        named = {name: getattr(self, name) for name in SETTINGS if name not in _NAME_MODELS}
        return {
            _NAMES_OF_CONFIG.get(name, name): clean(value) if isinstance(value, str) else value
            for name, value in named.items()
            if value is not None
        }


_NAMES_OF_CONFIG = {"schema": "json_schema"}
"""Settings that `ConsortiumConfig` calls by another name: pydantic's classes have a `schema`."""
_NAME_MODELS = {"models", "arbiter", "arbiters", "escalate_to"}


class Setting(NamedTuple):
    """One setting, as front ends and the documentation present it."""

    name: str
    annotation: Any
    """Its type with pydantic's field information; allows `None`."""
    description: str
    bounds: dict[str, Any]
    """JSON Schema keywords: `minimum`, `exclusiveMinimum`, `maximum`, `enum`."""
    default: str | None
    """The default value, as the user would write it; `None` where there is none."""

    @property
    def plain(self) -> Any:  # noqa: ANN401 (a type)
        """Its bare type; allows `None`."""
        return get_args(self.annotation)[0]

    @property
    def type(self) -> type:
        """`str`, `int`, `float` or `dict`; `list` where it takes several values."""
        first = get_args(self.plain)[0]
        first = get_origin(first) or first
        return first if first in {str, int, float, dict} else list


def _setting(name: str, annotation: Any) -> Setting:  # noqa: ANN401 (a type)
    field = get_args(annotation)[1]
    resolved = ConsortiumConfig.model_fields.get(name)
    optional = resolved is not None and not resolved.is_required()
    default = resolved.get_default(call_default_factory=True) if resolved and optional else None
    written = f"{default:g}" if isinstance(default, float) else str(default)
    return Setting(
        name,
        annotation,
        field.description,
        field.json_schema_extra or {},
        written if default else None,
    )


_HINTS = get_type_hints(ConsortiumSettings, include_extras=True)
NOT_FOR_MODELS = ("tools",)
"""Settings that only the person at this machine may choose."""
SETTINGS = {
    f.name: _setting(f.name, _HINTS[f.name])
    for f in fields(ConsortiumSettings)
    if f.name != "counts"
}
"""By name, in the order in which they are presented."""


@dataclass(frozen=True)
class ConsultRequest:
    """One consultation, as the user requests it."""

    prompt: str
    consortium: str | None = None
    """A saved consortium to start from."""
    settings: ConsortiumSettings = ConsortiumSettings()
    """Changes to that consortium, or the whole configuration."""
    continue_run: str | None = None
    """The id of a finished run to continue: with its conversation, and its panel unless another is
    named."""
    history: Sequence[Turn] = ()
    """Earlier turns that belong to no run."""
    attachments: Sequence[Attachment] = ()
    """Files and web addresses that the question is about, read by the front end."""
    client: str | None = None
    """The program that asks; see `Run.client`."""
    join: bool = False
    """Join a run that works on the same question already, instead of beginning another: for callers
    that repeat a call whose answer they did not wait for."""

    def text(self) -> str:
        """The prompt, cleaned; perhaps empty, where a template brings what is asked.

        Raises:
            ConfigError: it is not a text.
        """
        if not isinstance(self.prompt, str):
            raise ConfigError(f"The prompt is {self.prompt!r}; it must be a text.")
        return clean(self.prompt)

    def checked_prompt(self) -> str:
        """The prompt, cleaned.

        Raises:
            ConfigError: it is not a text, or it is empty.
        """
        prompt = self.text()
        if not any(char.isprintable() and not char.isspace() for char in prompt):
            raise ConfigError("The prompt is empty. Write the question that you want answered.")
        return prompt


@dataclass(frozen=True)
class Consultation:
    """What a request came to: a run, and whether it was there before."""

    run_id: str
    joined: bool = False
    """It works for another call as well, which began it."""
    age_seconds: float | None = None
    """How long ago it had ended; `None` where it had not."""

    def told(self, report: RunReport) -> RunReport:
        """The run's report as the caller of this request gets it."""
        of_call = {"joined": self.joined, "age_seconds": self.age_seconds}
        return report.model_copy(update=of_call)


def checked_wait(seconds: float | None, default: float) -> float:
    """How long to wait, in seconds; check this before starting anything to wait for.

    Raises:
        ConfigError: the time is negative or not a number.
    """
    seconds = default if seconds is None else seconds
    if not seconds >= 0:
        raise ConfigError(f"wait_seconds is {seconds:g}; it must be 0 or more.")
    return seconds
