"""`consortium-mcp tokens`: sign people in without an identity provider."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from consortium_mcp.adapters.identity.own_tokens import OwnTokens
from consortium_mcp.adapters.postgres.opening import team_database
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import LOCAL
from consortium_mcp.core.domain.text import read_age
from consortium_mcp.frontends.text.command_errors import command_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from consortium_mcp.adapters.identity.own_tokens import OwnToken
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.adapters.team.audit_log import Action

T = TypeVar("T")


@click.group("tokens")
def command() -> None:
    """Make, list and revoke tokens for the people and programs of a team."""


def _age(_ctx: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return None if value is None else read_age(value)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


@command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["consult", "read", "admin"]),
    multiple=True,
    help="What it allows; may be given several times.  [default: consult, read]",
)
@click.option("--expires", metavar="AGE", callback=_age, help="When it ends, such as 12h or 90d.")
@click.pass_obj
def add_command(
    settings: Settings, *, name: str, scopes: Sequence[str], expires: timedelta | None
) -> None:
    """Make a token for NAME and print it, alone; it is not shown again.

    What is done with it is NAME's own, also with a later token of the same name.
    """
    token = _with_tokens(
        settings,
        lambda tokens: tokens.add(name, tuple(scopes) or ("consult", "read"), expires),  # type: ignore[arg-type]  # click.Choice
        ("token_added", name),
    )
    click.echo(token)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_command(settings: Settings, *, as_json: bool) -> None:
    """List the tokens, the newest first, without what they are."""
    found: list[OwnToken] = _with_tokens(settings, lambda tokens: tokens.all())
    if as_json:
        click.echo(json.dumps([each.model_dump() for each in found], indent=2))
        return
    if not found:
        click.echo("There is no token yet: `consortium-mcp tokens add NAME` makes one.")
    for each in found:
        end = f"until {each.expires_at}" if each.expires_at else "without an end"
        state = f"revoked {each.revoked_at}" if each.revoked_at else end
        click.echo(f"{each.name}: {', '.join(each.scopes)}, made {each.created_at}, {state}")


@command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke_command(settings: Settings, *, name: str) -> None:
    """Let the token of NAME be good for nothing, at once and on every server."""
    _with_tokens(settings, lambda tokens: tokens.revoke(name), ("token_revoked", name))
    click.echo(f"The token of {name} is revoked.")


def _with_tokens(
    settings: Settings,
    what: Callable[[OwnTokens], Awaitable[T]],
    deed: tuple[Action, str] | None = None,
) -> T:
    async def working() -> T:
        database = team_database(settings)
        try:
            done = await what(OwnTokens(database))
            if deed is not None:
                await AuditLog(database).note(LOCAL, *deed)
            return done
        finally:
            await database.close()

    with command_errors():
        return anyio.run(working)
