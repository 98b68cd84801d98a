"""The addresses of a team's server for its admin and for one's own keys and usage."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.adapters.team.encryption import Encryption
from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.adapters.team.user_keys import PURPOSE, UserKeys
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.core.spending.limits import Limit, Used
from consortium_mcp.frontends.team.admin import admin_routes
from consortium_mcp.frontends.team.user_keys import key_routes
from tests.support.asgi import Answer, ask
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.fakes import run_of
from tests.support.teams import ANN, BEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from consortium_mcp.core.domain.principal import Principal

    Asked = Callable[..., Awaitable[Answer]]

pytestmark = [pytest.mark.anyio, ON_POSTGRES]
KEY = "sk-test-0123456789abcdef"
SECRET = "a secret that is longer than 32 characters"  # noqa: S105 (made up)
USERS = {"ann": ANN, "ben": BEN}


@pytest.fixture
async def team(database: DatabaseOfTest) -> AsyncIterator[PostgresDatabase]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield opened
    await opened.close()


def app_of(team: PostgresDatabase, *, own_keys: bool = True, texts: bool = False) -> Starlette:
    async def database() -> PostgresDatabase:
        return team

    async def keys() -> UserKeys | None:
        return UserKeys(team, Encryption((SECRET,), PURPOSE)) if own_keys else None

    def principal_of(request: Request) -> Principal | None:
        return USERS.get(request.headers.get("user", ""))

    def scopes_of(request: Request) -> list[str]:
        return request.headers.get("scopes", "").split()

    who = (principal_of, scopes_of)
    admins = admin_routes(database, *who, texts=texts)
    return Starlette(routes=[*admins, *key_routes(keys, database, *who)])


@pytest.fixture
def asked(team: PostgresDatabase) -> Asked:
    return partial(ask, app_of(team), user="ann", scopes="consult read")


async def by_admin(team: PostgresDatabase, address: str) -> Answer:
    return await ask(app_of(team), address, user="ben", scopes="admin")


@pytest.mark.parametrize("address", ["/admin/usage", "/admin/audit"])
async def test_only_an_admin_sees_what_others_do(team: PostgresDatabase, address: str) -> None:
    app = app_of(team)
    assert (await ask(app, address)).status == 401
    refused = await ask(app, address, user="ann", scopes="consult read")
    assert (refused.status, refused.data["error"]) == (
        403, "This needs a sign-in with the scope admin.",
    )  # fmt: skip
    assert (await by_admin(team, address)).status == 200


async def test_usage_is_told_for_a_period(team: PostgresDatabase, asked: Asked) -> None:
    await Limits(team).set(Limit(who="each", period="day", what="calls", most=60))
    await Ledger(team).take(ANN, "run", {})
    await Ledger(team).settle("run", Used(calls=3, tokens=45, dollars=0.5), "me")
    month = f"{datetime.now(UTC):%Y-%m}"
    told = (await by_admin(team, "/admin/usage")).data
    assert told == {
        "period": month,
        "users": [
            {"issuer": ANN.issuer, "subject": "ann", "runs": 1, "calls": 3, "tokens": 45,
             "dollars": 0.5},
        ],
    }  # fmt: skip
    assert (await by_admin(team, "/admin/usage?period=2001-01")).data["users"] == []
    wrong = await by_admin(team, "/admin/usage?period=soon")
    assert (wrong.status, "such as 2026-11" in wrong.data["error"]) == (400, True)
    own = (await asked("/usage")).data
    assert own["used"] == {"runs": 1, "calls": 3, "tokens": 45, "dollars": 0.5}
    assert [(each["what"], each["left"]) for each in own["limits"]] == [("calls", 57)]
    nothing = (await ask(app_of(team), "/usage", user="ben")).data
    assert nothing["used"]["calls"] == 0


async def test_the_audit_log_is_told_in_pages(team: PostgresDatabase) -> None:
    for number in range(3):
        await AuditLog(team).note(ANN, "consult", f"run-{number}")
    first = (await by_admin(team, "/admin/audit?limit=2&since=2026-01-01")).data
    assert [each["target"] for each in first["entries"]] == ["run-2", "run-1"]
    rest = (await by_admin(team, f"/admin/audit?limit=2&cursor={first['next_cursor']}")).data
    assert [each["target"] for each in rest["entries"]] == ["run-0"]
    assert (await by_admin(team, "/admin/audit?since=2999-01-01T00:00:00Z")).data["entries"] == []
    for wrong in ("since=soon", "limit=many", "limit=0", "cursor=x"):
        assert (await by_admin(team, f"/admin/audit?{wrong}")).status == 400


async def test_an_admin_reads_texts_only_where_the_installation_says_so(
    team: PostgresDatabase,
) -> None:
    run = run_of("a").model_copy(update={"run_id": "hers"})
    usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
    report = report_of(run, usage, "2026-11-29T12:00:00.000+00:00")
    await Store(team).bound_to(ANN).begin_run(run, report)
    refused = await by_admin(team, "/admin/runs/hers")
    assert (refused.status, "CONSORTIUM_ADMINS_READ_TEXTS=yes" in refused.data["error"]) == (403, 1)
    app = app_of(team, texts=True)
    not_an_admin = await ask(app, "/admin/runs/hers", user="ann", scopes="consult read")
    assert not_an_admin.status == 403
    assert (await AuditLog(team).page()).entries == ()
    unknown = await ask(app, "/admin/runs/nobodys", user="ben", scopes="admin")
    assert (unknown.status, "nobodys" in unknown.data["error"]) == (404, True)
    found = await ask(app, "/admin/runs/hers", user="ben", scopes="admin")
    assert (found.status, found.data["report"]["prompt"]) == (200, run.prompt)
    [entry] = (await AuditLog(team).page()).entries
    assert (entry.user, entry.action, entry.target) == (BEN, "text_read", "hers")
    await team.write_one("ALTER TABLE audit_log RENAME TO gone")
    unseen = await ask(app, "/admin/runs/hers", user="ben", scopes="admin")
    assert unseen.status == 503
    assert run.prompt not in unseen.body.decode()


async def test_a_key_goes_in_and_never_comes_out(
    team: PostgresDatabase,
    asked: Asked,
) -> None:
    ring = UserKeys(team, Encryption((SECRET,), PURPOSE))
    given = await asked("/keys/openai", method="PUT", body=KEY.encode())
    assert (given.status, given.data) == (200, {"name": "openai"})
    as_json = {"content_type": "application/json"}
    body = b'{"key": "%s"}' % KEY.upper().encode()
    assert (await asked("/keys/anthropic", method="PUT", body=body, **as_json)).status == 200
    assert await ring.key(ANN, "openai") == KEY
    assert await ring.key(ANN, "anthropic") == KEY.upper()
    listed = await asked("/keys")
    assert [each["name"] for each in listed.data["keys"]] == ["anthropic", "openai"]
    assert listed.headers["cache-control"] == "no-store"
    assert KEY not in listed.body.decode() + given.body.decode()
    assert (await ask(app_of(team), "/keys", user="ben")).data == {"keys": []}
    foreign = await ask(app_of(team), "/keys/openai", method="DELETE", user="ben", scopes="consult")
    assert foreign.status == 404
    assert (await asked("/keys/openai", method="DELETE")).status == 200
    assert await ring.key(ANN, "openai") is None
    noted = (await AuditLog(team).page()).entries
    assert [(each.action, each.target) for each in noted] == [
        ("key_removed", "openai"), ("key_set", "anthropic"), ("key_set", "openai"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "text/plain", 400),
        (b"\xff\xfe", "text/plain", 400),
        (b"short", "text/plain", 400),
        (b"[1]", "application/json", 400),
        (b'{"key": 7}', "application/json", 400),
        (b'{"key": "sk-test-0123', "application/json", 400),
        (b"x" * 20_000, "text/plain", 413),
    ],
)
async def test_what_is_no_key_is_refused_without_repeating_it(
    asked: Asked,
    body: bytes,
    kind: str,
    status: int,
) -> None:
    refused = await asked("/keys/openai", method="PUT", body=body, content_type=kind)
    assert refused.status == status
    assert "sk-test" not in refused.body.decode()


async def test_keys_are_given_only_by_who_may_consult(team: PostgresDatabase) -> None:
    app = app_of(team)
    put = partial(ask, app, "/keys/openai", method="PUT", body=KEY.encode())
    assert (await put()).status == 401
    assert (await put(user="ann", scopes="read")).status == 403


async def test_a_server_that_uses_its_own_keys_says_so(team: PostgresDatabase) -> None:
    told = await ask(app_of(team, own_keys=False), "/keys", user="ann")
    assert (told.status, "CONSORTIUM_USER_KEYS" in told.data["error"]) == (404, True)


async def test_a_database_that_is_down_is_told(database: DatabaseOfTest) -> None:  # noqa: ARG001
    nowhere = PostgresDatabase("postgresql://consortium:x@127.0.0.1:1/nothing")
    assert (await ask(app_of(nowhere), "/usage", user="ann")).status == 503
