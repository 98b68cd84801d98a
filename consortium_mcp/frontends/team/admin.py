"""What an admin sees over HTTP, and what users see of their own: figures and deeds.

An admin sees texts only where the installation says so, and each look is in the audit log.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.core.domain.errors import ConfigError, UnknownRun
from consortium_mcp.frontends.team.requests import Refusal, answering
from consortium_mcp.services.team.audit import Administration

if TYPE_CHECKING:
    from starlette.requests import Request

    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.frontends.team.requests import GetDatabase, PrincipalOf, ScopesOf

ADMIN = "admin"


def admin_routes(
    database: GetDatabase,
    principal_of: PrincipalOf,
    scopes_of: ScopesOf,
    *,
    texts: bool = False,
) -> list[Route]:
    """`/admin/usage`, `/admin/audit`, `/admin/runs/{run_id}` and `/usage`.

    Args:
        database: gives the team's database.
        principal_of: says who asks.
        scopes_of: says what they may.
        texts: whether an admin may read the runs of all users.
    """
    answers = _Answers(database, texts=texts)
    who = (principal_of, scopes_of)
    return [
        Route("/admin/usage", answering(answers.usage, *who, ADMIN)),
        Route("/admin/audit", answering(answers.audit, *who, ADMIN)),
        Route("/admin/runs/{run_id}", answering(answers.run, *who, ADMIN)),
        Route("/usage", answering(answers.own_usage, *who)),
    ]


class _Answers:
    """What each address gives."""

    def __init__(self, database: GetDatabase, *, texts: bool) -> None:
        self._database = database
        self._texts = texts

    async def usage(self, request: Request, _principal: Principal) -> dict[str, Any]:
        period = _period(request)
        users = await Administration(await self._database()).usage(period)
        return {"period": period, "users": [asdict(user) for user in users]}

    async def audit(self, request: Request, _principal: Principal) -> dict[str, Any]:
        query = request.query_params
        page = await Administration(await self._database()).audit(
            _time(query.get("since")), _number(query.get("limit"), 100), query.get("cursor")
        )
        return page.model_dump(mode="json")

    async def run(self, request: Request, principal: Principal) -> dict[str, Any]:
        if not self._texts:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "Admins of this server do not read texts. Who installed it can change that with "
                "CONSORTIUM_ADMINS_READ_TEXTS=yes.",
            )
        run_id = request.path_params["run_id"]
        try:
            record = await Administration(await self._database()).run(run_id, principal)
        except UnknownRun as error:
            raise Refusal(HTTPStatus.NOT_FOUND, str(error)) from error
        return record.model_dump(mode="json")

    async def own_usage(self, request: Request, principal: Principal) -> dict[str, Any]:
        period, here = _period(request), await self._database()
        found = await Administration(here).usage(period, principal)
        used = asdict(found[0]) if found else {"runs": 0, "calls": 0, "tokens": 0, "dollars": 0.0}
        for name in ("issuer", "subject"):
            used.pop(name, None)
        standings = await Ledger(here).standings(principal)
        return {"period": period, "used": used, "limits": [each.as_data() for each in standings]}


def _period(request: Request) -> str:
    return request.query_params.get("period") or f"{datetime.now(UTC):%Y-%m}"


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"since is {text!r}; write a time such as 2026-11-29 or 2026-11-29T08:00:00Z."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 (enough for any)
        raise ConfigError(f"limit is {text!r}; it must be a whole number.")
    return int(text)
