"""`llm consortium`, in llm's own command line."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from llm.cli import cli

from consortium_mcp.core.reports.report import RunReport
from consortium_mcp.core.strategies import STRATEGIES
from consortium_mcp.frontends.llm import plugin
from tests.frontends.conftest import JUDGE
from tests.support.templates import save_template

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from tests.support.fake_models import FakeAsync

plugin.register_commands(cli)  # tests load no plugins: this is what llm does with ours
pytestmark = pytest.mark.usefixtures("our_plugin")

PANEL = ("-m", "o3-mini", "-m", "gpt-4o", "--arbiter", "gemini-2", "--strategy", "synthesis")


def llm(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, [*arguments], input=stdin)


def consortium(*arguments: str, stdin: str | None = None) -> Result:
    done = llm("consortium", *arguments, stdin=stdin)
    assert done.exit_code == 0, done.output
    return done


def test_the_originals_documented_example_runs_as_written(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    consortium(
        "Your complex query",
        *("--m", "o3-mini", "-n", "1", "--m", "gpt-4o", "-n", "2", "--m", "gemini-2", "-n", "3"),
        *("--arbiter", "gemini-2", "--confidence-threshold", "1", "--max-iterations", "4"),
        *("--min-iterations", "3", "--output", str(results)),
    )
    report = RunReport.model_validate_json(results.read_text(encoding="utf-8"))
    models = [member.model for member in report.members]
    assert models == ["o3-mini", "gpt-4o", "gpt-4o", "gemini-2", "gemini-2", "gemini-2"]
    assert report.iterations >= 3


def test_the_originals_saved_example_runs_as_written() -> None:
    consortium(
        "save",
        "my-consortium",
        *("--model", "claude-3-opus-20240229", "--model", "gpt-4"),
        *("--arbiter", "claude-3-opus-20240229", "--confidence-threshold", "0.9"),
        *("--max-iterations", "5", "--min-iterations", "1"),
        *("--system", "Your custom system prompt"),
    )
    done = llm("-m", "my-consortium", "What are the key considerations for AGI safety?")
    assert (done.exit_code, done.output) == (0, "I counted.\n42\n")


def test_the_report_is_printed_or_with_quiet_the_synthesis_alone() -> None:
    shown = consortium("Six × 7?", *PANEL).output
    assert shown.startswith("It is 42.")
    assert "**Confidence 0.90**" in shown
    assert consortium("Six × 7?", *PANEL, "--quiet").output == "It is 42.\n"


def test_a_report_comes_as_json_whatever_became_of_the_run() -> None:
    done = consortium("Six × 7?", *PANEL, "--json", "--raw")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["status"], told["synthesis"]) == (0, "completed", "It is 42.")
    assert told["created_at"].endswith("+00:00")
    assert len(told["exchanges"]) == 3
    assert (
        json.loads(consortium("resume", told["run_id"], "--json").stdout)
        | {"exchanges": told["exchanges"]}
        == told
    )
    failed = llm("consortium", "?", "-m", "down", "--arbiter", "gemini-2", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["status"] == "failed"
    assert failed.stderr.startswith("Error: ")


def test_what_is_piped_is_appended_to_the_prompt(documented: dict[str, FakeAsync]) -> None:
    consortium("Sum this:", *PANEL, stdin="six and seven\n")
    assert documented["o3-mini"].prompts[-1].prompt == "Sum this:\n\nsix and seven"
    consortium(*PANEL, stdin="only this")
    assert documented["o3-mini"].prompts[-1].prompt == "only this"
    consortium("Alone", *PANEL, "--no-stdin", stdin="not this")
    assert documented["o3-mini"].prompts[-1].prompt == "Alone"


def test_a_prompt_goes_into_a_template_with_its_parameters(
    settings: Settings, documented: dict[str, FakeAsync]
) -> None:
    save_template(settings, "tell", "{prompt: 'In $language, $input', system: Be $tone.}")
    params = ("-p", "language", "Thai", "-p", "tone", "brief")
    consortium("why?", *PANEL, "-t", "tell", *params, stdin="six")
    asked = documented["o3-mini"].prompts[-1]
    assert asked.prompt == "In Thai, why?\n\nsix"
    assert (asked.system or "").startswith("Be brief.")
    page = save_template(settings, "again", "prompt: Again, $input")
    consortium("why?", *PANEL, "-t", "tell", "-t", str(page), *params)
    assert documented["o3-mini"].prompts[-1].prompt == "Again, In Thai, why?"


def test_a_template_that_cannot_be_used_says_what_to_type(settings: Settings) -> None:
    save_template(settings, "tell", "In $language, $input")
    done = llm("consortium", "why?", *PANEL, "-t", "tell")
    assert done.exit_code == 1
    assert "needs language" in done.output
    assert '-p language "…"' in done.output
    done = llm("consortium", "why?", *PANEL, "-t", "tel")
    assert "Did you mean tell?" in done.output
    done = llm("consortium", "why?", *PANEL, "-p", "language", "Thai")
    assert done.exit_code == 2
    assert "name the template with -t" in done.output


def test_a_saved_consortium_has_a_template_at_every_door(
    settings: Settings, documented: dict[str, FakeAsync]
) -> None:
    save_template(settings, "tell", "In $language, $input")
    consortium("save", "thai", *PANEL, "-t", "tell", "-p", "language", "Thai")
    assert "template: tell, language: Thai" in consortium("show", "thai").output
    assert llm("-m", "thai", "why?").exit_code == 0
    assert documented["o3-mini"].prompts[-1].prompt == "In Thai, why?"
    consortium("why?", "--consortium", "thai", "-t", "check_claim")
    assert "Check this claim" in (documented["o3-mini"].prompts[-1].prompt or "")


def test_our_templates_are_llms_too(documented: dict[str, FakeAsync]) -> None:
    done = llm("-t", "consortium:check_claim", "-m", "gpt-4o", "--async", "Six is prime.")
    assert done.exit_code == 0, done.output
    assert "Six is prime.\n</claim>" in (documented["gpt-4o"].prompts[-1].prompt or "")
    assert "consortium:" in llm("templates", "loaders").output
    assert "no template" in llm("-t", "consortium:x", "y").output.lower()


def test_raw_replies_follow_the_report() -> None:
    shown = consortium("Six × 7?", *PANEL, "--quiet", "--raw").output
    assert shown.startswith("It is 42.")
    assert shown.count("I counted.\n<final_answer>42</final_answer>") == 2
    assert "<verdict>" in shown


@pytest.mark.parametrize(
    ("counts", "members"),
    [
        (("-n", "2"), ["o3-mini", "o3-mini", "gpt-4o", "gpt-4o"]),
        (("-n", "1", "-n", "3"), ["o3-mini", "gpt-4o", "gpt-4o", "gpt-4o"]),
    ],
)
def test_counts_pair_with_models_or_one_is_for_all(
    counts: tuple[str, ...], members: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "report.json"
    consortium("?", *PANEL, *counts, "--output", str(output))
    report = json.loads(output.read_text(encoding="utf-8"))
    assert [member["model"] for member in report["members"]] == members


def test_counts_that_fit_nothing_are_an_error() -> None:
    done = llm("consortium", "?", *PANEL, "-n", "1", "-n", "2", "-n", "3")
    assert done.exit_code == 1
    assert "3 counts for 2 models" in done.output


def test_a_member_with_settings_of_its_own_is_an_object(
    documented: dict[str, FakeAsync],
) -> None:
    member = {"model": "o3-mini:2", "system": "Doubt.", "tier": "strong"}
    consortium("?", "-m", json.dumps(member), "-m", "gpt-4o", "--strategy", "vote")
    assert len(documented["o3-mini"].prompts) == 2
    assert (documented["o3-mini"].prompts[0].system or "").startswith("Doubt.")
    done = llm("consortium", "?", "-m", '{"model": "o3-mini", "tier": "mighty"}')
    assert done.exit_code == 2
    assert "is not a member: tier" in done.output


def test_the_arbiters_options_are_an_object(documented: dict[str, FakeAsync]) -> None:
    options = ("--arbiter", "o3-mini", "--arbiter-options")
    consortium("?", *PANEL, "--strategy", "synthesis", *options, '{"temperature": 0.25}')
    assert documented["o3-mini"].prompts[-1].options.model_dump() == {"temperature": 0.25}
    done = llm("consortium", "?", *PANEL, *options, "temperature=0")
    assert done.exit_code == 2
    assert 'temperature=0 is not a JSON object. Write one like {"temperature": 0}.' in done.output


def test_a_failed_run_is_an_error_with_its_id_and_the_report_is_written(tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    done = llm("consortium", "?", "-m", "down", "--arbiter", "gemini-2", "--output", str(output))
    assert done.exit_code == 1
    assert "it is down" in done.output
    assert "(run 01" in done.output
    assert json.loads(output.read_text(encoding="utf-8"))["status"] == "failed"


def test_without_a_log_nothing_is_kept_but_what_is_saved_is_known(settings: Settings) -> None:
    consortium("save", "mine", *PANEL)
    assert consortium("?", "--consortium", "mine", "--no-log", "--quiet").output == "It is 42.\n"
    with sqlite3.connect(settings.database) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    connection.close()


def test_without_a_log_an_earlier_run_is_gone_on_from_all_the_same(
    documented: dict[str, FakeAsync],
) -> None:
    consortium("Tell me about Mars.", *PANEL)
    [run] = json.loads(consortium("runs", "--json").output)["runs"]
    consortium("How far?", "--continue", run["run_id"], "--no-log")
    assert "Mars" in documented["gpt-4o"].prompts[-1].prompt


def test_without_a_log_no_database_is_made_or_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    consortium("One?", *PANEL, "--no-log")
    assert not settings.database.exists()
    monkeypatch.setenv("CONSORTIUM_DB", str(settings.user_dir / "none" / "x.db"))
    (settings.user_dir / "none").write_text("a file where the folder would be")
    consortium("One?", *PANEL, "--no-log")


def test_a_report_that_cannot_be_written_is_said_before_anything_is_paid_for(
    documented: dict[str, FakeAsync], tmp_path: Path
) -> None:
    done = llm("consortium", "?", *PANEL, "--output", str(tmp_path / "none" / "report.json"))
    assert done.exit_code == 1
    assert "there is no folder" in done.output
    assert documented["o3-mini"].prompts == []
    done = llm("consortium", "?", *PANEL, "--output", str(tmp_path))  # later: it is a folder
    assert done.exit_code != 0
    done = llm("consortium", "export", str(tmp_path / "none" / "all.json"))
    assert (done.exit_code, "cannot be written" in done.output) == (1, True)


def test_the_answer_is_shown_even_if_the_report_cannot_be_written(
    documented: dict[str, FakeAsync], tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()

    def gone(_prompt: object) -> str:
        folder.rmdir()
        return JUDGE

    documented["gemini-2"].behaviour = gone
    done = llm("consortium", "?", *PANEL, "--output", str(folder / "report.json"))
    assert done.exit_code == 1
    assert "It is 42." in done.stdout
    assert "cannot be written" in done.stderr


def test_a_cancelled_run_is_no_empty_answer(settings: Settings) -> None:
    consortium("One?", *PANEL)
    with sqlite3.connect(settings.database) as connection:
        [(report,)] = connection.execute("SELECT report FROM runs").fetchall()
        told = json.loads(report) | {"status": "cancelled", "synthesis": None}
        connection.execute("UPDATE runs SET status = 'cancelled', report = ?", [json.dumps(told)])
    connection.close()
    done = llm("consortium", "resume", told["run_id"], "--quiet")
    assert done.exit_code == 1
    assert f"cancelled before there was an answer. (run {told['run_id']})" in done.output


def test_a_run_whose_process_has_just_died_is_gone_on_with(settings: Settings) -> None:
    consortium("One?", *PANEL)
    with sqlite3.connect(settings.database) as connection:
        [(report,)] = connection.execute("SELECT report FROM runs").fetchall()
        told = json.loads(report) | {"status": "working", "synthesis": None}
        connection.execute("DELETE FROM iterations")
        connection.execute(
            "UPDATE runs SET status = 'working', report = ?, heartbeat = ?, ended_at = NULL",
            [json.dumps(told), time.time() - 9],
        )
    connection.close()
    done = consortium("resume", told["run_id"], "--quiet")
    assert done.stdout == "It is 42.\n"


def test_an_earlier_run_is_gone_on_from(documented: dict[str, FakeAsync]) -> None:
    consortium("Tell me about Mars.", *PANEL)
    run_id = json.loads(consortium("runs", "--json").output)["runs"][0]["run_id"]
    consortium("How far?", "--continue", run_id)
    assert "Mars" in documented["gpt-4o"].prompts[-1].prompt


def test_saved_ones_are_listed_shown_cloned_and_removed() -> None:
    assert "No consortium is saved yet" in consortium("list").output
    saved = json.loads(consortium("save", "mine", *PANEL, "--json").output)
    assert saved["consortium"]["name"] == "mine"
    consortium("save", "twin", "--clone", "mine", "--max-iterations", "7", "-s", "Be brief.")
    refused = llm("consortium", "save", "twin", "--clone", "mine")
    assert refused.exit_code == 1
    assert "max_iterations (7 there, 3 here)" in refused.output
    consortium("save", "twin", "--clone", "mine", "--overwrite", "--max-iterations", "9")
    assert consortium("list").output.count("o3-mini, gpt-4o") == 2
    assert [c["name"] for c in json.loads(consortium("list", "--json").output)] == ["mine", "twin"]
    assert "max_iterations: 9" in consortium("show", "twin").output
    assert json.loads(consortium("show", "twin", "--json").output)["max_iterations"] == 9
    consortium("save", "twin", "--description", "A twin.", "--overwrite")
    assert json.loads(consortium("show", "twin", "--json").output)["max_iterations"] == 9
    consortium("save", "outer", "-m", "mine", "-m", "gpt-4o", "--arbiter", "gemini-2")
    refused = llm("consortium", "remove", "mine")
    assert refused.exit_code == 1
    assert "`force`" in refused.output
    assert "cannot be run: outer" in consortium("remove", "mine", "--force").output
    consortium("remove", "outer")
    consortium("save", "mine", *PANEL)
    assert "Removed twin" in consortium("remove", "twin").output
    assert json.loads(consortium("remove", "mine", "--json").output) == {"deleted": "mine"}
    gone = llm("consortium", "show", "mine")
    assert gone.exit_code == 1
    assert "No consortium is saved as 'mine'" in gone.output


def test_the_settings_of_single_members_are_shown() -> None:
    member = json.dumps({"model": "o3-mini", "tier": "strong"})
    consortium("save", "mine", "-m", member, "-m", "gpt-4o", "--arbiter", "gemini-2")
    assert "  o3-mini · tier: strong\n  gpt-4o\n" in consortium("show", "mine").output


def test_a_models_name_cannot_be_saved() -> None:
    done = llm("consortium", "save", "gpt-4o", *PANEL)
    assert done.exit_code == 1
    assert "is already a name of the model gpt-4o" in done.output


def test_an_alias_of_llms_cannot_be_saved_either() -> None:
    consortium("save", "inner", *PANEL)
    assert llm("aliases", "set", "al", "inner").exit_code == 0
    done = llm("consortium", "save", "al", *PANEL)
    assert done.exit_code == 1
    assert "'al' is an alias of inner in llm" in done.output


def test_what_is_exported_is_imported_elsewhere(tmp_path: Path) -> None:
    consortium("save", "mine", *PANEL)
    consortium("save", "outer", "-m", "mine", "-m", "gpt-4", "--arbiter", "gemini-2")
    file = tmp_path / "saved.json"
    consortium("export", str(file))
    assert json.loads(consortium("export", "--json").output) == json.loads(file.read_text("utf-8"))
    before = consortium("list", "--json").output
    for name in ("outer", "mine"):
        consortium("remove", name)
    assert "Saved: mine, outer." in consortium("import", str(file)).output
    assert consortium("list", "--json").output == before


ORIGINAL = {
    "papers": {
        "models": {"o3-mini": 1, "gpt-4o": 2, "not-installed": 1},
        "arbiter": "gemini-2",
        "confidence_threshold": 0.9,
        "max_iterations": 5,
        "minimum_iterations": 2,
        "system_prompt": "Be brief.",
        "strategy": "default",
        "judging_method": "default",
    },
    "old": {"models": ["gpt-4o"], "arbiter": "gemini-2", "confidence_threshold": 80},
    "bad name!": {"models": ["gpt-4o"], "arbiter": "gemini-2"},
}


def original(path: Path) -> None:
    """A database as llm-consortium makes it."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE consortium_configs (name TEXT PRIMARY KEY, config TEXT NOT NULL,"
            " created_at TEXT DEFAULT CURRENT_TIMESTAMP)"
        )
        connection.executemany(
            "INSERT INTO consortium_configs (name, config) VALUES (?, ?)",
            [(name, json.dumps(config)) for name, config in ORIGINAL.items()],
        )
    connection.close()


