"""`llm consortium` in a real terminal: live progress, Ctrl-C, and going on afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = (sys.executable, "-m", "tests.support.fake_llm", "consortium")
PANEL = ("-m", "sure", "-m", "agrees", "--arbiter", "judge", "--strategy", "synthesis")
LONGEST = 60


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )


def test_what_is_piped_holds_no_progress(child_environment: dict[str, str]) -> None:
    done = run(child_environment, "Six × 7?", *PANEL, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "It is 42.\n", "")
    done = run(child_environment, "Six × 7?", *PANEL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_progress_and_is_not_waited_for(
    child_environment: dict[str, str],
) -> None:
    ours, theirs = os.openpty()
    done = subprocess.run(
        [*COMMAND, "Six × 7?", *PANEL],
        env=child_environment,
        cwd=ROOT,
        stdin=theirs,  # nothing will ever come of it
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
        timeout=LONGEST,
    )
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "· iteration 1 of 3: 2 of 2 members answered" in told
    assert "· iteration 1 of 3: verdict, confidence 0.85" in told
    assert "·" not in done.stdout.decode().partition("### Members")[0]


def until(path: Path, condition: Callable[[sqlite3.Connection], object]) -> None:
    """Wait until this holds in the database."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if path.exists():
            connection = sqlite3.connect(path, timeout=5)
            try:
                if condition(connection):
                    return
            except sqlite3.OperationalError:
                pass  # its tables are not there yet
            finally:
                connection.close()
        time.sleep(0.05)
    raise TimeoutError("the run did not come so far")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child")
def test_ctrl_c_leaves_a_run_that_is_gone_on_with(child_environment: dict[str, str]) -> None:
    database = Path(child_environment["LLM_USER_PATH"]) / "consortium.db"
    child = subprocess.Popen(
        [*COMMAND, "Six × 7?", "-m", "sure", "-m", "held", *PANEL[4:]],
        env=child_environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(database, lambda db: db.execute("SELECT 1 FROM exchanges").fetchone())
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=LONGEST)
    assert (child.returncode, stdout) == (130, "")
    found = re.search(r"Interrupted in run (\w+)", stderr)
    assert found
    run_id = found[1]
    assert f"llm consortium resume {run_id}" in stderr
    runs = json.loads(run(child_environment, "runs", "--json").stdout)["runs"]
    assert [(r["run_id"], r["status"]) for r in runs] == [(run_id, "interrupted")]
    assert runs[0]["next_step"] == f"llm consortium resume {run_id}"
    (database.parent / "release").touch()
    done = run(child_environment, "resume", run_id, "--quiet")
    assert (done.returncode, done.stdout) == (0, "It is 42.\n")
    told = json.loads(run(child_environment, "run-info", run_id, "--json").stdout)
    assert (told["status"], told["usage"]["calls"]) == ("completed", 4)
