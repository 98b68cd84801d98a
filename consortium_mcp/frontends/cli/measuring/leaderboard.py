"""`consortium-mcp leaderboard`: statistics of each model, from the journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import click

from consortium_mcp.adapters.journal.history import opened_history
from consortium_mcp.adapters.postgres.opening import database_of
from consortium_mcp.core.evaluation.judges import Judges
from consortium_mcp.core.evaluation.leaderboard import Leaderboard
from consortium_mcp.frontends.terminal.columns import Cell, Column
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.phrases import dollars

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.evaluation.judges import Judge, Tendency
    from consortium_mcp.core.evaluation.leaderboard import Standing
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.frontends.terminal.screen import Screen

AGREEMENT = (
    "This is agreement, not correctness: a verdict can be wrong, and the one model that "
    "disagrees can be right."
)

COST = (
    "The cost is an estimate in US dollars for all calls of a model, also as an arbiter; in "
    "brackets, how many of them have a known price."
)


async def show(settings: Settings, as_json: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Print how often each model agreed with the verdict, failed, and what it cost."""
    board = Leaderboard()
    async with opened_history(database_of(settings)) as history:
        async for report in history.reports():
            board.add(report)
        costs = await history.costs("model")
    standings = board.standings(costs.lines)
    if as_json:
        click.echo(json.dumps([standing.model_dump() for standing in standings], indent=2))
    elif not standings:
        click.echo("The database holds no answers yet. Consult a consortium first.")
    elif on := screen():
        _draw(on, standings)
        on.line()
        on.line(f"{board.runs} runs with a verdict. {AGREEMENT}", "dim")
        on.line(COST, "dim")
    else:
        click.echo(_table(standings))
        click.echo(f"\n{board.runs} runs with a verdict. {AGREEMENT}\n{COST}")


LOTS = (
    "In brackets: the 95 % interval, and what drawing lots would give. A difference is no proof of "
    "a bias: the longest answer may be the best one. Under 20 runs nothing is said (–)."
)


async def show_judges(settings: Settings, as_json: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Print how often the first shown, the longest and the own family's answer won."""
    judges = Judges()
    async with opened_history(database_of(settings)) as history:
        async for run_id in history.run_ids():
            judges.add(await history.record(run_id))
    found = judges.found()
    if as_json:
        click.echo(json.dumps([judge.model_dump() for judge in found], indent=2))
    elif not found:
        click.echo("Nobody has judged yet in the runs of this database.")
    elif on := screen():
        columns = [Column(title) for title in _JUDGES]
        on.table(columns, [_judge(judge) for judge in found])
        on.line()
        on.line(LOTS, "dim")
    else:
        rows = [_judge(judge) for judge in found]
        head = _JUDGES
        widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
        for row in (head, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            click.echo("  ".join(cells).rstrip())
        click.echo(f"\n{LOTS}")


_JUDGES = ("judge", "as", "runs", "first shown won", "longest won", "own family won")


def _judge(judge: Judge) -> tuple[str, ...]:
    measures = (judge.first_shown, judge.longest, judge.own_family)
    return (judge.model, judge.kind, str(judge.runs), *map(_tendency, measures))


def _tendency(found: Tendency) -> str:
    if found.share is None or found.interval is None:
        return f"– ({found.runs} runs)"
    low, high = found.interval
    return f"{found.share:.0%} ({low:.0%}–{high:.0%}; {found.chance:.0%}; {found.runs} runs)"


def _draw(on: Screen, standings: list[Standing]) -> None:
    columns = [
        Column("model", style="bold"),
        *(Column(title, right=True) for title in ("asked", "with verdict", "alone against")),
        Column("fields with verdict", right=True),
        Column("failed", right=True),
        Column("median s", right=True),
        Column("tokens out", right=True, spare=True),
        Column("cost", right=True),
    ]
    objects = any(standing.fields for standing in standings)
    rows: list[Row] = [
        (
            each.model,
            str(each.asked),
            _share(each.with_verdict, each.judged),
            _share(each.alone_against, each.judged),
            _share(each.fields_with_verdict, each.fields) if objects else "",
            Cell(_share(each.failed, each.asked), "red" if each.failed else ""),
            "–" if each.median_seconds is None else f"{each.median_seconds:.1f}",
            "–" if each.mean_output_tokens is None else f"{each.mean_output_tokens:.0f}",
            _cost(each),
        )
        for each in standings
    ]
    on.table(columns, rows)


def _table(standings: list[Standing]) -> str:
    width = max(len("model"), *(len(standing.model) for standing in standings))
    objects = any(standing.fields for standing in standings)
    fields = "fields with verdict  " if objects else ""
    head = (
        f"{'model':{width}}  asked  with verdict  alone against  {fields}failed  median s  "
        "tokens out  cost"
    )
    rows = [f"{each.model:{width}}  {_row(each, objects=objects)}" for each in standings]
    return "\n".join([head, *rows])


def _row(s: Standing, *, objects: bool) -> str:
    seconds = "–" if s.median_seconds is None else f"{s.median_seconds:.1f}"
    tokens = "–" if s.mean_output_tokens is None else f"{s.mean_output_tokens:.0f}"
    fields = f"{_share(s.fields_with_verdict, s.fields):>19}  " if objects else ""
    return (
        f"{s.asked:5}  {_share(s.with_verdict, s.judged):>12}  "
        f"{_share(s.alone_against, s.judged):>13}  {fields}{_share(s.failed, s.asked):>6}  "
        f"{seconds:>8}  {tokens:>10}  {_cost(s)}"
    )


def _cost(s: Standing) -> str:
    if s.cost_usd is None:
        return "–"
    return f"{dollars(s.cost_usd)} ({s.priced_calls} of {s.calls})"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


@click.command("leaderboard")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--judges",
    is_flag=True,
    help="Of arbiters and reviewers instead: how often the first, the longest, the own answer won.",
)
@click.pass_obj
def command(settings: Settings, *, as_json: bool, judges: bool) -> None:
    """Show how often each model agreed with the verdict, failed, and what it cost."""
    with command_errors():
        anyio.run(show_judges if judges else show, settings, as_json)