@pytest.mark.parametrize("name", ["consortium_logs.db", "logs.db"])
def test_what_llm_consortium_saved_comes_over(settings: Settings, name: str) -> None:
    settings.user_dir.mkdir(exist_ok=True)
    original(settings.user_dir / name)
    done = llm("consortium", "import", "--json")
    assert done.exit_code == 1  # one of them has a name that cannot be kept
    told = json.loads(done.stdout)
    assert sorted(told["saved"]) == ["old", "papers"]
    assert list(told["refused"]) == ["bad name!"]
    assert any("Unknown model 'not-installed'" in note for note in told["notes"]["papers"])
    papers = json.loads(consortium("show", "papers", "--json").output)
    members = [member["model"] for member in papers["members"]]
    assert members == ["o3-mini", "gpt-4o", "gpt-4o", "not-installed"]
    assert (papers["strategy"], papers["min_iterations"], papers["system"]) == (
        "synthesis",
        2,
        "Be brief.",
    )
    assert json.loads(consortium("show", "old", "--json").output)["confidence_threshold"] == 0.8
    asked = llm("-m", "papers", "?")
    assert asked.exit_code == 1
    assert "Unknown model 'not-installed'" in asked.output


def test_one_malformed_entry_does_not_hold_up_the_others(settings: Settings) -> None:
    bad: dict[str, dict[str, object]] = {
        "threshold": {"confidence_threshold": "0.8"},
        "judge": {"arbiter": 5},
        "told": {"system_prompt": 5},
        "often": {"max_iterations": "many"},
    }
    database = settings.user_dir / "logs.db"
    settings.user_dir.mkdir(exist_ok=True)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE consortium_configs (name TEXT, config TEXT)")
        for name, more in (bad | {"good": {}}).items():
            config = {"models": {"o3-mini": 1}, "arbiter": "gemini-2", **more}
            connection.execute(
                "INSERT INTO consortium_configs VALUES (?, ?)", [name, json.dumps(config)]
            )
    connection.close()
    done = llm("consortium", "import", str(database), "--json")
    told = json.loads(done.stdout)
    assert told["saved"] == ["good"]
    assert set(told["refused"]) == set(bad)
    assert told["refused"]["judge"] == "its `arbiter` is 5"


