"""The ledger: what is set aside for runs that work, and what those that have ended really used.

Whoever writes it holds one lock of the database until the transaction ends, so that no two
admissions see the same amount as free. Sums are kept by day, so that none grows with the history.
A process that dies settles nothing: its runs are settled by what the journal has of them, as soon
as somebody lacks what is set aside for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from consortium_mcp.adapters.team.limits import holding
from consortium_mcp.core.domain.errors import BudgetError
from consortium_mcp.core.spending.allotting import allotted
from consortium_mcp.core.spending.limits import SPENDABLE, Standing, Used

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consortium_mcp.adapters.databases.database import Connection, Database, Row
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.core.spending.allotting import Want
    from consortium_mcp.core.spending.limits import Limit, Spendable

ABANDONED_SECONDS = 60.0
"""Silence after which nobody works on a run any more. Much longer than it takes until another
process takes it over: what is set aside for a run must not be given away before."""
_LOCK = "the ledger of budgets"
_LOCK_SECONDS = 30
"""How long to wait for it. Nobody has it for longer than some statements, but many may want it."""
T = TypeVar("T")
_EVERYBODY = ["*", "*"]


@dataclass(frozen=True)
class Taken:
    """What a run may use in all; `None` where that is not limited."""

    calls: float | None = None
    tokens: float | None = None
    dollars: float | None = None
    fresh: bool = True
    """Set aside just now, and not at an earlier admission of the same run."""


@dataclass(frozen=True)
class UserSpending:
    """What one user's runs used in a period."""

    issuer: str
    subject: str
    runs: int
    calls: int
    tokens: int
    dollars: float


