"""Consortium settings as options of `llm consortium` and of `llm -m NAME -o`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from consortium_mcp.core.domain.consortium import TemplateUse
from consortium_mcp.core.domain.request import (
    MAX_TOKENS_MEANINGS,
    SETTINGS,
    ConsortiumSettings,
    MemberSpec,
)
from consortium_mcp.frontends.terminal import completion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[..., None]

COMMAND_OPTIONS = (
    "arbiter", "arbiter_options", "strategy", "sampling", "escalate_to", "system", "criteria",
    "confidence_threshold", "max_iterations", "min_iterations", "quorum", "member_timeout",
    "arbiter_timeout", "deadline_seconds", "max_calls", "max_total_tokens", "max_cost",
    "on_unsupported", "reuse",
)  # fmt: skip
MODEL_OPTIONS = (
    "max_iterations", "min_iterations", "confidence_threshold", "strategy", "sampling", "arbiter",
    "criteria", "escalate_to", "quorum", "max_calls", "max_total_tokens", "max_cost",
    "deadline_seconds", "on_unsupported", "reuse",
)  # fmt: skip
"""Settings that `llm -m NAME -o` may override."""

_FLAGS = {"system": ("-s", "--system"), "deadline_seconds": ("--deadline",)}
_MEMBERS = (
    click.option(
        "-m",
        "--model",
        "--m",
        "models",
        multiple=True,
        metavar="MODEL",
        shell_complete=completion.models,
        help="A member: model, model:count, a saved consortium, or a JSON object with model and "
        "system, options, tier or role. Repeatable.",
    ),
    click.option(
        "-n",
        "--count",
        "counts",
        multiple=True,
        type=int,
        help="How many of a model: one for each -m in order, or a single one for all.",
    ),
)

_TEMPLATES = (
    click.option(
        "-t",
        "--template",
        "templates",
        multiple=True,
        metavar="NAME",
        help="A template that the prompt goes into, as of `llm -t`. Repeatable.",
    ),
    click.option(
        "-p",
        "--param",
        "params",
        multiple=True,
        nargs=2,
        metavar="NAME VALUE",
        help="A parameter of the template. Repeatable.",
    ),
)


def _no_max_tokens(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.UsageError(MAX_TOKENS_MEANINGS)


_MAX_TOKENS = click.option("--max-tokens", hidden=True, expose_value=False, callback=_no_max_tokens)


def panel_options(command: Command) -> Command:
    """Add the options that `run` and `save` share."""
    options: list[Callable[[Command], Command]] = [
        *_MEMBERS,
        *map(_option, COMMAND_OPTIONS),
        _TOOLS,
        *_TEMPLATES,
        *_SCHEMAS,
        _MAX_TOKENS,
    ]
    for option in reversed(options):
        command = option(command)
    return command


_TOOLS = click.option(
    "-T",
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME",
    help="A tool that members may use: one of llm's, or folder. Repeatable.",
)


_SCHEMAS = (
    click.option(
        "--schema",
        metavar="SCHEMA",
        help="The answer is an object, agreed field by field: JSON Schema, llm's short form "
        "(name, age int), a path, or a schema saved in llm.",
    ),
    click.option("--schema-multi", metavar="SCHEMA", help="The same, for a list of such objects."),
)


def _option(name: str) -> Callable[[Command], Command]:
    flags = _FLAGS.get(name, (f"--{name.replace('_', '-')}",))
    if SETTINGS[name].type is dict:
        return click.option(*flags, name, type=_json_object, metavar="JSON", help=help_text(name))
    return click.option(
        *flags,
        name,
        type=SETTINGS[name].type,
        help=help_text(name),
        shell_complete=completion.COMPLETERS.get(name),
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_meant(text))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise click.UsageError(f"{text} is not a JSON object. Write one like {_OPTIONS}.")
    return found


_OPTIONS = '{"temperature": 0}'


def help_text(name: str) -> str:
    """The help text of a setting: description, bounds and default."""
    setting = SETTINGS[name]
    low, high = setting.bounds.get("minimum"), setting.bounds.get("maximum")
    bounds = "" if low is None or high is None else f" {low} to {high}."
    choice = " See `llm consortium strategies`." if name == "strategy" else ""
    default = "" if setting.default is None else f"  [default: {setting.default}]"
    return f"{setting.description}{bounds}{choice}{default}"


def settings_of(options: dict[str, Any]) -> ConsortiumSettings:
    """The settings from a command's options; those not given are `None`.

    Raises:
        UsageError: a member's JSON is invalid.
        ClickException: a text is in an encoding that nobody can tell.
    """
    models = [_member(_meant(text)) for text in options.pop("models")]
    template = _template(options.pop("templates"), options.pop("params"))
    given = {
        name: _meant(each) if isinstance(each, str) else each for name, each in options.items()
    }
    tools = [_meant(each) for each in given.pop("tools")]
    one, several = given.pop("schema"), given.pop("schema_multi")
    if one and several:
        raise click.UsageError("Give either --schema or --schema-multi.")
    schema = _schema(one or several, multi=several is not None)
    return ConsortiumSettings(
        models=models or None,
        counts=given.pop("counts"),
        template=template,
        tools=tools or None,
        schema=schema,
        **given,
    )


def _schema(given: str | None, *, multi: bool) -> dict[str, Any] | None:
    if given is None:
        return None
    from consortium_mcp.adapters.schemas import schema_of  # noqa: PLC0415 (only when needed)
    from consortium_mcp.frontends.text.command_errors import command_errors  # noqa: PLC0415

    with command_errors():
        return schema_of(given, multi=multi)


def _template(names: Sequence[str], params: Sequence[tuple[str, str]]) -> TemplateUse | None:
    if not names:
        if params:
            raise click.UsageError("-p gives a template its parameters: name the template with -t.")
        return None
    meant = {_meant(name): _meant(value) for name, value in params}
    name, *then = map(_meant, names)
    return TemplateUse(name=name, params=meant, then=tuple(then))


def _meant(value: Any) -> Any:  # noqa: ANN401 (an option's)
    """A text as it was meant, see `input_text`, which is imported only when needed; else as is."""
    from consortium_mcp.frontends.llm.input_text import argument_text  # noqa: PLC0415
    from consortium_mcp.frontends.text.command_errors import command_errors  # noqa: PLC0415

    with command_errors():
        return argument_text(value) if isinstance(value, str) else value


def _member(text: str) -> str | MemberSpec:
    if not text.lstrip().startswith("{"):
        return text
    try:
        return MemberSpec.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise click.UsageError(
            f"{text} is not a member: {'.'.join(map(str, first['loc']))} {first['msg']}. "
            f"Write {json.dumps(_EXAMPLE)}."
        ) from error


_EXAMPLE = {"model": "gpt-4o:2", "tier": "strong", "options": {"temperature": 0.2}}
