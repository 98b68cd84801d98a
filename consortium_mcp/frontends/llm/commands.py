"""The command line of `llm consortium`.

Every `llm` command imports this file, so each command imports what it needs only when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consortium_mcp.frontends.llm.dash_prompts import PromptCommand, PromptGroup
from consortium_mcp.frontends.llm.options import panel_options
from consortium_mcp.frontends.terminal import completion

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_RAW = click.option(
    "--raw/--no-raw", default=False, help="Also print the members' and the arbiter's own words."
)
_QUIET = click.option("--quiet", is_flag=True, help="Print only the synthesis, without progress.")
_OUTPUT = click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the report to this file, as JSON.",
)


STATUSES = ("completed", "degraded", "failed", "working", "interrupted", "cancelled")
consortium: click.Group = PromptGroup(
    name="consortium",
    default="run",
    default_if_no_args=True,
    help="Ask several models at once and have them come to one answer.",
    context_settings={"help_option_names": ["-h", "--help"]},  # as in llm
)


@consortium.command(cls=PromptCommand)
@click.argument("prompt", required=False)
@panel_options
@click.option(
    "--consortium",
    help="A saved consortium to ask, or to start from.",
    shell_complete=completion.consortiums,
)
@click.option(
    "-a",
    "--attachment",
    "attachments",
    multiple=True,
    metavar="PATH",
    help="A file or URL to ask about (- is stdin). Repeatable.",
)
@click.option(
    "--at",
    "--attachment-type",
    "typed_attachments",
    type=(str, str),
    multiple=True,
    metavar="PATH TYPE",
    help="The same with its MIME type. Repeatable.",
)
@click.option(
    "-f",
    "--fragment",
    "fragments",
    multiple=True,
    metavar="FRAGMENT",
    help="A fragment (alias, path, URL, PREFIX:NAME), quoted like a file. Repeatable.",
)
@click.option(
    "--sf",
    "--system-fragment",
    "system_fragments",
    multiple=True,
    metavar="FRAGMENT",
    help="A fragment of the system prompt. Repeatable.",
)
@click.option(
    "--continue",
    "continue_run",
    metavar="RUN_ID",
    shell_complete=completion.runs,
    help="Go on with the conversation of an earlier run.",
)
@click.option(
    "--stdin/--no-stdin",
    default=True,
    help="Append what is piped in to the prompt.",
)
@_OUTPUT
@_RAW
@_QUIET
@_AS_JSON
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 1),
    help="Print the object or the synthesis alone, and end with exit code 3 where the confidence "
    "is lower.",
)
@click.option(
    "--field", metavar="POINTER", help="The field whose confidence counts, such as /total."
)
@click.option("--no-log", is_flag=True, help="Do not record the run.")
def run(prompt: str | None, **options: Any) -> None:  # noqa: ANN401 (the options, by name)
    """Put PROMPT to several models and get one weighed answer."""
    from consortium_mcp.frontends.llm import consult  # noqa: PLC0415

    consult.run(prompt, **options)


@consortium.command()
@click.argument("run_id", shell_complete=completion.runs)
@_OUTPUT
@_RAW
@_QUIET
@_AS_JSON
def resume(run_id: str, **options: Any) -> None:  # noqa: ANN401 (the options, by name)
    """Go on with an interrupted run. Nothing is asked twice."""
    from consortium_mcp.frontends.llm import consult  # noqa: PLC0415

    consult.resume(run_id, **options)


@consortium.command()
@click.argument("name", shell_complete=completion.consortiums)
@panel_options
@click.option("--description", help="What it is for.")
@click.option(
    "--clone",
    metavar="NAME",
    help="A saved consortium to start from.",
    shell_complete=completion.consortiums,
)
@click.option("--overwrite", is_flag=True, help="Replace or change the one of this name.")
@_AS_JSON
def save(name: str, **options: Any) -> None:  # noqa: ANN401 (the options, by name)
    """Save a consortium as NAME, for `llm -m NAME` and every other client."""
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.save(name, **options)


@consortium.command("list")
@_AS_JSON
def list_(*, as_json: bool) -> None:
    """List the saved consortiums."""
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.list_all(as_json=as_json)


@consortium.command()
@click.argument("name", shell_complete=completion.consortiums)
@_AS_JSON
def show(name: str, *, as_json: bool) -> None:
    """Show the saved consortium NAME."""
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.show(name, as_json=as_json)


@consortium.command()
@click.argument("name", shell_complete=completion.consortiums)
@click.option("--force", is_flag=True, help="Even if other consortiums ask it.")
@_AS_JSON
def remove(name: str, *, force: bool, as_json: bool) -> None:
    """Remove the saved consortium NAME; its runs stay."""
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.remove(name, force=force, as_json=as_json)


@consortium.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@_AS_JSON
def export(file: Path | None, *, as_json: bool) -> None:
    """Write the saved consortiums to FILE, or to stdout, as JSON.

    Past runs: `consortium-mcp runs export`.
    """
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    del as_json  # the output is always JSON
    consortiums.export(file)


@consortium.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--overwrite", is_flag=True, help="Replace others of the same names.")
@click.option("--runs", is_flag=True, help="Also the past runs in a database of llm-consortium.")
@_AS_JSON
def import_(file: Path | None, *, overwrite: bool, runs: bool, as_json: bool) -> None:
    """Save the consortiums of FILE: an export, or a database of llm-consortium.

    Without FILE, the database of llm-consortium in llm's directory.
    """
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.import_file(file, overwrite=overwrite, runs=runs, as_json=as_json)


@consortium.command()
@_AS_JSON
def strategies(*, as_json: bool) -> None:
    """List the strategies: how answers become a verdict."""
    from consortium_mcp.frontends.llm import consortiums  # noqa: PLC0415

    consortiums.strategies(as_json=as_json)


@consortium.command()
@click.option("-n", "--limit", type=int, default=20, show_default=True, help="1 to 100.")
@click.option("-q", "--query", help="Words in the prompt or the synthesis.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs of this status.")
@click.option(
    "--consortium",
    help="Only runs of this saved consortium.",
    shell_complete=completion.consortiums,
)
@click.option("--cursor", help="The cursor that the page before printed.")
@_AS_JSON
def runs(**options: Any) -> None:  # noqa: ANN401 (the options, by name)
    """List past runs, newest first."""
    from consortium_mcp.frontends.llm import history  # noqa: PLC0415

    history.list_runs(**options)


@consortium.command()
@click.argument("run_id")
@click.option(
    "--correct/--incorrect",
    "--right/--wrong",
    "correct",
    default=None,
    help="Whether its answer is right.",
)
@click.option("--answer", help="The right answer, in any spelling.")
@click.option("--note", help="Kept with the rating.")
@_AS_JSON
def rate(run_id: str, **options: Any) -> None:  # noqa: ANN401 (the options, by name)
    """Keep whether the answer of a past run was right, for `consortium-mcp calibrate`."""
    from consortium_mcp.frontends.llm import history  # noqa: PLC0415

    history.rate(run_id, **options)


@consortium.command("run-info")
@click.argument("run_id", shell_complete=completion.runs)
@_RAW
@_AS_JSON
def run_info(run_id: str, *, raw: bool, as_json: bool) -> None:
    """Show the report of a past run."""
    from consortium_mcp.frontends.llm import history  # noqa: PLC0415

    history.info(run_id, raw=raw, as_json=as_json)
