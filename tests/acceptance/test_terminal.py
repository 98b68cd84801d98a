"""`llm consortium` in a real terminal: live progress, Ctrl-C, and going on afterwards."""

from __future__ import annotations

import json
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
from tests.support.programs import program
from tests.support.terminals import NEEDS_PTY, seen

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = program("tests.support.fake_llm", "consortium")
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


@NEEDS_PTY
def test_a_terminal_that_cannot_draw_shows_progress_in_lines_and_is_not_waited_for(
    child_environment: dict[str, str],
) -> None:
    environment = child_environment | {"TERM": "dumb"}
    shown = seen([*COMMAND, "Six × 7?", *PANEL], environment, piped=True)
    assert shown.code == 0  # nothing will ever come of its stdin
    assert "· iteration 1 of 3: 2 of 2 members answered" in shown.raw
    assert "· iteration 1 of 3: verdict, confidence 0.85" in shown.raw
    assert "\x1b" not in shown.raw
    assert "·" not in shown.piped.partition("### Members")[0]


@NEEDS_PTY
def test_a_terminal_shows_who_has_answered_and_then_the_report(
    child_environment: dict[str, str],
) -> None:
    panel = ("-m", "sure", "-m", "a second", *PANEL[4:])
    shown = seen([*COMMAND, "Six × 7?", *panel], child_environment)
    assert shown.code == 0
    assert "iteration 1 of 3: 1 of 2 answered" in shown.text
    assert re.search(r"✓ \w sure     0\.\d s “42”", shown.text)
    assert shown.raw.index("\x1b[?25l") < shown.raw.index("\x1b[?25h")  # the cursor is back
    assert "✓" not in shown.after  # the rows are gone
    assert "It is 42.\n" in shown.after
    assert "Confidence  0.85: both members gave this answer" in shown.after
    assert "**" not in shown.after
    assert shown.is_coloured


@NEEDS_PTY
@pytest.mark.parametrize("arbiter", ["writes", "writes too"])
@pytest.mark.parametrize("piped", [False, True])
def test_the_synthesis_is_seen_while_it_is_written_and_taken_away_again(
    child_environment: dict[str, str], arbiter: str, *, piped: bool
) -> None:
    release = Path(child_environment["LLM_USER_PATH"], "release")

    def look(text: str, child: subprocess.Popen[bytes]) -> None:
        assert child.poll() is None
        if "The beginning of it." in text and not release.exists():
            release.touch()

    panel = (*PANEL[:4], "--arbiter", arbiter, *PANEL[6:])
    shown = seen([*COMMAND, "Six × 7?", *panel], child_environment, piped=piped, on_text=look)
    assert shown.code == 0
    assert release.exists()  # it was seen before it was whole
    assert "a draft" not in shown.text
    assert "<" not in shown.text
    assert shown.after.count("The beginning of it.") == (0 if piped else 1)
    assert shown.piped.count("The beginning of it.") == (1 if piped else 0)


@NEEDS_PTY
@pytest.mark.parametrize("columns", [40, 80])
def test_nothing_is_wider_than_the_terminal_and_colour_can_be_refused(
    child_environment: dict[str, str], columns: int
) -> None:
    environment = child_environment | {"NO_COLOR": "1"}
    shown = seen([*COMMAND, "Six × 7?", *PANEL], environment, columns=columns)
    assert not shown.is_coloured
    assert max(map(len, shown.after.split("\n"))) <= columns
    listed = seen([*COMMAND, "runs"], environment, columns=columns)
    assert "completed" in listed.text
    assert max(map(len, listed.text.split("\n"))) <= columns


@NEEDS_PTY
def test_ctrl_c_takes_the_rows_away_and_gives_the_cursor_back(
    child_environment: dict[str, str],
) -> None:
    sent: list[int] = []

    def interrupt(text: str, child: subprocess.Popen[bytes]) -> None:
        if "1 of 2 answered" in text and not sent:
            sent.append(child.pid)
            child.send_signal(signal.SIGINT)

    panel = ("-m", "sure", "-m", "held", *PANEL[4:])
    shown = seen([*COMMAND, "Six × 7?", *panel], child_environment, on_text=interrupt)
    assert shown.code == 130
    assert shown.raw.rindex("\x1b[?25l") < shown.raw.rindex("\x1b[?25h")
    assert re.match(r"Interrupted in run \w+\. Resume it with: llm consortium resume", shown.after)


@NEEDS_PTY
def test_a_run_that_fails_leaves_no_rows(child_environment: dict[str, str]) -> None:
    shown = seen([*COMMAND, "Six × 7?", "-m", "down", "--arbiter", "judge"], child_environment)
    assert shown.code == 1
    assert shown.raw.rindex("\x1b[?25l") < shown.raw.rindex("\x1b[?25h")
    assert shown.after.startswith("Error: ")


CONSORTIUM_MCP = program("consortium_mcp")
REPLAY = ("replay", "examples/replay.jsonl", "--panel", "model-1,model-2,model-3")


@NEEDS_PTY
@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("doctor",), "Providers and their keys"),
        (("costs",), "not known"),
        (("leaderboard",), "agrees"),
        (("leaderboard", "--judges"), "– (0 runs)"),
        (REPLAY, "model-1 alone"),
    ],
)
def test_the_tables_of_consortium_mcp_fit_the_terminal(
    child_environment: dict[str, str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
    columns: int,
) -> None:
    run(child_environment, "Six × 7?", *PANEL)
    if arguments == REPLAY:
        arguments = (*arguments, "--save", str(tmp_path))
    shown = seen([*CONSORTIUM_MCP, *arguments], child_environment, columns=columns)
    assert said in shown.text
    lines = [line for line in shown.text.split("\n") if not line.startswith("Saved ")]
    assert max(map(len, lines)) <= columns
    assert "\x1b[1m" in shown.raw


LLM = COMMAND[:-1]


@NEEDS_PTY
@pytest.mark.parametrize("more", [(), ("--async",)])
def test_a_saved_consortium_shows_on_stderr_who_has_answered(
    child_environment: dict[str, str], more: tuple[str, ...]
) -> None:
    run(child_environment, "save", "mine", "-m", "sure", "-m", "a second", *PANEL[4:])
    asked = [*LLM, "-m", "mine", *more, "Six × 7?"]
    shown = seen(asked, child_environment, piped=True)
    assert (shown.code, shown.piped) == (0, "It is 42.\n")
    assert "iteration 1 of 3: 1 of 2 answered" in shown.text
    assert "✓" not in shown.after
    assert "Confidence 0.85: both members gave this answer" in shown.after
    lines = seen(asked, child_environment | {"TERM": "dumb"}, piped=True)
    assert (lines.code, lines.piped) == (0, "It is 42.\n")
    assert "· iteration 1 of 3: verdict, confidence 0.85" in lines.raw
    assert "\x1b" not in lines.raw


@NEEDS_PTY
def test_a_program_that_uses_llms_python_api_prints_for_itself(
    child_environment: dict[str, str],
) -> None:
    run(child_environment, "save", "mine", *PANEL)
    program = (
        "import sys, tests.support.fake_llm as fake, llm; "
        "fake.load_plugins(); "
        "fake.pm.register(fake.FakePlugin(fake.models(*fake.FAKES)), name='fake'); "
        "fake.pm.register(fake.plugin, name='consortium'); "
        "print(llm.get_model('mine').prompt('Six × 7?').text())"
    )
    shown = seen([sys.executable, "-c", program], child_environment, piped=True)
    assert (shown.code, shown.piped, shown.raw) == (0, "It is 42.\n", "")


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
