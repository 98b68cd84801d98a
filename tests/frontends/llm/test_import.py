"""`llm consortium import` of what llm-consortium 0.8 saved and recorded, beside it or alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import llm as llm_package
import pluggy
import pytest
from llm import hookspecs

from consortium_mcp.core.panel.llm_consortium import IMPORTED
from consortium_mcp.frontends.llm import plugin as ours
from tests.frontends.llm.test_commands import consortium, llm
from tests.support.fake_models import FakeSync, plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.usefixtures("our_plugin")

NAMES = [f"panel-{number:02}" for number in range(39)]
CONFIG = {
    "models": {"o3-mini": 2, "gpt-4o": 1},
    "system_prompt": None,
    "confidence_threshold": 0.8,
    "max_iterations": 3,
    "minimum_iterations": 1,
    "arbiter": "gemini-2",
    "judging_method": "default",
    "strategy": "default",
    "strategy_params": {},
    "embedding_backend": None,
    "embedding_model": None,
    "embedding_cache_enabled": True,
    "manual_context": False,
    "status": "success",
}
# As llm-consortium 0.8 makes them; what it asked for is logged by llm, in the older or newer form.
SCHEMA = """
CREATE TABLE consortium_runs (id TEXT PRIMARY KEY, created_at TEXT, config_name TEXT, strategy TEXT,
    judging_method TEXT, confidence_threshold REAL, max_iterations INTEGER, iteration_count INTEGER,
    final_confidence REAL, user_prompt TEXT, category TEXT, expected_agreement REAL, status TEXT);
CREATE TABLE consortium_members (run_id TEXT, response_id TEXT, role TEXT, iteration INTEGER,
    member_index INTEGER, PRIMARY KEY (run_id, response_id));
CREATE TABLE arbiter_decisions (run_id TEXT, iteration INTEGER, response_id TEXT,
    chosen_response_id TEXT, confidence REAL, synthesis TEXT, decision_json TEXT, ranking_json TEXT,
    refinement_areas TEXT, geometric_confidence REAL, centroid_vector TEXT,
    PRIMARY KEY (run_id, iteration));
CREATE TABLE consortium_configs (name TEXT PRIMARY KEY, config TEXT NOT NULL,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, response TEXT,
    duration_ms INTEGER, datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER);
CREATE TABLE turns (id TEXT PRIMARY KEY, model TEXT, duration_ms INTEGER, datetime_utc TEXT,
    input_tokens INTEGER, output_tokens INTEGER);
