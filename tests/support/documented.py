"""What the documents quote of the software itself: commands, tools, reports."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner
from mcp import Client

from consortium_mcp.core.domain.request import SETTINGS
from consortium_mcp.core.domain.verdict import (
    Ballot,
    Check,
    ConfidenceParts,
    Dissent,
    Objection,
    PeerReview,
    RankedAnswer,
)
from consortium_mcp.core.records.run_summary import RunSummary
from consortium_mcp.core.reports.report import MemberReport, Plan, RunReport, Usage
from consortium_mcp.frontends.cli.main import main
from consortium_mcp.frontends.llm.commands import consortium
from consortium_mcp.frontends.mcp.server import make_server
from consortium_mcp.frontends.mcp.tools.outputs import FullReport, ModelInfo
from consortium_mcp.frontends.text.pages import Entry, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp_types import Prompt, Tool
    from pydantic import BaseModel

    from consortium_mcp.adapters.settings import Settings

OBJECTS: tuple[type[BaseModel], ...] = (
    RunReport,
    MemberReport,
    ConfidenceParts,
    Dissent,
    PeerReview,
    RankedAnswer,
    Ballot,
    Check,
    Objection,
    Usage,
    Plan,
    FullReport,
    Page,
    Entry,
    RunSummary,
    ModelInfo,
)


def commands() -> str:
    """docs/commands.md: the help of every command."""
    parts = [
        "# Commands",
        (
            "The help texts of every command, written by `tests/test_docs.py`. `llm consortium` is "
            "there wherever this package is installed beside llm."
        ),
    ]
    tops = (("llm consortium", consortium), ("consortium-mcp", main))
    for top, command in tops:
        for path in _paths(command):
            shown = _help(top, command, path)
            parts += [f"## {' '.join([top, *path])}", f"```text\n{shown}\n```"]
    return "\n\n".join(parts) + "\n"


def _paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """A command and all below it, by the names that lead to them."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in sorted(command.list_commands(context)):
            child = command.get_command(context, name)
            assert child is not None
            yield from _paths(child, (*path, name))


def _help(top: str, command: click.Command, path: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(
        command,
        [*path, "--help"],
        prog_name=top,
        env={"COLUMNS": "100"},
        terminal_width=100,
    )
    assert shown.exit_code == 0, shown.output
    return shown.output.strip()


def settings_table() -> str:
    """docs/settings.md: every setting of a consortium, from its one description in the source."""
    rows = [
        (
            f"`{setting.name}`",
            setting.type.__name__ if setting.type is not list else "list",
            "–" if setting.default is None else f"`{setting.default}`",
            _bounds({"description": setting.description} | setting.bounds),
        )
        for setting in SETTINGS.values()
    ]
    return (
        "\n\n".join(
            [
                "# Settings of a consortium",
                (
                    "Every setting, written by `tests/test_docs.py` from `ConsortiumSettings` in "
                    "`consortium_mcp/core/domain/request.py`. They are arguments of "
                    "`consult_consortium` and `save_consortium` ([tools.md](tools.md)), options of "
                    "`llm consortium` ([commands.md](commands.md)) and keywords of "
                    "`create_consortium` ([python.md](python.md))."
                ),
                _table(("setting", "type", "default", "what it means"), rows),
            ]
        )
        + "\n"
    )


async def tools(settings: Settings) -> str:
    """docs/tools.md: tools, prompts and resources as a client sees them, and what they return."""
    async with Client(make_server(settings)) as client:
        listed = (await client.list_tools()).tools
        prompts = (await client.list_prompts()).prompts
        templates = (await client.list_resource_templates()).resource_templates
    parts = [
        "# Tools",
        (
            "What the server offers a client, written by `tests/test_docs.py` from what it sends. "
            "The settings of a consortium in one table: [settings.md](settings.md)."
        ),
    ]
    for tool in listed:
        parts += _tool(tool)
    parts += ["# Prompts", *map(_prompt, prompts)]
    parts += [
        (
            "Clients that ask for completions get the names of saved consortiums, run ids, "
            "strategies and model ids."
        ),
        "# Resources",
        _table(
            ("address", "what it is"),
            [(f"`{each.uri_template}`", each.description or "") for each in templates],
        ),
        "# What comes back",
        (
            "`consult_consortium`, `resume_run` and `cancel_run` return a `RunReport`, `get_run` a "
            "`FullReport`: that, and what `include` asked for. Nothing absent is given a value: it "
            "is `null`."
        ),
    ]
    for model in OBJECTS:
        parts += [f"## {model.__name__}", inspect.getdoc(model) or "", _fields(model)]
    return "\n\n".join(parts) + "\n"


def _tool(tool: Tool) -> list[str]:
    hints = tool.annotations
    assert hints is not None
    kind = [
        "reads only" if hints.read_only_hint else "writes",
        *(["may replace or remove something"] if hints.destructive_hint else []),
        *(["the same again changes nothing more"] if hints.idempotent_hint else []),
        *(["calls models outside"] if hints.open_world_hint else []),
    ]
    required = tool.input_schema.get("required", [])
    rows = [
        (f"`{name}`" + (" (needed)" if name in required else ""), _type(field), _bounds(field))
        for name, field in tool.input_schema["properties"].items()
    ]
    parts = [f"## {tool.name}", *(tool.description or "").split("\n"), f"*{'; '.join(kind)}.*"]
    return [*parts, _table(("argument", "type", "what it is"), rows)] if rows else parts


def _type(field: dict[str, Any]) -> str:
    arms = field.get("anyOf", [field])
    names = [str(arm["type"]) for arm in arms]
    if field.get("type") == "array":
        names = [f"array of {_type(field['items'])}"]
    return " or ".join(names)


def _bounds(field: dict[str, Any]) -> str:
    said = [str(field["description"])] if "description" in field else []
    choices = field.get("enum") or field.get("items", {}).get("enum")
    if choices:
        said.append("One of: " + ", ".join(f"`{choice}`" for choice in choices) + ".")
    for name, words in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to")):
        if name in field:
            said.append(f"{words} {field[name]}")
    return " ".join(said)


def _prompt(prompt: Prompt) -> str:
    rows = [
        (
            f"`{argument.name}`" + (" (needed)" if argument.required else ""),
            argument.description or "",
        )
        for argument in prompt.arguments or []
    ]
    return "\n\n".join(
        [f"## {prompt.name}", prompt.description or "", _table(("argument", "what it is"), rows)]
    )


def _fields(model: type[BaseModel]) -> str:
    """The fields that the class itself has, with their types and what its source says of them."""
    source = ast.parse(textwrap.dedent(inspect.getsource(model)))
    [definition] = source.body
    assert isinstance(definition, ast.ClassDef)
    rows = []
    for node, after in zip(definition.body, [*definition.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign):
            continue
        said = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            said = " ".join(str(after.value.value).split())
        annotation = ast.unparse(node.annotation).replace("|", "or").replace("None", "null")
        rows.append((f"`{ast.unparse(node.target)}`", f"`{annotation}`", said))
    return _table(("field", "type", "what it is"), rows)


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )
