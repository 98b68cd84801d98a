"""A server that is killed loses nothing that was recorded, and the next one goes on from there."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.reports.report import RunReport
from tests.support.programs import program
from tests.support.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path

SERVER = program("tests.support.crash_server")
ASKED = {
    "prompt": "Six × 7?",
    "models": ["one", "two", "three"],
    "arbiter": "judge",
    "strategy": "synthesis",
    "min_iterations": 3,
    "wait_seconds": 0,
}
PANEL_SIZE = 3
CALLS = 12
# After each of the 24 lines of an undisturbed run: at once, or when it has been recorded, or when
# what follows has begun; and when the last verdict has been reached.
MOMENTS = [f"{line}+{line * 3 % 7}" for line in range(1, 2 * CALLS + 1)] + [f"{2 * CALLS}+15"]


class Home:
    """A user's directory of its own, with what the servers in it did."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        folder.mkdir()
        self._calls = folder / "calls"
        self._calls.touch()
        self._database = folder / "consortium.db"
        self.environment = environment | {"CALLS": str(self._calls), "LLM_USER_PATH": str(folder)}

    def begun(self) -> int:
        """Model calls that were begun."""
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        return sum(line.startswith("begin") for line in lines)

    def exchanges(self) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self._database) as connection:
            found = connection.execute("SELECT * FROM exchanges ORDER BY id").fetchall()
        connection.close()
        return found


def told(report: RunReport) -> dict[str, Any]:
    """The report; ids, times and what was cut off aside."""
    said = report.model_dump(exclude={"run_id", "resource", "created_at"})
    del said["usage"]["seconds"], said["usage"]["calls"]
    said["warnings"] = [each for each in said["warnings"] if "cut off when" not in each]
    for member in said["members"]:
        member.pop("seconds")
    return said


def ended(wire: Wire, run_id: str) -> RunReport:
    result = wire.tool("get_run", {"run_id": run_id, "wait_seconds": 30})
    content = {k: v for k, v in result["structuredContent"].items() if k != "included"}
    return RunReport.model_validate(content)


def undisturbed(home: Home) -> RunReport:
    with Wire(home.environment, SERVER) as wire:
        wire.initialize()
        begun = wire.tool("consult_consortium", ASKED)
        return ended(wire, begun["structuredContent"]["run_id"])


def crashed_and_resumed(home: Home, moment: str) -> tuple[RunReport, int, list[tuple[Any, ...]]]:
    """The report in the end; calls begun, and exchanges recorded, when the server was killed."""
    with Wire(home.environment | {"CRASH_AT": moment}, SERVER) as wire:
        wire.initialize()
        wire.call("consult_consortium", ASKED)
        wire.process.wait(60)
    begun, recorded = home.begun(), home.exchanges()
    with Wire(home.environment, SERVER) as wire:
        wire.initialize()
        deadline = time.monotonic() + 60
        while True:
            [run] = wire.tool("list_runs", {})["structuredContent"]["runs"]
            if run["status"] != "working":
                break
            assert time.monotonic() < deadline, "the dead server was not noticed"
            time.sleep(0.2)
        wire.tool("resume_run", {"run_id": run["run_id"], "wait_seconds": 0})
        return ended(wire, run["run_id"]), begun, recorded


def test_killed_at_25_moments_the_run_comes_to_the_same_report(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    expected = undisturbed(Home(child_environment, tmp_path / "undisturbed"))
    assert (expected.iterations, expected.usage.calls, expected.status) == (3, CALLS, "completed")
    homes = [Home(child_environment, tmp_path / moment) for moment in MOMENTS]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(crashed_and_resumed, homes, MOMENTS))
    for moment, home, (report, begun, recorded) in zip(MOMENTS, homes, outcomes, strict=True):
        assert told(report) == told(expected), moment
        exchanges = home.exchanges()
        assert exchanges[: len(recorded)] == recorded, moment
        assert len(exchanges) == CALLS, moment
        in_flight = begun - len(recorded)
        assert home.begun() <= CALLS + in_flight, moment
        # A call is noted before it begins, so the kill may fall between the two.
        assert home.begun() <= report.usage.calls <= home.begun() + PANEL_SIZE, moment
    # The moments were different ones indeed.
    assert len({(begun, len(recorded)) for _, begun, recorded in outcomes}) >= 8
