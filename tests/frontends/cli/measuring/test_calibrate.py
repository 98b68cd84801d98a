from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import anyio
import pytest
from click.testing import CliRunner, Result

from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.saved.calibrations import Calibrations
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest, MemberSpec
from consortium_mcp.core.records.run_record import IterationRecord
from consortium_mcp.core.reports.report import RunReport, Usage
from consortium_mcp.core.reports.reporting import report_of
from consortium_mcp.frontends.cli.main import main
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, consulted, reply, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.consortium import Tier

PANEL = ConsortiumSettings(models=["a", "b"], arbiter="a", strategy="vote")


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


@pytest.fixture
def runs(settings: Settings) -> list[str]:
    """300 recorded runs that answered 42 with confidence 0.9, and one that failed."""

    async def record() -> list[str]:
        ended = await consulted(run_of("a", strategy="vote"), FakeAsk(a=reply("42", 0.9)))
        store = Store(settings.database)
        names = [f"RUN{number:03}" for number in range(300)]
        nothing = Usage(calls=1, input_tokens=None, output_tokens=None, seconds=1.0)
        for name in (*names, "FAILED"):
            status = "failed" if name == "FAILED" else "completed"
            run = ended.model_copy(update={"run_id": name, "status": status})
            report = report_of(run, nothing, "2026-11-24T00:00:00.000+00:00")
            await store.begin_run(run, report)
            await store.save_report(report)
        await store.close()
        return names

    return anyio.run(record)


def labelled(path: Path, *labels: Mapping[str, object]) -> str:
    file = path / "labels.jsonl"
    file.write_text("\n".join(json.dumps(label) for label in labels) + "\n")
    return str(file)


def consult(settings: Settings) -> RunReport:
    async def ask() -> RunReport:
        said = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9))
        async with open_service(settings, ask=said) as service:
            return await service.wait(await service.consult(ConsultRequest("?", None, PANEL)), 30)

    with plugin("fake", models(FakeAsync("a", "x"), FakeAsync("b", "x"))):
        return anyio.run(ask)


def test_labelled_runs_calibrate_those_that_follow(
    settings: Settings, runs: list[str], tmp_path: Path
) -> None:
    labels = [{"run_id": name, "correct": number % 2 == 0} for number, name in enumerate(runs)]
    done = command("calibrate", labelled(tmp_path, *labels))
    assert done.exit_code == 0, done.output
    assert "Calibrated on 300 labelled runs, 50% of them right" in done.output
    assert "0.400 before, 0.000 after" in done.output
    report = consult(settings)
    assert report.confidence == pytest.approx(0.5, abs=0.01)
    assert report.confidence_parts is not None
    assert report.confidence_parts.calibrated
    assert report.confidence_parts.uncalibrated == pytest.approx(0.9)
    assert "calibrated on 300 labelled runs" in report.confidence_parts.method
    assert command("calibrate", "--forget").exit_code == 0
    assert consult(settings).confidence == pytest.approx(0.9)


def test_the_figures_also_come_as_json(runs: list[str], tmp_path: Path) -> None:
    labels = [{"run_id": name, "correct": number % 2 == 0} for number, name in enumerate(runs)]
    done = command(
        "calibrate", labelled(tmp_path, *labels, {"run_id": "x", "correct": True}), "--json"
    )
    told = json.loads(done.stdout)
    assert (told["labelled"], told["accuracy"], told["unusable"]) == (300, 0.5, ["x"])
    assert told["error_before"] == pytest.approx(0.4)


def test_a_run_resumed_elsewhere_keeps_the_calibration_it_began_with(
    settings: Settings, runs: list[str], tmp_path: Path
) -> None:
    command("calibrate", labelled(tmp_path, *({"run_id": r, "correct": True} for r in runs)))
    report = consult(settings)

    async def read() -> None:
        store = Store(settings.database)
        await Calibrations(store).keep(None)
        record = await store.record(report.run_id or "")
        assert record.calibration is not None
        assert record.run().calibration == record.calibration
        assert record.calibration.labelled == 300
        await store.close()

    anyio.run(read)


@pytest.mark.usefixtures("settings")
def test_right_answers_are_compared_as_values_and_the_last_label_counts(
    runs: list[str], tmp_path: Path
) -> None:
    labels: list[dict[str, object]] = [{"run_id": name, "answer": "42.0"} for name in runs]
    wrong: list[dict[str, object]] = [{"run_id": name, "answer": "41"} for name in runs[:150]]
    done = command("calibrate", labelled(tmp_path, *labels, *wrong))
    assert "300 labelled runs, 50% of them right" in done.output


