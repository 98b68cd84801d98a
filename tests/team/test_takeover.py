"""Two workers and one database: what one of them leaves, the other one ends.

Each experiment stops 25 runs at 25 different moments. Every report must be that of an undisturbed
run, each exchange recorded once, and no call made twice but those that were in flight.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.databases.lease import TEAM
from tests.support.postgres import NoServer, running_server
from tests.support.replicas import CALLS, MOMENTS, PANEL_SIZE, begin, replicas, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service
    from tests.support.postgres import Server
    from tests.support.replicas import Replica, Replicas

pytestmark = pytest.mark.anyio
SECONDS = 60
"""By when a busy machine must have taken over; the figure to aim at is 15."""
_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@dataclass
class Experiment:
    """25 runs that `first` works on, each at its moment; `second` is there too."""

    team: Replicas
    service: Service
    first: Replica
    runs: dict[int, str]
    undisturbed: RunReport
    begun: dict[int, int]
    """Calls that had begun at the moment, by run."""
    recorded: dict[str, int]

    async def _recorded_whole(self, run_id: str) -> RunReport:
        """The report in the end; before, it may say what could not be recorded yet."""
        with anyio.fail_after(90):
            while True:
                report = await self.service.wait(run_id, 90)
                if not any("Not all of this run" in each for each in report.warnings):
                    return report
                await anyio.sleep(0.1)

    async def check(self) -> None:
        """Wait for every run, and compare."""
        for moment, run_id in self.runs.items():
            report = await self._recorded_whole(run_id)
            assert told(report) == told(self.undisturbed), moment
            in_flight = self.begun[moment] - self.recorded.get(run_id, 0)
            made = _of(self.team.noted("begin"), moment)
            assert made <= CALLS + in_flight, moment
            # A call is noted before it begins, and what disturbs may fall between the two.
            assert made <= report.usage.calls <= made + PANEL_SIZE, moment
        assert set(self.team.recorded().values()) == {CALLS}
        assert len({(self.begun[m], self.recorded.get(self.runs[m], 0)) for m in MOMENTS}) >= 10


def _of(noted: list[tuple[str, str]], moment: int) -> int:
    return Counter(each[0] for each in noted)[str(moment)]


@asynccontextmanager
async def experiment(
    url: str, folder: Path, environment: dict[str, str], **of_second: str
) -> AsyncIterator[Experiment]:
    with replicas(url, folder / "team", environment) as team:
        async with team.service() as service:
            team.audit()
            first = team.start("first")
            runs = await begin(service, MOMENTS)
            await team.until_held(runs)
            undisturbed = await service.wait(runs[MOMENTS[-1]], 60)
            assert (undisturbed.status, undisturbed.usage.calls) == ("completed", CALLS)
            team.start("second", **of_second)
            await team.until_up(2)
            begun = team.noted("begin")
            yield Experiment(
                team, service, first, runs, undisturbed,
                {moment: _of(begun, moment) for moment in runs}, team.recorded(),
            )  # fmt: skip


async def test_a_worker_is_killed(
    postgres: Server, child_environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.database() as url:
        async with experiment(url, tmp_path, child_environment) as here:
            here.first.signal(signal.SIGKILL)
            here.team.note_time()
            here.team.release()
            await here.check()
            assert here.team.seconds_to_take_over() < SECONDS


async def test_a_worker_stops_and_goes_on_when_its_runs_are_anothers(
    postgres: Server, child_environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.database() as url:
        async with experiment(url, tmp_path, child_environment) as here:
            here.first.signal(signal.SIGSTOP)
            here.team.note_time()
            here.team.release()
            for run_id in here.runs.values():
                await here.service.wait(run_id, 90)
            here.first.signal(signal.SIGCONT)
            taken = len(here.runs) - 1  # the last one had ended before
            with anyio.fail_after(60):
                while here.first.log.read_text().count("another process goes on") < taken:  # noqa: ASYNC110 (a file)
                    await anyio.sleep(0.1)
            # It lives, and takes what comes.
            [again] = (await begin(here.service, range(100, 101))).values()
            assert (await here.service.wait(again, 60)).status == "completed"
            await here.check()
            assert here.team.written_by_the_first_afterwards() == 0
            assert here.team.seconds_to_take_over() < SECONDS


async def test_a_worker_is_told_to_end(
    postgres: Server, child_environment: dict[str, str], tmp_path: Path
) -> None:
    with postgres.database() as url:
        environment = child_environment | {"GRACE": "0"}
        async with experiment(url, tmp_path, environment) as here:
            here.first.signal(signal.SIGTERM)
            here.team.note_time()
            with anyio.fail_after(60):
                while here.first.process.poll() is None:  # noqa: ASYNC110 (a process)
                    await anyio.sleep(0.05)
            assert here.first.process.returncode == 0
            here.team.release()
            await here.check()
            assert here.team.written_by_the_first_afterwards() == 0
            assert here.team.seconds_to_take_over() < SECONDS


async def test_the_database_is_restarted(child_environment: dict[str, str], tmp_path: Path) -> None:
    try:
        with running_server() as server:
            server.make_template()
            with server.database() as url:
                async with experiment(url, tmp_path, child_environment) as here:
                    server.stop(at_once=True)
                    here.team.release()
                    # For longer than a lease lasts nobody can write a heartbeat.
                    await anyio.sleep(TEAM.claim_seconds + 1)
                    server.start()
                    await here.check()
                    assert here.team.value("SELECT sum(deaths) FROM runs") == 0
    except NoServer as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def ahead(child_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What sets the clock of a process a minute ahead: Debian's `faketime`, or most of it."""
    if _FAKETIME.exists():
        return {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": "+60s", "DONT_FAKE_MONOTONIC": "1"}
    shift = "import time\nreal = time.time\ntime.time = lambda: real() + 60\n"
    (tmp_path / "sitecustomize.py").write_text(shift)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), child_environment["PYTHONPATH"]])}


async def test_the_clock_of_a_worker_is_a_minute_ahead(
    postgres: Server, child_environment: dict[str, str], tmp_path: Path, ahead: dict[str, str]
) -> None:
    with postgres.database() as url:
        async with experiment(url, tmp_path, child_environment, **ahead) as here:
            # Those that work stay with the first one, for longer than a lease lasts.
            await here.team.until("SELECT clock_timestamp() > max(at) + '10 s' FROM audit")
            assert here.team.value("SELECT count(*) FROM audit WHERE who = 'second'") == 0
            here.first.signal(signal.SIGKILL)
            here.team.note_time()
            here.team.release()
            await here.check()
            assert here.team.seconds_to_take_over() < SECONDS
