from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from click.testing import CliRunner

from consortium_mcp.adapters.journal.history import PRUNE_BATCH_RUNS
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.records.run_record import RunRecord
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.frontends.cli.main import main
from consortium_mcp.services.assembly import open_service
from tests.support.databases import DatabaseOfTest
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, run_of, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

OLD, NEW = "2020-01-01T00:00:00.000+00:00", "2999-01-01T00:00:00.000+00:00"
QUESTION = Question(
    role="member", label="A", model="a", prompt="How many?", iteration=1, timeout=120
)
EXCHANGE = Exchange.of(QUESTION, Reply(text="42", seconds=1), now())


def command(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["runs", *arguments])
    return result.exit_code, result.stdout, result.stderr


def with_runs(settings: Settings, *runs: tuple[str, str, str]) -> None:
    """Record runs of these ids, times and statuses, each with an exchange."""

    async def record() -> None:
        store = Store(settings.database)
        for run_id, created_at, status in runs:
            run = run_of("a").model_copy(update={"run_id": run_id})
            nothing = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
            report = report_of(run, nothing, created_at)
            await store.begin_run(run, report)
            await store.save_exchange(run_id, EXCHANGE)
            await store.save_report(report.model_copy(update={"status": status}))
        await store.close()

    anyio.run(record)


def rows(settings: Settings) -> dict[str, Any]:
    with sqlite3.connect(settings.database) as connection:
        left = {
            "runs": {run_id for (run_id,) in connection.execute("SELECT run_id FROM runs")},
            "exchanges": connection.execute("SELECT count(*) FROM exchanges").fetchone()[0],
            "found": connection.execute(
                "SELECT count(*) FROM runs_fts WHERE runs_fts MATCH 'many'"
            ).fetchone()[0],
        }
    connection.close()
    return left


def test_pruning_only_tells_until_it_is_told_to_delete(settings: Settings) -> None:
    with_runs(
        settings,
        ("old", OLD, "completed"),
        ("dead", OLD, "interrupted"),
        ("at work", OLD, "working"),
        ("new", NEW, "completed"),
    )
    code, told, _ = command("prune", "--older-than", "90d")
    assert (code, told[:38]) == (0, "Would delete 2 runs with 2 model calls")
    assert len(rows(settings)["runs"]) == 4
    told = json.loads(command("prune", "--older-than", "90d", "--json")[1])
    assert (told["runs"], told["exchanges"], told["deleted"]) == (2, 2, False)
    assert told["before"].endswith("+00:00")
    assert len(rows(settings)["runs"]) == 4
    code, told, _ = command("prune", "--older-than", "90d", "--delete")
    assert (code, told[:33]) == (0, "Deleted 2 runs with 2 model calls")
    assert rows(settings) == {"runs": {"at work", "new"}, "exchanges": 2, "found": 2}
    assert command("prune", "--older-than", "90d", "--delete")[1].startswith("Deleted 0 runs")


def test_more_runs_than_fit_one_transaction_are_pruned_as_well(settings: Settings) -> None:
    number = PRUNE_BATCH_RUNS + 1
    with_runs(settings, *[(f"run-{n}", OLD, "completed") for n in range(number)])
    _, told, _ = command("prune", "--older-than", "1h", "--delete")
    assert told.startswith(f"Deleted {number} runs")


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("age", ["90", "d", "-1d", "1.5d", "90 days", "1y", "3m", "30s"])
def test_an_age_that_is_none_says_how_it_is_written(age: str) -> None:
    code, _, error = command("prune", f"--older-than={age}")
    assert code == 2
    assert "36h, 90d or 12w" in error


