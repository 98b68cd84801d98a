"""`consortium-mcp budgets`: what the users of a team's server may spend."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, get_args

import anyio
import click

from consortium_mcp.adapters.postgres.opening import team_database
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.core.spending.allotting import told
from consortium_mcp.core.spending.limits import Limit, What, Who
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.spending.limits import Period

_PERIODS = {"day": "a day", "month": "a month", "now": "at once"}


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    database = team_database(settings)
    try:
        yield database
    finally:
        await database.close()


@click.group("budgets")
def command() -> None:
    """Limit what users of a team's server may spend.

    Without --user and --everybody, a limit holds for each user for whom nothing else is said.
    """


def _whose(work: Callable[..., None]) -> Callable[..., None]:
    """The options that say whose limit it is."""
    for option in (
        click.option("--everybody", is_flag=True, help="For all users together."),
        click.option("--issuer", help="Who vouches for that user, such as an identity provider."),
        click.option("--user", metavar="SUBJECT", help="For one user, as --issuer calls them."),
    ):
        work = option(work)
    return work


def _per(work: Callable[..., None]) -> Callable[..., None]:
    option = click.option(
        "--per",
        type=click.Choice(["day", "month"]),
        help="The period, in UTC; not for runs, which are limited at the same time.",
    )
    return option(work)


@command.command("set")
@click.argument("what", type=click.Choice(get_args(What)))
@click.argument("most", type=click.FloatRange(min=0))
@_per
@_whose
@click.pass_obj
def set_limit(
    settings: Settings,
    *,
    what: What,
    most: float,
    per: Period | None,
    user: str | None,
    issuer: str | None,
    everybody: bool,
) -> None:
    """Set the most of WHAT that may be spent: calls, tokens, dollars, or runs at once."""
    with command_errors():
        limit = _limit(what, most, per, _principal(user, issuer, everybody=everybody), everybody)
        anyio.run(_set, settings, limit)
    click.echo(f"Set: {_line(limit)}.")


async def _set(settings: Settings, limit: Limit) -> None:
    async with _opened(settings) as database:
        await Limits(database).set(limit)
        await _note(database, limit, limit.most)


@command.command("remove")
@click.argument("what", type=click.Choice(get_args(What)))
@_per
@_whose
@click.pass_obj
def remove_limit(
    settings: Settings,
    *,
    what: What,
    per: Period | None,
    user: str | None,
    issuer: str | None,
    everybody: bool,
) -> None:
    """Remove a limit."""
    with command_errors():
        limit = _limit(what, 0, per, _principal(user, issuer, everybody=everybody), everybody)
        if not anyio.run(_remove, settings, limit):
            raise ConfigError("There is no such limit. `consortium-mcp budgets list` shows all.")
    click.echo("Removed.")


async def _remove(settings: Settings, limit: Limit) -> bool:
    async with _opened(settings) as database:
        removed = await Limits(database).remove(limit)
        if removed:
            await _note(database, limit, None)
        return removed


async def _note(database: Database, limit: Limit, most: float | None) -> None:
    """Note in the audit log that somebody at this machine has changed a limit."""
    detail = limit.model_dump(mode="json", include={"who", "period", "user"}) | {"most": most}
    await AuditLog(database).note(LOCAL, "budget_changed", limit.what, detail)


@command.command("list")
@click.option("--issuer", help="Who vouches for that user, such as an identity provider.")
@click.option("--user", metavar="SUBJECT", help="What holds for one user, and what is left of it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_limits(settings: Settings, *, user: str | None, issuer: str | None, as_json: bool) -> None:
    """Show the limits; with --user and --issuer, what that user has left."""
    with command_errors():
        principal = _principal(user, issuer, everybody=False)
        if principal is None:
            anyio.run(_list, settings, as_json)
        else:
            anyio.run(_list_left, settings, principal, as_json)


async def _list(settings: Settings, as_json: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    async with _opened(settings) as database:
        limits = await Limits(database).all()
    if as_json:
        click.echo(json.dumps([limit.model_dump(mode="json") for limit in limits], indent=2))
        return
    for limit in limits:
        click.echo(_line(limit))
    if not limits:
        click.echo("Nothing is limited. Set a limit: consortium-mcp budgets set calls 60 --per day")


async def _list_left(settings: Settings, principal: Principal, as_json: bool) -> None:  # noqa: FBT001
    async with _opened(settings) as database:
        standings = await Ledger(database).standings(principal)
    if as_json:
        click.echo(json.dumps([standing.as_data() for standing in standings], indent=2))
        return
    for standing in standings:
        left = told(standing.limit.what, standing.left)
        click.echo(f"{_line(standing.limit)}: {left} left")
    if not standings:
        click.echo("Nothing is limited for this user.")


def _limit(
    what: What,
    most: float,
    per: Period | None,
    user: Principal | None,
    everybody: bool,  # noqa: FBT001 (as the command has it)
) -> Limit:
    if what == "runs" and per is not None:
        raise ConfigError("Runs are limited at the same time: leave --per out.")
    if what != "runs" and per is None:
        raise ConfigError("Say for which period: --per day or --per month.")
    who: Who = "everybody" if everybody else "each" if user is None else "user"
    return Limit(who=who, period=per or "now", what=what, most=most, user=user)


def _principal(user: str | None, issuer: str | None, *, everybody: bool) -> Principal | None:
    if user is None and issuer is None:
        return None
    if user is None or issuer is None:
        raise ConfigError("Name a user by both: --user SUBJECT --issuer ISSUER.")
    if everybody:
        raise ConfigError("A limit is for one user or for --everybody, not for both.")
    return Principal(issuer=issuer, subject=user)


def _line(limit: Limit) -> str:
    whose = {"everybody": "all users together", "each": "each user"}.get(limit.who)
    if limit.user is not None:
        whose = f"{limit.user.subject} of {limit.user.issuer}"
    return f"{whose}: {told(limit.what, limit.most)} {_PERIODS[limit.period]}"
