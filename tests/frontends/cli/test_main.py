from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consortium_mcp.adapters.installation import how_to_add
from consortium_mcp.core.panel.known_models import CURRENT_MODELS, EXTRAS
from consortium_mcp.frontends.cli.main import main
from tests.support.fake_models import FakeAsync, models, plugin

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


@pytest.mark.usefixtures("settings")
def test_doctor_says_what_is_missing_and_the_three_ways_out() -> None:
    code, output = run("doctor")
    assert code == 1
    assert f"consortium-mcp {importlib.metadata.version('consortium-mcp')}" in output
    assert "can be written" in output
    assert "No key found - add one using 'llm keys set openai'" in output
    assert "Three ways out" in output
    for provider in (*EXTRAS, "grok"):
        assert f"{provider}: no plugin; {how_to_add(f'llm-{provider}')}" in output


def test_doctor_is_content_with_a_ready_panel_and_shows_no_key(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-secret")
    one, two = CURRENT_MODELS["gemini"][0], CURRENT_MODELS["mistral"][0]
    with plugin("cloud", models(FakeAsync(one, "x"), FakeAsync(two, "x"))):
        code, output = run("doctor")
    assert code == 0, output
    assert "openai:" in output
    assert one in output
    assert "made-up-secret" not in output
    assert str(settings.database) in output
    assert (
        "why: the newest general model of each provider, or of each family, that is ready" in output
    )
    assert f"likely cost: not known, as there is no price of {one}, {two}" in output


def test_doctor_answers_as_json_too(settings: Settings) -> None:
    result = CliRunner().invoke(main, ["doctor", "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ready"]) == (1, False)
    database = told["sections"]["Database"][0]
    assert database == {"name": str(settings.database), "text": "can be written", "good": True}
    [panel] = told["sections"]["The panel that is asked when you name none"]
    assert (panel["name"], panel["good"]) == (None, False)


@pytest.mark.usefixtures("settings")
def test_doctor_says_what_a_question_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-secret")
    monkeypatch.setenv("CONSORTIUM_MODELS", "gpt-4o, gpt-4o-mini")
    _, output = run("doctor")
    assert "why: CONSORTIUM_MODELS names them" in output
    # gpt-4o answers and judges, gpt-4o-mini answers: 2.50 and 10, 0.15 and 0.60 a million.
    millionths = 500 * (2.50 + 10) + 1500 * 2.50 + 500 * 10 + 500 * (0.15 + 0.60)
    assert f"likely cost: about ${millionths / 1_000_000:.3f} for one iteration" in output


@pytest.mark.usefixtures("settings")
def test_doctor_knows_that_the_demo_models_cost_nothing() -> None:
    small = [FakeAsync(f"small-{n}", "x") for n in (1, 2)]
    for each in small:
        vars(each)["consortium_demo"] = True
    with plugin("small", models(*small)):
        _, output = run("doctor")
    assert "why: nothing else is ready; these are the small local demo models" in output
    assert "likely cost: nothing, as all models run on this machine" in output


def test_doctor_names_broken_plugins_and_a_broken_database(settings: Settings) -> None:
    def broken(_add: object) -> None:
        raise ConnectionError("no route")

    settings.database.mkdir(parents=True)
    with plugin("broken", broken):
        code, output = run("doctor")
    assert code == 1
    assert "broken: failed to load (ConnectionError: no route)" in output
    assert "CONSORTIUM_DB" in output


@pytest.mark.usefixtures("settings")
def test_a_wrong_variable_is_an_error_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSORTIUM_LOG", "LOUD")
    code, output = run("doctor")
    assert code == 1
    assert output.startswith("Error: CONSORTIUM_LOG")


@pytest.mark.usefixtures("settings")
def test_the_demo_needs_keys_when_told_to_use_them() -> None:
    code, output = run("demo", "--keys")
    assert code == 1
    assert "--local" in output


@pytest.mark.usefixtures("settings")
def test_version_is_the_packages() -> None:
    assert importlib.metadata.version("consortium-mcp") in run("--version")[1]