def test_what_is_exported_reads_back_as_the_same_report(settings: Settings, tmp_path: Path) -> None:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.2), judge=verdict(needs_iteration="true"))
    reports: list[RunReport] = []

    async def consult() -> None:
        async with open_service(settings, ask=ask) as service:
            for prompt in ("Six × 7?", "Seven\nlines?"):
                panel = ConsortiumSettings(
                    models=["a", "b"], arbiter="judge", strategy="synthesis", max_iterations=2
                )
                run_id = await service.consult(ConsultRequest(prompt, None, panel))
                reports.append(await service.wait(run_id, 30))

    with plugin("fake", models(*[FakeAsync(name, "x") for name in ("a", "b", "judge")])):
        anyio.run(consult)
    file = tmp_path / "runs.jsonl"
    code, _, said = command("export", str(file))
    assert (code, said) == (0, "2 runs written.\n")
    assert command("export")[1] == file.read_text(encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    records = [RunRecord.model_validate_json(line) for line in lines]
    assert [record.report for record in records] == reports
    assert [len(record.exchanges) for record in records] == [6, 6]
    # What is exported is enough to compute the report anew.
    for record, report in zip(records, reports, strict=True):
        run = record.run()
        assert report_of(run, report.usage, report.created_at).synthesis == report.synthesis
        assert [it.verdict for it in record.iterations] == [it.verdict for it in run.iterations]


def test_each_run_becomes_a_page_by_its_id(settings: Settings, tmp_path: Path) -> None:
    with_runs(settings, ("01RUN", OLD, "completed"), ("at work", NEW, "working"))
    folder = tmp_path / "deep" / "pages"
    code, printed, said = command("export", "--html", str(folder))
    assert (code, printed, said) == (0, "", "2 runs written.\n")
    assert sorted(file.name for file in folder.iterdir()) == ["01RUN.html", "at%20work.html"]
    assert "How many?" in (folder / "01RUN.html").read_text(encoding="utf-8")
    both = command("export", "-", "--html", str(folder))
    assert len(both[1].splitlines()) == 2


def test_pages_that_cannot_be_written_are_an_error_in_one_line(
    settings: Settings, tmp_path: Path
) -> None:
    with_runs(settings, ("01RUN", OLD, "completed"))
    (tmp_path / "file").touch()
    code, _, said = command("export", "--html", str(tmp_path / "file" / "pages"))
    assert code == 1
    assert "01RUN.html cannot be written" in said


def test_a_run_that_cannot_be_read_does_not_hide_the_others(settings: Settings) -> None:
    with_runs(settings, ("bad", OLD, "completed"), ("good", OLD, "completed"))
    with sqlite3.connect(settings.database) as connection:
        connection.execute("UPDATE runs SET report = '{}' WHERE run_id = 'bad'")
    connection.close()
    code, lines, said = command("export")
    assert code == 1
    assert [RunRecord.model_validate_json(line).report.run_id for line in lines.splitlines()] == [
        "good"
    ]
    assert "Run bad was recorded in a form that this version cannot read" in said
    assert "1 runs written, 1 not." in said


def test_a_database_of_no_use_is_an_error_in_one_line(settings: Settings) -> None:
    settings.database.mkdir(parents=True)
    for arguments in (["export"], ["prune", "--older-than", "1d"]):
        code, _, said = command(*arguments)
        assert code == 1
        assert said.startswith("Error: ")
        assert "CONSORTIUM_DB" in said


@pytest.mark.parametrize("database_kind", ["sqlite", "postgres"], indirect=True)
def test_a_history_is_moved_into_another_database(
    settings: Settings,
    database: DatabaseOfTest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_runs(settings, ("one", OLD, "completed"), ("two", OLD, "completed"))
    file = tmp_path / "runs.jsonl"
    assert command("export", str(file))[0] == 0
    if database.url is None:
        monkeypatch.setenv("CONSORTIUM_DB", str(tmp_path / "new.db"))
        database = DatabaseOfTest(tmp_path / "new.db")
    else:
        monkeypatch.setenv("CONSORTIUM_DATABASE_URL", database.url)
    owner = ("--owner", "https://id.example", "me")
    said = "2 runs imported, 0 were there already.\n"
    assert command("import", str(file), *owner) == (0, said, "")
    said = "0 runs imported, 2 were there already.\n"
    assert command("import", str(file), *owner) == (0, said, "")
    assert database.execute("SELECT run_id, issuer, subject FROM runs ORDER BY id") == [
        ("one", "https://id.example", "me"),
        ("two", "https://id.example", "me"),
    ]
    assert database.execute("SELECT count(*) FROM exchanges") == [(2,)]
    code, lines, _ = command("export")
    assert (code, len(lines.splitlines())) == (0, 2)
    assert command("prune", "--older-than", "90d", "--delete")[0] == 0
    assert database.execute("SELECT count(*) FROM runs") == [(0,)]
    file.write_text("{}\n")
    code, said, error = command("import", str(file))
    assert (code, said) == (1, "0 runs imported, 0 were there already, 1 not read.\n")
    assert "Line 1 is no run" in error


def test_a_team_database_that_cannot_be_used_is_an_error_in_one_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    file = tmp_path / "runs.jsonl"
    file.write_text("{}\n")
    monkeypatch.setenv("CONSORTIUM_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/db")
    for arguments in (["export"], ["prune", "--older-than", "1d"]):
        code, _, said = command(*arguments)
        assert code == 1
        assert said.startswith("Error: The database db on 127.0.0.1:1 cannot be used: ")
        assert "Start its server" in said
        assert "secret" not in said