class Ledger:
    """The ledger in a team's database.

    Args:
        database: a team's. Its errors are those of `databases.database.Database`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = anyio.Lock()

    async def _alone(self, change: Callable[[Connection], T]) -> T:
        """Make a change while nobody else changes the ledger."""

        def write(db: Connection) -> T:
            db.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            self._database.alone(db, _LOCK)
            return change(db)

        # Shielded, as `write` is. Those of this process wait here, and not each with a connection.
        with anyio.CancelScope(shield=True):
            async with self._turn:
                result = await self._database.write(write)
        return result

    async def take(
        self,
        principal: Principal,
        run_id: str,
        wants: Mapping[Spendable, Want],
        *,
        resumed: bool = False,
    ) -> Taken:
        """Set aside what a run may take; for one that has something set aside, say what.

        Args:
            principal: whose run it is.
            run_id: the run's id.
            wants: what it may take, by what is limited.
            resumed: whether it has been at work before; what it used then, it may use besides.

        Raises:
            BudgetError: what is left does not cover one full iteration.
        """

        def write(db: Connection) -> Taken | BudgetError:
            rows = db.execute(_OPEN_ROW, [run_id]).fetchall()
            if rows:
                return _taken(rows[0], fresh=False)
            try:
                found = allotted(_standings(db, principal), wants)
            except BudgetError:
                if not _settle_abandoned(db):
                    raise
                try:
                    found = allotted(_standings(db, principal), wants)
                except BudgetError as error:
                    return error  # what has been settled stays so
            used = _used_by(db, run_id) if resumed else Used()
            most = {what: found[what] + getattr(used, what) for what in found}
            return _taken(_insert(db, principal, run_id, found, most), fresh=True)

        taken = await self._alone(write)
        if isinstance(taken, BudgetError):
            raise taken
        return taken

    async def withdraw(self, run_id: str) -> None:
        """Give back what is set aside for a run that has not begun."""
        await self._database.write(
            lambda db: db.execute(
                "DELETE FROM ledger WHERE run_id = ? AND settled_at IS NULL", [run_id]
            )
        )

    async def settle(self, run_id: str, used: Used, owner: str) -> None:
        """Write down what a run has used by its end, and give the rest back.

        May be called again, when late answers have come. Of a run that another process has taken
        over, nothing is written.

        Args:
            run_id: the run's id.
            used: in all, with what it used before it was resumed.
            owner: who worked on it.
        """

        def write(db: Connection) -> None:
            if not db.execute(_TAKEN_OVER, [run_id, owner]).fetchall():
                _settle(db, run_id, used)

        await self._alone(write)

    async def standings(self, principal: Principal) -> list[Standing]:
        """How much of each limit that holds for this user is used."""

        def write(db: Connection) -> list[Standing]:
            _settle_abandoned(db)
            return _standings(db, principal)

        return await self._alone(write)

    async def spending(
        self, first_day: str, last_day: str, principal: Principal | None = None
    ) -> list[UserSpending]:
        """What users' runs have used on these days, by what they used; runs at work do not count.

        Args:
            first_day: in UTC, such as `2026-11-01`.
            last_day: likewise; it counts too.
            principal: one user; `None` for all.
        """

        def write(db: Connection) -> Sequence[Row]:
            _settle_abandoned(db)
            whose, values = "issuer <> '*'", []
            if principal is not None:
                whose, values = "issuer = ? AND subject = ?", [*principal.columns.values()]
            return db.execute(
                "SELECT issuer, subject, sum(runs) AS runs, sum(calls) AS calls,"  # noqa: S608 (conditions are ours)
                " sum(tokens) AS tokens, sum(dollars) AS dollars FROM spent"
                f" WHERE day BETWEEN CAST(? AS date) AND CAST(? AS date) AND {whose}"
                " GROUP BY issuer, subject ORDER BY sum(dollars) DESC, sum(calls) DESC,"
                " issuer, subject",
                [first_day, last_day, *values],
            ).fetchall()

        rows = await self._alone(write)
        return [
            UserSpending(
                issuer=row["issuer"],
                subject=row["subject"],
                runs=int(row["runs"]),
                calls=int(row["calls"]),
                tokens=int(row["tokens"]),
                dollars=row["dollars"],
            )
            for row in rows
        ]


def _taken(row: Row, *, fresh: bool) -> Taken:
    return Taken(row["most_calls"], row["most_tokens"], row["most_dollars"], fresh)


def _insert(
    db: Connection,
    principal: Principal,
    run_id: str,
    reserved: Mapping[Spendable, float],
    most: Mapping[Spendable, float],
) -> Any:  # noqa: ANN401 (a row)
    columns: dict[str, Any] = {"run_id": run_id} | principal.columns
    columns |= {f"reserved_{what}": reserved.get(what, 0) for what in SPENDABLE}
    columns |= {f"most_{what}": most.get(what) for what in SPENDABLE}
    marks = ", ".join("?" for _ in columns)
    return db.execute(
        f"INSERT INTO ledger ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 (columns are ours)
        " RETURNING most_calls, most_tokens, most_dollars",
        [*columns.values()],
    ).fetchone()


def _standings(db: Connection, principal: Principal) -> list[Standing]:
    limits = holding(db, principal)
    if not limits:
        return []
    times = db.execute(_TIMES).fetchone()
    own = [*principal.columns.values()]
    sums: dict[bool, Any] = {}
    for everybody in {limit.who == "everybody" for limit in limits}:
        spent = db.execute(_SPENT, _EVERYBODY if everybody else own).fetchone()
        whose = "" if everybody else " AND issuer = ? AND subject = ?"
        reserved = db.execute(_RESERVED + whose, [] if everybody else own).fetchone()
        sums[everybody] = spent, reserved
    return [_standing(limit, times, *sums[limit.who == "everybody"]) for limit in limits]


def _standing(limit: Limit, times: Row, spent: Row, reserved: Row) -> Standing:
    if limit.what == "runs":
        return Standing(limit=limit, reserved=reserved["runs"], now=times["now"])
    place = f"{limit.what}_{limit.period}"
    return Standing(
        limit=limit,
        used=spent[place] or 0,
        reserved=reserved[place] or 0,
        now=times["now"],
        renewed_at=times["tomorrow" if limit.period == "day" else "next_month"],
    )


def _settle_abandoned(db: Connection) -> bool:
    """Settle the runs that nobody works on any more, by their journals; whether there were any."""
    rows = db.execute(_ABANDONED, [ABANDONED_SECONDS, ABANDONED_SECONDS]).fetchall()
    for row in rows:
        _settle(db, row["run_id"], _used_by(db, row["run_id"]))
    return bool(rows)


def _settle(db: Connection, run_id: str, used: Used) -> None:
    row = db.execute(_NEWEST, [run_id]).fetchone()
    if row is None:
        return
    had: list[float] = [row[what] or 0 for what in SPENDABLE]
    now = [max(getattr(used, what) - row[f"{what}_before"], 0.0) for what in SPENDABLE]
    more = [amount - before for amount, before in zip(now, had, strict=True)]
    db.execute(
        "UPDATE ledger SET calls = ?, tokens = ?, dollars = ?,"
        " settled_at = coalesce(settled_at, now()) WHERE id = ?",
        [*now, row["id"]],
    )
    runs = int(row["settled_at"] is None and not row["admissions_before"])
    for whose in ([row["issuer"], row["subject"]], _EVERYBODY):
        db.execute(
            "INSERT INTO spent (issuer, subject, day, runs, calls, tokens, dollars)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (issuer, subject, day) DO UPDATE SET"
            " runs = spent.runs + excluded.runs, calls = spent.calls + excluded.calls,"
            " tokens = spent.tokens + excluded.tokens, dollars = spent.dollars + excluded.dollars",
            [*whose, row["day"], runs, *more],
        )


def _used_by(db: Connection, run_id: str) -> Used:
    row = db.execute(_USED, [run_id]).fetchone()
    return Used(calls=int(row["calls"]), tokens=int(row["tokens"]), dollars=float(row["dollars"]))


_OPEN_ROW = (
    "SELECT most_calls, most_tokens, most_dollars FROM ledger"
    " WHERE run_id = ? AND settled_at IS NULL"
)
_TODAY = "CAST(now() AT TIME ZONE 'UTC' AS date)"
_MONTH = "CAST(date_trunc('month', now() AT TIME ZONE 'UTC') AS date)"
_TIMES = (
    "SELECT now() AT TIME ZONE 'UTC' AT TIME ZONE 'UTC' AS now,"
    " (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'"
    " AS tomorrow,"
    " (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'"
    " AS next_month"
)
_SPENT = (
    "SELECT "  # noqa: S608 (columns are ours)
    + ", ".join(
        f"sum({what}) AS {what}_month, sum({what}) FILTER (WHERE day = {_TODAY}) AS {what}_day"
        for what in SPENDABLE
    )
    + f" FROM spent WHERE issuer = ? AND subject = ? AND day >= {_MONTH}"
)
_RESERVED = (
    "SELECT count(*) AS runs, "  # noqa: S608 (columns are ours)
    + ", ".join(
        f"sum(reserved_{what}) FILTER (WHERE day >= {_MONTH}) AS {what}_month,"
        f" sum(reserved_{what}) FILTER (WHERE day = {_TODAY}) AS {what}_day"
        for what in SPENDABLE
    )
    + " FROM ledger WHERE settled_at IS NULL"
)
# A run that its process could not record has no row; one that was cancelled while it waited for a
# process has no owner. Who works on a run writes its heartbeat until the last late answer is in.
_ABANDONED = (
    "SELECT ledger.run_id FROM ledger LEFT JOIN runs ON runs.run_id = ledger.run_id"
    " WHERE ledger.settled_at IS NULL AND CASE"
    " WHEN runs.run_id IS NULL THEN ledger.taken_at < now() - make_interval(secs => ?)"
    " WHEN runs.owner IS NULL AND runs.status <> 'working' THEN true"
    " ELSE coalesce(runs.heartbeat, 0) < extract(epoch FROM now()) - ? END"
    " ORDER BY ledger.id"
)
# Or waits for another process, and so has no owner.
_TAKEN_OVER = "SELECT 1 FROM runs WHERE run_id = ? AND owner IS DISTINCT FROM ?"
_NEWEST = (
    "SELECT newest.*, coalesce(before.calls, 0) AS calls_before,"
    " coalesce(before.tokens, 0) AS tokens_before, coalesce(before.dollars, 0) AS dollars_before,"
    " before.admissions AS admissions_before FROM ledger AS newest,"
    " LATERAL (SELECT sum(calls) AS calls, sum(tokens) AS tokens, sum(dollars) AS dollars,"
    " count(*) AS admissions FROM ledger WHERE run_id = newest.run_id AND id < newest.id) AS before"
    " WHERE newest.run_id = ? ORDER BY newest.id DESC LIMIT 1"
)
# As `core.spending.budget` counts: each try of each call, those that were cut off as well, of the
# run and of the runs nested in it. What a nested run answers is no call itself.
_USED = """
WITH RECURSIVE tree (run_id) AS (
    SELECT CAST(? AS text) COLLATE "C"
    UNION SELECT runs.run_id FROM runs JOIN tree ON runs.parent_run_id = tree.run_id
), made AS (
    SELECT tries, coalesce(cost_usd, 0) AS dollars,
        coalesce(input_tokens, ceil((length(prompt) + length(coalesce(system, ''))) / 4.0))
        + coalesce(output_tokens, ceil(length(coalesce(reply, '')) / 4.0)) AS tokens
    FROM exchanges JOIN tree USING (run_id)
    WHERE nested_run_id IS NULL AND coalesce(error_kind, '') <> 'consortium'
), lost AS (
    SELECT begun.tries - coalesce(ended.tries, 0) AS tries, begun.input_tokens
    FROM begun_calls AS begun JOIN tree USING (run_id)
    LEFT JOIN exchanges AS ended ON ended.run_id = begun.run_id
        AND ended.iteration = begun.iteration AND ended.role = begun.role
        AND ended.label = begun.label AND ended.attempt = begun.attempt
    WHERE begun.tries > coalesce(ended.tries, 0)
)
SELECT (SELECT coalesce(sum(tries), 0) FROM made) + (SELECT coalesce(sum(tries), 0) FROM lost)
        AS calls,
    (SELECT coalesce(sum(tokens), 0) FROM made)
        + (SELECT coalesce(sum(tries * input_tokens), 0) FROM lost) AS tokens,
    (SELECT coalesce(sum(dollars), 0) FROM made) AS dollars
"""