@pytest.mark.usefixtures("settings")
def test_too_few_say_how_many_there_are_and_unknown_ones_are_named(
    runs: list[str], tmp_path: Path
) -> None:
    labels = [{"run_id": name, "correct": True} for name in (*runs[:150], "NOBODY", "FAILED")]
    done = command("calibrate", labelled(tmp_path, *labels))
    assert done.exit_code == 1
    assert "there are 150: label 50 more" in done.output
    assert "2 labelled runs are not in the database, or have no answer" in done.output
    assert "NOBODY, FAILED" in done.output


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 1: Invalid JSON"),
        ('{"run_id": "x"}', "give one of `correct` and `answer`"),
        ('{"run_id": "x", "right": true}', "Extra inputs"),
    ],
)
def test_what_is_no_label_is_named(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(line)
    done = command("calibrate", str(file))
    assert done.exit_code == 1
    assert told in done.output


@pytest.mark.usefixtures("settings")
def test_ratings_or_a_file_are_needed() -> None:
    assert "No run is rated yet. Name a file" in command("calibrate").output
    assert "cannot be read" in command("calibrate", "nowhere.jsonl").output
    assert "Give one of" in command("calibrate", "--auto", "--forget").output


MODELS = ("strong", "weak", "weaker")


@pytest.fixture
def trap(settings: Settings) -> list[str]:
    """70 recorded votes of a panel whose weak members guess; 0 is always right."""
    draw = random.Random(1)

    async def record() -> list[str]:
        store = Store(settings.database)
        names = [f"TRAP{number:03}" for number in range(70)]
        nothing = Usage(calls=3, input_tokens=None, output_tokens=None, seconds=1.0)
        for name in names:
            weak, weaker = (draw.choice("0123") for _ in range(2))
            said = FakeAsk(strong=reply("0", 0.9), weak=reply(weak, 0.8), weaker=reply(weaker, 0.8))
            run = run_of(*MODELS, strategy="vote").model_copy(update={"run_id": name})
            report = report_of(run, nothing, "2026-11-24T00:00:00.000+00:00")
            await store.begin_run(run, report)
            ended = await consulted(run, said)
            await store.save_iteration(name, IterationRecord.judged(ended.iterations[0]))
            await store.save_report(report_of(ended, nothing, report.created_at))
        await store.close()
        return names

    return anyio.run(record)


def vote(settings: Settings, tiers: Mapping[str, Tier] | None = None) -> RunReport:
    async def ask() -> RunReport:
        said = FakeAsk(strong=reply("0", 0.9), weak=reply("1", 0.8), weaker=reply("1", 0.8))
        members = [MemberSpec(model=name, tier=(tiers or {}).get(name)) for name in MODELS]
        panel = ConsortiumSettings(models=members, arbiter="strong", strategy="vote")
        async with open_service(settings, ask=said) as service:
            return await service.wait(await service.consult(ConsultRequest("?", None, panel)), 30)

    with plugin("fake", models(*(FakeAsync(name, "x") for name in MODELS))):
        return anyio.run(ask)


def test_labels_teach_whose_votes_to_trust(
    settings: Settings, trap: list[str], tmp_path: Path
) -> None:
    assert vote(settings).final_answer == "1"
    done = command("calibrate", labelled(tmp_path, *({"run_id": r, "answer": "0"} for r in trap)))
    assert done.exit_code == 0, done.output
    assert "strong, weak, weaker (70 labelled runs): weighted votes were right in" in done.output
    assert "From now on votes weigh strong" in done.output
    assert "A calibration of all other panels needs 130 more labels" in done.output
    report = vote(settings)
    assert report.final_answer == "0"
    parts = report.confidence_parts
    assert parts is not None
    assert (parts.weighted_by, parts.calibrated) == ("labels", True)
    own = vote(settings, {"weak": "strong", "strong": "light"})
    assert own.final_answer == "1"
    assert own.confidence_parts is not None
    assert own.confidence_parts.weighted_by == "tier"
    assert command("calibrate", "--forget").exit_code == 0
    assert vote(settings).final_answer == "1"
    assert command("calibrate").exit_code == 0  # the ratings stay
    assert vote(settings).final_answer == "0"


def test_a_resumed_run_keeps_the_weights_it_began_with(
    settings: Settings, trap: list[str], tmp_path: Path
) -> None:
    command("calibrate", labelled(tmp_path, *({"run_id": r, "answer": "0"} for r in trap)))
    report = vote(settings)

    async def read() -> None:
        store = Store(settings.database)
        await Calibrations(store).keep(None)
        record = await store.record(report.run_id or "")
        assert record.weights is not None
        assert record.run().weights == record.weights
        await store.close()

    anyio.run(read)


def test_a_file_is_kept_as_ratings_once(
    settings: Settings, trap: list[str], tmp_path: Path
) -> None:
    file = labelled(tmp_path, *({"run_id": r, "answer": "0"} for r in trap))
    command("calibrate", file)
    command("calibrate", file)

    async def read() -> None:
        store = Store(settings.database)
        assert await Ratings(store).count() == 70
        [rating] = (await store.report(trap[0])).ratings
        assert (rating.answer, rating.by) == ("0", "file")
        await store.close()

    anyio.run(read)


def test_it_learns_by_itself_where_that_is_wanted(settings: Settings, trap: list[str]) -> None:
    async def rate(names: list[str]) -> list[str]:
        async with open_service(settings) as service:
            told = [await service.rate(name, answer="0", by="llm") for name in names]
            warnings = [warning for report in told for warning in report.warnings]
            return [warning for warning in warnings if warning.startswith("Learned")]

    assert anyio.run(rate, trap[-55:-50]) == []
    assert "after every 50 new labels.\n5 are new" in command("calibrate", "--auto").output
    assert anyio.run(rate, trap[-50:]) == ["Learned anew from 50 labelled runs."]
    assert vote(settings).final_answer == "0"
    assert anyio.run(rate, trap[:5]) == []
    assert "unless you ask" in command("calibrate", "--no-auto").output
    assert "10 are new" in command("calibrate", "--auto").output
    command("calibrate", "--forget")
    assert "votes weigh strong" in command("calibrate", "--auto").output


@pytest.mark.usefixtures("settings")
def test_the_leaderboard_says_that_it_is_about_agreement(runs: list[str]) -> None:
    shown = command("leaderboard")
    assert shown.exit_code == 0, shown.output
    assert "not correctness" in shown.output
    assert "300 runs with a verdict" in shown.output
    [standing] = json.loads(command("leaderboard", "--json").output)
    assert (standing["model"], standing["with_verdict"], standing["asked"]) == ("a", 300, 301)
    assert len(runs) == 300


@pytest.mark.usefixtures("settings")
def test_an_empty_journal_has_no_leaderboard() -> None:
    assert "holds no answers yet" in command("leaderboard").output
    assert json.loads(command("leaderboard", "--json").output) == []
