"""Replicas of a team's server: workers in processes of their own, and a service without one."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import psycopg
from psycopg.rows import dict_row

from consortium_mcp.adapters.settings import Settings
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.workers.opening import open_team
from tests.support.fake_models import plugin
from tests.support.team_worker import fakes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

PANEL = ConsortiumSettings(
    models=["one", "two", "three"],
    arbiter="judge",
    strategy="synthesis",
    min_iterations=3,
    max_iterations=3,
)
ITERATIONS, PANEL_SIZE = 3, 3
CALLS = ITERATIONS * (PANEL_SIZE + 1)
MOMENTS = range(2 * CALLS + 1)
# Who has written what of which run, with the address's `application_name` as who.
_AUDIT = """
CREATE TABLE audit (
    id bigserial, who text, what text, run_id text, at timestamptz DEFAULT clock_timestamp()
);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (who, what, run_id)
        VALUES (current_setting('application_name'), TG_TABLE_NAME, NEW.run_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON exchanges
    FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON begun_calls
    FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON iterations
    FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audited AFTER UPDATE OF status, report, owner ON runs
    FOR EACH ROW EXECUTE FUNCTION audit();
"""


@dataclass(eq=False)
class Replica:
    """A worker's process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@dataclass
class Replicas:
    """A database, and the processes that use it."""

    url: str
    folder: Path
    environment: dict[str, str]
    started: list[Replica] = field(default_factory=list)

    @property
    def calls(self) -> Path:
        return self.folder / "calls"

    def start(self, name: str, **environment: str) -> Replica:
        """Begin a worker of this name."""
        log = self.folder / f"{name}.log"
        ours = {
            "CONSORTIUM_DATABASE_URL": f"{self.url}?application_name={name}",
            "CONSORTIUM_WORKER_RUNS": "40",
            "REPLICA": name,
            "CALLS": str(self.calls),
        }
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.team_worker"],
                env=self.environment | ours | environment,
                stderr=errors,
            )
        replica = Replica(name, process, log)
        self.started.append(replica)
        return replica

    def release(self) -> None:
        """Let every call land."""
        (self.folder / "release").touch()

    def noted(self, what: str, replica: str | None = None) -> list[tuple[str, str]]:
        """The moment (the run's) and the model of each call that began or landed."""
        lines = [line.split() for line in self.calls.read_text(encoding="utf-8").splitlines()]
        return [
            (each[2], each[3]) for each in lines if each[1] == what and replica in {None, each[0]}
        ]

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """The rows of a query."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql: str, *values: Any) -> Any:  # noqa: ANN401
        """The one value of a query."""
        [row] = self.rows(sql, *values)
        [found] = row.values()
        return found

    async def until(self, sql: str, *values: Any, equals: object = True) -> None:  # noqa: ANN401
        """Wait until the query gives this value."""
        with anyio.fail_after(90):
            while self.value(sql, *values) != equals:  # noqa: ASYNC110 (it is a database)
                await anyio.sleep(0.1)

    async def until_up(self, workers: int = 1) -> None:
        """Wait until so many workers take jobs: each has two in procrastinate's words."""
        await self.until("SELECT count(*) >= %s FROM procrastinate_workers", 2 * workers)

    async def until_held(self, runs: dict[int, str]) -> None:
        """Wait until each run has come to its moment, and what has landed is recorded."""
        with anyio.fail_after(90):
            while not self._are_held(runs):  # noqa: ASYNC110 (in files and a database)
                await anyio.sleep(0.1)

    def _are_held(self, runs: dict[int, str]) -> bool:
        begun, landed = self.noted("begin"), self.noted("land")
        recorded = self.recorded()
        return all(
            sum(each[0] == str(moment) for each in [*begun, *landed]) >= moment
            and sum(each[0] == str(moment) for each in landed) == recorded.get(run_id, 0)
            for moment, run_id in runs.items()
        )

    def recorded(self) -> dict[str, int]:
        """Exchanges of each run."""
        rows = self.rows("SELECT run_id, count(*) AS n FROM exchanges GROUP BY run_id")
        return {row["run_id"]: row["n"] for row in rows}

    def audit(self) -> None:
        """From now on note who writes."""
        self.rows(_AUDIT)

    def seconds_to_take_over(self) -> float:
        """From `note_time` until `second` had written something of every run of `first`."""
        found = self.value(
            "SELECT max(extract(epoch FROM taken.at - noted.at)) FROM noted, (SELECT min(at) AS at"
            " FROM audit WHERE who = 'second' GROUP BY run_id) AS taken"
        )
        return float(found)

    def note_time(self) -> None:
        """Note the time, by the database's clock."""
        self.rows("CREATE TABLE noted AS SELECT clock_timestamp() AS at")

    def written_by_the_first_afterwards(self) -> int:
        """What `first` has written of runs of which `second` had written something before."""
        found = self.value(
            "SELECT count(*) FROM audit AS a WHERE who = 'first' AND EXISTS (SELECT 1 FROM audit"
            " AS b WHERE b.who = 'second' AND b.run_id = a.run_id AND b.id < a.id)"
        )
        return int(found)

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Service]:
        """A replica in this process that only takes requests; all its runs have one seed."""
        settings = Settings(
            database=self.folder / "none.db",
            user_dir=Path(self.environment["LLM_USER_PATH"]),
            database_url=f"{self.url}?application_name=web",
        )
        with plugin("fake", fakes()):
            async with (
                anyio.create_task_group() as group,
                open_team(settings, group, work=False, new_seed=lambda: "seed") as team,
            ):
                yield team.service


@contextmanager
def replicas(url: str, folder: Path, environment: dict[str, str]) -> Iterator[Replicas]:
    """Replicas that use this database; their processes end with the context."""
    folder.mkdir(exist_ok=True)
    (folder / "calls").touch()
    opened = Replicas(url, folder, environment)
    try:
        yield opened
    finally:
        for replica in opened.started:
            for number in (signal.SIGCONT, signal.SIGKILL):
                if replica.process.poll() is None:
                    replica.signal(number)
            replica.process.wait()


async def begin(service: Service, moments: range) -> dict[int, str]:
    """One run for each moment, by moment."""
    return {
        moment: await service.consult(ConsultRequest(f"Six × 7? #{moment}#", None, PANEL))
        for moment in moments
    }


def told(report: RunReport) -> dict[str, Any]:
    """The report; ids, times and what was cut off aside."""
    said = report.model_dump(exclude={"run_id", "resource", "created_at", "prompt"})
    del said["usage"]["seconds"], said["usage"]["calls"]
    said["warnings"] = [each for each in said["warnings"] if "cut off when" not in each]
    for member in said["members"]:
        member.pop("seconds")
    return said
