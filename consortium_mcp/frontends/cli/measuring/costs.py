"""`consortium-mcp costs`: what the recorded calls have cost, added up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import anyio
import click

from consortium_mcp.core.records.run_summary import CostsBy
from consortium_mcp.frontends.terminal.columns import Cell, Column
from consortium_mcp.frontends.terminal.watching import screen
from consortium_mcp.frontends.text.command_errors import command_errors
from consortium_mcp.frontends.text.phrases import dollars
from consortium_mcp.services.assembly import open_service

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.records.run_summary import Costs
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.frontends.terminal.screen import Screen

ESTIMATE = (
    "Costs are an estimate in US dollars, from what providers told and the prices of genai-prices "
    "or consortium-prices.toml. Calls without a known price are not in it."
)
_NAMELESS = {"consortium": "(not saved)", "client": "(not recorded)"}


async def show(settings: Settings, by: CostsBy, as_json: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    """Print what the calls of each month, consortium, model or client have cost."""
    async with open_service(settings) as service:
        found = await service.costs(by)
    if as_json:
        lines = [line.model_dump() for line in found.lines]
        total = found.total.model_dump(exclude={"name"})
        click.echo(json.dumps({"by": by, "costs": lines, "total": total}, indent=2))
    elif not found.lines:
        click.echo("The database holds no calls yet. Consult a consortium first.")
    elif on := screen():
        _draw(on, by, found)
    else:
        click.echo(f"{_table(by, found)}\n\n{ESTIMATE}")


def _table(by: CostsBy, found: Costs) -> str:
    names = [line.name or _NAMELESS.get(by, "–") for line in found.lines]
    width = max(len(each) for each in (by, "total", *names))
    rows = [f"{by:{width}}        cost   calls  priced"]
    for name, line in zip((*names, "total"), (*found.lines, found.total), strict=True):
        cost = "not known" if line.cost_usd is None else dollars(line.cost_usd)
        rows.append(f"{name:{width}}  {cost:>10}  {line.calls:6}  {line.priced_calls:6}")
    return "\n".join(rows)


def _draw(on: Screen, by: CostsBy, found: Costs) -> None:
    names = [line.name or _NAMELESS.get(by, "–") for line in found.lines]
    columns = (
        Column(by, folds=True),
        Column("cost", right=True),
        Column("calls", right=True),
        Column("priced", right=True),
    )
    rows: list[Row] = []
    for name, line in zip((*names, "total"), (*found.lines, found.total), strict=True):
        cost = Cell("not known", "dim") if line.cost_usd is None else dollars(line.cost_usd)
        rows.append((name, cost, f"{line.calls:,}", f"{line.priced_calls:,}"))
    on.table(columns, rows, total=True)
    on.line()
    on.line(ESTIMATE, "dim")


@click.command("costs")
@click.option(
    "--by",
    type=click.Choice(get_args(CostsBy)),
    default="month",
    show_default=True,
    help="What to add up for.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, *, by: CostsBy, as_json: bool) -> None:
    """Show what past consultations have cost, as an estimate, and how much of it is priced."""
    with command_errors():
        anyio.run(show, settings, by, as_json)