CREATE TABLE turn_search (id INTEGER PRIMARY KEY, turn_id TEXT UNIQUE, prompt TEXT, response TEXT);
"""


@pytest.fixture
def database(settings: Settings) -> Path:
    """A database of llm-consortium with 39 consortiums, where it is looked for."""
    settings.user_dir.mkdir(exist_ok=True)
    path = settings.user_dir / "consortium_logs.db"
    write(path, *((_SAVE, [name, json.dumps(CONFIG)]) for name in NAMES), schema=SCHEMA)
    return path


_SAVE = "INSERT INTO consortium_configs (name, config) VALUES (?, ?)"


def write(path: Path, *statements: tuple[str, list[Any]], schema: str = "") -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        for sql, values in statements:
            connection.execute(sql, values)


def record(path: Path, run: str, hour: int, *, newer: bool, **changes: object) -> None:
    """A run of two members and the arbiter, as llm-consortium records it."""
    values = {
        "id": run,
        "created_at": f"2025-05-01T{hour:02}:00:00.5",
        "config_name": "panel-00",
        "strategy": "default",
        "max_iterations": 3,
        "final_confidence": 0.93,
        "user_prompt": "What is the 首都?",
        "status": "success",
    } | changes
    columns = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    decision = (
        "INSERT INTO arbiter_decisions (run_id, iteration, response_id, confidence, synthesis,"
        " refinement_areas) VALUES (?, 1, ?, .93, 'It is Bern.', '[\"- none\"]')"
    )
    write(
        path,
        (f"INSERT INTO consortium_runs ({columns}) VALUES ({marks})", [*values.values()]),  # noqa: S608
        (decision, [run, f"{run}-2"]),
    )
    for number, (role, said) in enumerate(
        [("o3-mini", "Bern"), ("gpt-4o", "Genf"), ("arbiter", "<synthesis>…")]
    ):
        key = f"{run}-{number}"
        model = "gemini-2" if role == "arbiter" else role
        call = "INSERT INTO consortium_members VALUES (?, ?, ?, 1, 0)"
        write(path, (call, [run, key, role]))
        time = "2025-05-01T09:00:01+00:00"
        if newer:
            turn = "INSERT INTO turns VALUES (?, ?, 1500, ?, 7, 3)"
            text = "INSERT INTO turn_search (turn_id, prompt, response) VALUES (?, 'Asked', ?)"
            write(path, (turn, [key, model, time]), (text, [key, said]))
        else:
            logged = "INSERT INTO responses VALUES (?, ?, 'Asked', NULL, ?, 1500, ?, 7, 3)"
            write(path, (logged, [key, model, said, time]))


def saved_names() -> list[str]:
    return [each["name"] for each in json.loads(consortium("list", "--json").output)]


class OriginalModel(FakeSync):
    """A model of llm-consortium: one for each of its consortiums."""


OriginalModel.__module__ = "llm_consortium.models"


@pytest.fixture
def original_plugin() -> Iterator[None]:
    """The plugin of llm-consortium."""

    def register(add: Callable[..., None]) -> None:
        for name in NAMES:
            add(OriginalModel(name, "an answer"), aliases=(name,))

    with plugin("llm-consortium", register):
        yield


@pytest.mark.usefixtures("database")
def test_all_consortiums_come_over() -> None:
    told = json.loads(consortium("import", "--json").stdout)
    assert told["saved"] == NAMES
    assert saved_names() == NAMES


@pytest.mark.usefixtures("database", "original_plugin")
def test_all_consortiums_come_over_while_llm_consortium_is_installed() -> None:
    assert json.loads(consortium("import", "--json").stdout)["refused"] == {}
    assert saved_names() == NAMES


class OriginalCommands:
    """The command of llm-consortium, which has the same name as ours."""

    @llm_package.hookimpl
    def register_commands(self, cli: click.Group) -> None:
        cli.add_command(click.Group("consortium"))


@pytest.mark.parametrize("order", [[OriginalCommands(), ours], [ours, OriginalCommands()]])
def test_our_command_stands_in_whichever_order_the_two_are_installed(order: list[object]) -> None:
    plugins = pluggy.PluginManager("llm")
    plugins.add_hookspecs(hookspecs)
    for each in order:
        plugins.register(each)
    cli = click.Group()
    plugins.hook.register_commands(cli=cli)
    group = cli.commands["consortium"]
    assert isinstance(group, click.Group)
    assert "import" in group.commands


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b'{"models": ', "not JSON"),
        (b"[]", "no object"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "no `models`"),
        (b'{"models": {}, "arbiter": "gemini-2"}', "Name the members"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_come(
    database: Path, row: bytes, said: str
) -> None:
    write(database, ("INSERT INTO consortium_configs VALUES ('bad', CAST(? AS TEXT), '')", [row]))
    done = llm("consortium", "import", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["saved"] == NAMES
    assert list(told["refused"]) == ["bad"]
    assert said in told["refused"]["bad"]


@pytest.mark.parametrize("named", [True, False])
def test_a_locked_database_is_called_locked(database: Path, *, named: bool) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = llm("consortium", "import", *([str(database)] if named else []))
    assert done.exit_code == 1
    assert "is locked by another program. Close what uses it" in done.output


def test_it_is_found_where_llm_consortium_writes_it(
    database: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    usual = Path(click.get_app_dir("io.datasette.llm"))  # it does not know LLM_USER_PATH
    usual.mkdir(parents=True)
    database.rename(usual / database.name)
    assert json.loads(consortium("import", "--json").stdout)["saved"] == NAMES


def test_limits_that_are_out_of_bounds_here_are_brought_in(database: Path) -> None:
    config = CONFIG | {"max_iterations": 50, "minimum_iterations": 30}
    write(database, (_SAVE, ["long", json.dumps(config)]))
    notes = json.loads(consortium("import", "--json").stdout)["notes"]["long"]
    assert notes[0] == "its `max_iterations` of 50 became 20, the most here"
    shown = json.loads(consortium("show", "long", "--json").output)
    assert (shown["min_iterations"], shown["max_iterations"]) == (20, 20)


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize("newer", [False, True])
def test_past_runs_come_over_once_before_all_others_and_marked(
    database: Path, *, newer: bool
) -> None:
    consortium("Six × 7?", "-m", "o3-mini", "-m", "gpt-4o", "--arbiter", "gemini-2")
    record(database, "second", 12, newer=newer)
    record(database, "first", 9, newer=newer)
    assert "Runs: 2 imported, 0 were here already." in consortium("import", "--runs").output
    told = json.loads(consortium("import", "--runs", "--json").stdout)
    assert told["runs"] == {"imported": 0, "known": 2, "refused": {}}
    listed = json.loads(consortium("runs", "--json").output)["runs"]
    assert [run["run_id"] for run in listed][1:] == ["second", "first"]
    found = json.loads(consortium("runs", "--json", "--query", "首都").output)["runs"]
    assert [run["run_id"] for run in found] == ["second", "first"]
    page = json.loads(consortium("runs", "--json", "--limit", "2").output)  # ends among them
    rest = json.loads(consortium("runs", "--json", "--cursor", page["next_cursor"]).output)
    assert [run["run_id"] for run in rest["runs"]] == ["first"]
    report = json.loads(consortium("run-info", "first", "--json").output)
    report = report.get("report", report)
    assert report["status"] == "completed"
    assert report["synthesis"] == "It is Bern."
    assert (report["confidence"], report["arbiter_confidence"]) == (None, 0.93)
    assert report["consortium"] == "panel-00"
    assert report["created_at"] == "2025-05-01T09:00:00.500+00:00"
    assert report["warnings"] == [IMPORTED]
    assert report["refinements"] == []
    used = {name: report["usage"][name] for name in ("calls", "input_tokens", "output_tokens")}
    assert used == {"calls": 3, "input_tokens": 21, "output_tokens": 9}
    assert report["usage"]["seconds"] is None
    members = [(each["model"], each["status"], each["seconds"]) for each in report["members"]]
    assert members == [("o3-mini", "answered", 1.5), ("gpt-4o", "answered", 1.5)]
    raw = consortium("run-info", "first", "--raw").output
    assert "Genf" in raw


def test_what_of_a_run_is_missing_is_said(database: Path) -> None:
    record(database, "unlogged", 9, newer=True)
    record(database, "unjudged", 10, newer=True, status="running")
    record(database, "unanswered", 11, newer=True)
    record(database, "undated", 12, newer=True, created_at=None)
    write(
        database,
        ("DELETE FROM turns WHERE id = 'unlogged-1'", []),
        ("DELETE FROM arbiter_decisions WHERE run_id = 'unjudged'", []),
        ("DELETE FROM consortium_members WHERE run_id = 'unanswered'", []),
    )
    done = llm("consortium", "import", "--runs", "--json")
    assert done.exit_code == 1
    past = json.loads(done.stdout)["runs"]
    assert past["imported"] == 2
    assert past["refused"] == {
        "unanswered": "no answer of it is recorded",
        "undated": "None is no time",
    }
    assert "llm did not log this answer" in consortium("run-info", "unlogged").output
    unjudged = consortium("run-info", "unjudged").output
    assert "llm-consortium recorded no synthesis of it (status: running)." in unjudged


def test_the_last_synthesis_counts_or_the_answer_that_was_chosen(database: Path) -> None:
    record(database, "empty", 9, newer=True)
    record(database, "chosen", 10, newer=True)
    chose = (
        "UPDATE arbiter_decisions SET synthesis = '', chosen_response_id = 'chosen-1'"
        " WHERE run_id = 'chosen'"
    )
    emptied = "INSERT INTO arbiter_decisions (run_id, iteration) VALUES ('empty', 2)"
    write(database, (emptied, []), (chose, []))
    consortium("import", "--runs")
    runs = json.loads(consortium("runs", "--json").output)["runs"]
    assert [run["synthesis"] for run in runs] == ["Genf", "It is Bern."]


def test_a_database_without_runs_says_so(database: Path) -> None:
    write(database, ("DROP TABLE consortium_runs", []))
    done = llm("consortium", "import", "--runs")
    assert done.exit_code == 1
    assert "holds no runs of llm-consortium" in done.output