def test_without_a_database_of_llm_consortium_the_file_must_be_named() -> None:
    done = llm("consortium", "import")
    assert done.exit_code == 1
    assert "Name the FILE" in done.output


@pytest.mark.usefixtures("fakes")
def test_runs_are_listed_and_shown() -> None:
    assert consortium("runs").output == "No runs match.\n"
    for prompt in ("One apple?", "Two pears?"):
        consortium(prompt, *PANEL)
    assert "llm consortium runs --cursor" in consortium("runs", "-n", "1").output
    page = json.loads(consortium("runs", "-q", "pears", "--json").output)
    [run] = page["runs"]
    assert run["prompt"] == "Two pears?"
    shown = consortium("run-info", run["run_id"]).output
    assert shown.startswith("It is 42.")
    assert "<verdict>" in consortium("run-info", run["run_id"], "--raw").output
    told = json.loads(consortium("run-info", run["run_id"], "--json", "--raw").output)
    assert RunReport.model_validate(told, extra="ignore").status == "completed"
    assert len(told["exchanges"]) == 3
    missing = llm("consortium", "run-info", "nope")
    assert missing.exit_code == 1
    assert "No run has the id 'nope'" in missing.output


def test_a_run_that_has_ended_is_shown_and_not_asked_again(
    documented: dict[str, FakeAsync],
) -> None:
    consortium("One?", *PANEL)
    [run] = json.loads(consortium("runs", "--json").output)["runs"]
    asked = len(documented["o3-mini"].prompts)
    assert consortium("resume", run["run_id"], "--quiet").output == "It is 42.\n"
    assert len(documented["o3-mini"].prompts) == asked


