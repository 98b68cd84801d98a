"""The server's end: whatever it is doing, it is gone within a second and has marked its runs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.support.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
ENDS = [
    "eof",
    pytest.param("SIGTERM", marks=POSIX),
    pytest.param("SIGINT", marks=POSIX),
    pytest.param("SIGHUP", marks=POSIX),
    pytest.param("Ctrl-C", marks=POSIX),
    pytest.param(
        "SIGBREAK", marks=pytest.mark.skipif(sys.platform != "win32", reason="Windows's own")
    ),
]
CODES = {"eof": 0, "SIGTERM": 143, "SIGINT": 130, "SIGHUP": 129, "Ctrl-C": 130}


def bring_to_its_end(wire: Wire, how: str) -> None:
    """End the server; one that waits for what is stuck in it never ends."""
    if how == "eof":
        wire.stdin.close()
    elif how == "Ctrl-C":
        os.write(wire.terminal, b"\x03")
    else:
        wire.process.send_signal(getattr(signal, how.replace("SIGBREAK", "CTRL_BREAK_EVENT")))
    wire.process.wait(60)


def runs(tmp_path: Path) -> list[tuple[str, str | None]]:
    with sqlite3.connect(tmp_path / "llm" / "consortium.db") as connection:
        found = connection.execute("SELECT status, synthesis FROM runs").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize(
    ("models", "wait_seconds"),
    [(["sure", "slow"], 0), (["sure", "slow"], 30), (["sure", "stuck"], 30)],
    ids=["nobody waits", "a call waits", "a sync model is stuck"],
)
def test_the_process_ends_whatever_works_and_its_runs_are_marked(
    child_environment: dict[str, str],
    tmp_path: Path,
    how: str,
    models: list[str],
    wait_seconds: float,
) -> None:
    with Wire(child_environment, terminal=how == "Ctrl-C") as wire:
        wire.initialize()
        asked = {"prompt": "?", "models": models, "arbiter": "judge", "wait_seconds": wait_seconds}
        wire.call("consult_consortium", asked)
        wire.until_recorded(tmp_path / "llm" / "consortium.db", exchanges=1)
        bring_to_its_end(wire, how)
        assert wire.process.returncode == CODES.get(how, wire.process.returncode)
        assert "Traceback" not in wire.errors()
    assert runs(tmp_path) == [("interrupted", None)]


@pytest.mark.parametrize("how", ENDS)
def test_an_idle_server_ends(child_environment: dict[str, str], how: str) -> None:
    with Wire(child_environment, terminal=how == "Ctrl-C") as wire:
        wire.initialize()
        bring_to_its_end(wire, how)
        assert wire.process.returncode == CODES.get(how, wire.process.returncode)
        assert "Traceback" not in wire.errors()


def test_a_client_that_is_gone_altogether_ends_the_server_well(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    with Wire(child_environment) as wire:
        wire.initialize()
        asked = {"prompt": "?", "models": ["sure", "slow"], "arbiter": "judge", "wait_seconds": 30}
        wire.call("consult_consortium", asked)
        wire.until_recorded(tmp_path / "llm" / "consortium.db", exchanges=1)
        wire.stdout.close()
        bring_to_its_end(wire, "eof")
        assert "Traceback" not in wire.errors()
    assert runs(tmp_path) == [("interrupted", None)]


@POSIX
def test_a_client_that_reads_nothing_does_not_hold_up_the_end(
    child_environment: dict[str, str], tmp_path: Path
) -> None:
    with Wire(child_environment) as wire:
        wire.initialize()
        asked = {"prompt": "?", "models": ["sure", "slow"], "arbiter": "judge", "wait_seconds": 0}
        wire.call("consult_consortium", asked)
        wire.until_recorded(tmp_path / "llm" / "consortium.db", exchanges=1)
        for _ in range(40):  # more than any pipe holds
            wire.send("tools/list", {})
        wire.until_full()
        bring_to_its_end(wire, "eof")
    assert runs(tmp_path) == [("interrupted", None)]


def test_what_came_before_the_end_of_input_is_answered(child_environment: dict[str, str]) -> None:
    with Wire(child_environment) as wire:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.fake_server"],
            input=wire.initialization() + "\n",
            env=child_environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    assert done.stdout.count("\n") == 1
    assert '"protocolVersion":"2025-11-25"' in done.stdout.replace(" ", "")
