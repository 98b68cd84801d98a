"""`consortium-mcp demo`: run a consultation through a real MCP client and show each step."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import anyio
import click
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from consortium_mcp.adapters.local.members import MEMBERS
from consortium_mcp.core.panel.known_models import current_panel
from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.core.records.run_summary import RunPage, RunSummary
from consortium_mcp.core.reports.report import RunReport
from consortium_mcp.frontends.cli.setup_local import fetch_weights
from consortium_mcp.frontends.mcp.tools.outputs import FullReport
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.confidence import confidence_sentence
from consortium_mcp.frontends.text.phrases import one_line, seconds, tokens
from consortium_mcp.frontends.text.run_list import runs_markdown
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from mcp_types import CallToolResult

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.frontends.terminal.demo_screen import DrawnDemo
    from consortium_mcp.frontends.text.pages import Entry

QUESTION = "What is the capital of Japan?"
CONSORTIUM = "consortium-mcp-demo"
_MARGIN = "  "
_NARROWEST = 28


class DemoError(Exception):
    """The server refused a step of the demo; the message comes from the server."""


async def consult(
    question: str, members: list[str], arbiter: str, show: PlainDemo | DrawnDemo
) -> FullReport:
    """Run and show a consultation; see `_consult_and_show`.

    Raises:
        DemoError: the server could not be started, or refused a step.
    """
    try:
        return await _consult_and_show(question, members, arbiter, show)
    except ExceptionGroup as group:  # the client's task groups wrap every error
        ours, others = group.split((DemoError, MCPError))
        if ours is None or others is not None:
            raise
        raise DemoError(str(_first(ours))) from group


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _consult_and_show(
    question: str, members: list[str], arbiter: str, show: PlainDemo | DrawnDemo
) -> FullReport:
    """Start the server as a child process, save the panel, ask it, and show everything.

    Args:
        question: the question.
        members: the members, as `save_consortium` takes them.
        arbiter: the model that judges.
        show: where.

    Returns:
        The report, with what the members said.
    """
    command = [sys.executable, "-m", "consortium_mcp"]
    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with Client(server) as client:
        show.line("Server", f"{' '.join(command)} (MCP {client.protocol_version} over stdio)")
        panel = {"name": CONSORTIUM, "models": members, "arbiter": arbiter, "overwrite": True}
        saved = _data(await client.call_tool("save_consortium", panel))
        show.line("Panel", f"{', '.join(members)}; arbiter {arbiter} (saved as {CONSORTIUM!r})")
        for warning in saved["warnings"]:
            show.line("", f"Note: {warning}")
        show.line("Question", question)
        with show.waiting():
            run_id = await _wait(client, question, show)
        included = {"run_id": run_id, "include": ["responses"]}
        full = FullReport.model_validate(
            _data(await client.call_tool("get_run", included), failed_run=True)
        )
        show.answers(_answers(full))
        show.outcome(_outcome(full), full)
        show.journal(await _journal(client, run_id))
    return full


async def _wait(client: Client, question: str, show: PlainDemo | DrawnDemo) -> str:
    """Ask, and wait for the end; returns the run's id."""

    async def told(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001 (the SDK's signature)
        show.step(str(message), passing=not float(progress).is_integer())

    asked = {"prompt": question, "consortium": CONSORTIUM}
    result = await client.call_tool("consult_consortium", asked, progress_callback=told)
    report = RunReport.model_validate(_data(result, failed_run=True))
    run_id = report.run_id or ""
    while report.status == "working":
        again = {"run_id": run_id, "wait_seconds": 40}
        result = await client.call_tool("get_run", again, progress_callback=told)
        report = RunReport.model_validate(_data(result, failed_run=True))
    return run_id


def _data(result: CallToolResult, *, failed_run: bool = False) -> dict[str, Any]:
    """The structured content; with `failed_run`, that of an error result too.

    Raises:
        DemoError: the result is an error.
    """
    if result.is_error and not (failed_run and result.structured_content):
        raise DemoError(" ".join(getattr(part, "text", "") for part in result.content))
    found: dict[str, Any] = result.structured_content or {}
    return found


def _answers(report: FullReport) -> list[tuple[str, str, str, str]]:
    """Each member's label, model, time and text."""
    entries = report.included.entries if report.included else []
    shown = report.reported_iteration or 1
    texts = {e.label: _text(e) for e in entries if e.iteration == shown}
    return [
        (
            member.label,
            member.model,
            seconds(member) if member.status == "answered" else member.status,
            texts.get(member.label, "(no answer)"),
        )
        for member in report.members
    ]


def _text(entry: Entry) -> str:
    return read_reply(entry.text or "").prose or f"({entry.error})"


def _outcome(report: FullReport) -> list[tuple[str, str]]:
    """What came of it, by name."""
    if report.synthesis is None:
        return [("No answer", report.error or "")]
    agree = [m.model for m in report.members if m.supports]
    apart = [m.model for m in report.members if m.supports is False]
    usage = report.usage
    took = "" if usage.seconds is None else f", {usage.seconds:.1f} s"
    sure = "" if report.confidence is None else f"{report.confidence:.2f}: "
    lines = [
        ("Synthesis", report.synthesis),
        ("Answer", report.final_answer),
        ("Agree", ", ".join(agree) or "nobody"),
        ("Apart", ", ".join(apart)),
        ("Confidence", sure and f"{sure}{confidence_sentence(report)}"),
        ("Cost", f"{usage.calls} calls, {tokens(report)}{took}"),
        ("Status", f"{report.status}, stopped by {report.stop_reason}"),
        *(("Note", warning) for warning in report.warnings),
    ]
    return [(name, text) for name, text in lines if text]


async def _journal(client: Client, run_id: str) -> RunPage:
    """The run as `list_runs` returns it, which proves that it is on disk.

    Raises:
        DemoError: it is not there.
    """
    runs = _data(await client.call_tool("list_runs", {"limit": 1}))["runs"]
    if not runs or runs[0]["run_id"] != run_id:
        raise DemoError("list_runs does not show the run that was just finished.")
    return RunPage([RunSummary.model_validate(run) for run in runs], None, [])


class PlainDemo:
    """The demo as text, for a pipe.

    Args:
        echo: prints a line.
    """

    def __init__(self, echo: Callable[[str], None] = click.echo) -> None:
        self._echo = echo

    def waiting(self) -> AbstractContextManager[object]:
        """Is open while the server is waited for."""
        self._echo("")
        return nullcontext()

    def line(self, name: str, text: str) -> None:
        """What is done, and with what."""
        indent = " " * 12
        wrapped = textwrap.fill(text, _width(), initial_indent=indent, subsequent_indent=indent)
        self._echo(f"{name:<12}" + wrapped[len(indent) :])

    def step(self, message: str, *, passing: bool) -> None:  # noqa: ARG002 (is drawn anew in `DrawnDemo`)
        """Something that the server reported."""
        self._echo(f"{_MARGIN}· {message}")

    def answers(self, found: Sequence[tuple[str, str, str, str]]) -> None:
        """Each member's label, model, time and text: in columns, or below each other."""
        self._echo("")
        columns = max(1, _width() // (len(found) or 1) - len(_MARGIN))
        cells = []
        for label, model, took, text in found:
            if columns < _NARROWEST:
                self.line(label, f"{model} ({took}): {text}")
                continue
            head = (f"{label}  {model}", f"   {took}", "-" * columns)
            cells.append([one_line(line, columns) for line in head] + textwrap.wrap(text, columns))
        for row in range(max((len(cell) for cell in cells), default=0)):
            parts = [cell[row] if row < len(cell) else "" for cell in cells]
            self._echo(_MARGIN.join(f"{part:<{columns}}" for part in parts).rstrip())
        self._echo("")

    def outcome(self, lines: Sequence[tuple[str, str]], report: RunReport) -> None:  # noqa: ARG002 (colours it in `DrawnDemo`)
        """What came of it, by name."""
        for name, text in lines:
            self.line(name, text)

    def journal(self, page: RunPage) -> None:
        """The run as the list of past runs shows it."""
        self._echo("")
        self.line("Journal", runs_markdown(page, None, None))


def _width() -> int:
    return min(shutil.get_terminal_size((96, 24)).columns, 110)


def _demo(*, as_json: bool) -> PlainDemo | DrawnDemo:
    if as_json:
        return PlainDemo(lambda _line: None)
    if (on := screen()) is None:
        return PlainDemo()
    from consortium_mcp.frontends.terminal.demo_screen import DrawnDemo  # noqa: PLC0415 (rich)

    return DrawnDemo(on)


@click.command("demo")
@click.argument("question", default="")
@click.option(
    "--local/--keys", default=None, help="Ask the local demo models, or those you have keys for."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report alone, as JSON.")
@click.pass_obj
def command(settings: Settings, question: str, *, local: bool | None, as_json: bool) -> None:
    """Run a whole consultation and show it.

    Through a real MCP client and the real server, with the models you have keys for or, without
    keys, with two small local ones, which are fetched first (93 MB).
    """
    with command_errors():
        keyed = anyio.run(_keyed_panel, settings)
    if keyed and local is None:
        local = not _confirm(keyed[0])
    if keyed and not local:
        members, arbiter = keyed
    elif local is False:
        raise click.ClickException(
            "Fewer than two providers have a key. Run `consortium-mcp doctor` to see what is "
            "missing, or use --local."
        )
    else:
        fetch_weights(settings)
        members, arbiter = [*MEMBERS], MEMBERS[-1]
    try:
        show = _demo(as_json=as_json)
        report = anyio.run(consult, question or QUESTION, members, arbiter, show)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    sys.exit(0 if report.status == "completed" else 1)


async def _keyed_panel(settings: Settings) -> tuple[list[str], str] | None:
    """The default panel (members, arbiter) of models that have keys; `None` if there is none."""
    async with open_service(settings) as service:
        snapshot = await service.registry.snapshot()
    return current_panel([e.model_id for e in snapshot.entries.values() if e.ready])


def _confirm(members: list[str]) -> bool:
    """Ask the user whether to spend money on these members; `False` without a terminal."""
    if not sys.stdin.isatty():
        return False
    return click.confirm(f"You have keys for {', '.join(members)}. Ask those (it costs a little)?")