def test_strategies_are_listed_with_what_they_do() -> None:
    shown = consortium("strategies").output
    for name, strategy in STRATEGIES.items():
        assert f"{name} " in shown
        assert strategy.description in shown
    assert list(json.loads(consortium("strategies", "--json").output)) == list(STRATEGIES)


def test_a_run_is_found_by_its_uri_in_lower_case_and_as_the_latest() -> None:
    consortium("Six × 7?", *PANEL)
    run_id = json.loads(consortium("runs", "--json").output)["runs"][0]["run_id"]
    for name in (run_id.lower(), f"consortium://runs/{run_id}", "latest", "LATEST"):
        assert run_id in consortium("run-info", name).output
    consortium("And 6 × 8?", "--continue", "latest", *PANEL)
    assert json.loads(consortium("run-info", "latest", "--json").output)["continues"] == run_id


def test_max_tokens_is_answered_with_what_it_may_mean() -> None:
    done = CliRunner().invoke(cli, ["consortium", "?", "--max-tokens", "500", *PANEL])
    assert done.exit_code == 2
    assert "max_total_tokens=50000 limits the whole run" in done.output


def test_a_finished_run_is_returned_with_its_age_where_reuse_says_so() -> None:
    question = ("One?", *PANEL)
    first, again = consortium(*question), consortium(*question, "--reuse", "1h")
    assert "Not asked anew" not in first.output
    assert "This is the answer of an earlier run, which ended " in again.output
    assert len(json.loads(consortium("runs", "--json").output)["runs"]) == 1
    anew = consortium(*question, "--reuse", "0s")
    assert "Not asked anew" not in anew.output


def test_a_run_is_rated_and_its_report_says_so() -> None:
    consortium("Six × 7?", *PANEL, "--quiet")
    assert "rated wrong by llm" in consortium("rate", "latest", "--wrong").output
    done = consortium("rate", "latest", "--correct", "--note", "checked").output
    assert "rated right by llm" in done
    assert "(checked). The newest of 2 ratings counts." in done
    assert "**Rating:** rated right by llm" in consortium("run-info", "latest").output
    report = json.loads(consortium("rate", "latest", "--answer", "42", "--json").output)
    assert [each["correct"] for each in report["ratings"]] == [False, True, None]
    nothing = llm("consortium", "rate", "latest")
    assert nothing.exit_code == 1
    assert "give at least one of them" in nothing.output
