from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import consortium_mcp
from consortium_mcp import (
    ConfigError,
    MemberSpec,
    RunError,
    RunReport,
    create_consortium,
)
from consortium_mcp.core.domain.attachment import AttachmentSpec
from consortium_mcp.services.runs.progress import Progress
from tests.support.templates import save_template

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings
    from tests.support.fake_models import FakeAsync

pytestmark = pytest.mark.usefixtures("fakes")


def test_the_originals_documented_call_works_unchanged() -> None:
    orchestrator = create_consortium(
        models=["o3-mini:1", "gpt-4o:2", "gemini-2:3"],
        confidence_threshold=1,
        max_iterations=4,
        min_iterations=3,
        arbiter="gemini-2",
        raw=True,
    )
    result = orchestrator.orchestrate("Your prompt here")
    assert result["synthesis"]["synthesis"] == "I counted.\n42"
    assert result["synthesis"]["final_answer"] == "42"
    assert isinstance(result.report, RunReport)
    assert result.report.iterations >= 3
    assert result["metadata"]["iteration_count"] == result.report.iterations
    assert len(result["model_responses"]) == 6
    assert "I counted." in result["model_responses"][0]["response"]
    assert set(result) == {"original_prompt", "model_responses", "synthesis", "metadata"}
    assert len(result) == 4


def test_every_prompt_is_a_run_of_its_own() -> None:
    orchestrator = create_consortium(["o3-mini", "gpt-4o"], strategy="vote")
    one, two = orchestrator.orchestrate("One?"), orchestrator.orchestrate("Two?")
    assert one.report.run_id != two.report.run_id
    assert (one["original_prompt"], two["original_prompt"]) == ("One?", "Two?")
    assert one["model_responses"][0]["response"] is None  # raw was not asked for


def test_a_prompt_goes_into_a_template(
    settings: Settings, documented: dict[str, FakeAsync]
) -> None:
    save_template(settings, "tell", "In $language, $input")
    thai = {"name": "tell", "params": {"language": "Thai"}}
    consortium = create_consortium(["o3-mini", "gpt-4o"], strategy="vote", template=thai)
    assert consortium.orchestrate("why?").report.prompt == "In Thai, why?"
    other = consortium.orchestrate("why?", template="consortium:check_claim")
    assert "Check this claim" in other.report.prompt
    assert documented["gpt-4o"].prompts[0].prompt == "In Thai, why?"
    page = save_template(settings, "again", "prompt: Again, $input")  # a program may name a path
    assert consortium.orchestrate("?", template=str(page)).report.prompt == "Again, ?"
    with pytest.raises(ConfigError, match="needs language"):
        consortium.orchestrate("why?", template="tell")
    with pytest.raises(ConfigError, match=r'write a name, or {"name"'):
        create_consortium(["o3-mini"], template=7)


def test_progress_is_told_to_plain_and_async_functions() -> None:
    told: list[str] = []

    async def later(progress: Progress) -> None:
        told.append(progress.message)

    consortium = create_consortium(["o3-mini", "gpt-4o"], strategy="vote")
    consortium.orchestrate("?", on_progress=lambda progress: told.append(progress.message))
    assert told[-1].startswith("iteration 1 of 3: verdict")
    count = len(told)
    consortium.orchestrate("?", on_progress=later)
    assert len(told) == 2 * count


@pytest.mark.anyio
async def test_inside_a_loop_the_async_twin_is_named_and_works() -> None:
    consortium = create_consortium(["o3-mini", "gpt-4o"], strategy="vote")
    with pytest.raises(ConfigError, match="aorchestrate"):
        consortium.orchestrate("?")
    result = await consortium.aorchestrate("?")
    assert result["synthesis"]["final_answer"] == "42"


def test_a_conversation_goes_on_by_history_or_by_run() -> None:
    consortium = create_consortium(["o3-mini", "gpt-4o"], strategy="vote")
    first = consortium.orchestrate("One?", history=[("Zero?", "None.")])
    second = consortium.orchestrate("Two?", continue_run=first.report.run_id)
    assert second.report.continues == first.report.run_id


def test_without_any_answer_there_is_an_error_with_the_runs_id() -> None:
    with pytest.raises(RunError, match=r"it is down.*\(run 01"):
        create_consortium(["down"], arbiter="gemini-2").orchestrate("?")


def test_what_cannot_be_asked_is_the_error_itself() -> None:
    with pytest.raises(ConfigError, match="no-such-model"):
        create_consortium(["no-such-model"]).orchestrate("?")


@pytest.mark.parametrize(
    ("wanted", "prompt", "history", "why"),
    [
        ({"confidence_threshold": "high"}, "?", (), "confidence_threshold"),
        ({}, None, (), "must be a text"),
        ({}, "?", ["a"], "pairs"),
        ({}, "?", [{"role": "user", "content": "a"}], "pairs"),
        ({"models": [{"name": "o3-mini"}]}, "?", (), "is not a member"),
        ({"models": 3}, "?", (), "models is 3; write a model's id"),
        ({"models": [None]}, "?", (), "is not a member"),
        ({"models": ""}, "?", (), "A member is empty"),
        ({"models": "gpt-40"}, "?", (), "Unknown model 'gpt-40'"),
        ({"arbiters": "gpt-40"}, "?", (), "Unknown model 'gpt-40'"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_so(
    wanted: dict[str, Any],
    prompt: Any,  # noqa: ANN401 (wrong on purpose)
    history: Any,  # noqa: ANN401 (the same)
    why: str,
) -> None:
    with pytest.raises(ConfigError, match=why):
        create_consortium(**({"models": ["o3-mini"]} | wanted)).orchestrate(prompt, history=history)


def test_a_run_to_go_on_from_has_its_own_history() -> None:
    consortium = create_consortium([{"model": "o3-mini"}, "gpt-4o"], strategy="vote")
    first = consortium.orchestrate("One?")
    with pytest.raises(ConfigError, match="Give one of them"):
        consortium.orchestrate("?", history=[("a", "b")], continue_run=first.report.run_id)


def test_an_error_of_the_callers_own_comes_back_as_it_is() -> None:
    def broken(_progress: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        create_consortium(["o3-mini"], strategy="vote").orchestrate("?", on_progress=broken)


def test_settings_that_do_not_exist_are_named_with_those_that_do() -> None:
    with pytest.raises(ConfigError, match=r"called tempo\. There are: .*sampling"):
        create_consortium(["o3-mini"], tempo=1)


def test_the_public_names_are_exactly_those_listed() -> None:
    for name in consortium_mcp.__all__:
        assert getattr(consortium_mcp, name).__doc__
    assert dir(consortium_mcp) == sorted(consortium_mcp.__all__)
    assert not hasattr(consortium_mcp, "nothing")


def test_the_import_loads_neither_mcp_nor_llm_nor_openai() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import consortium_mcp"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"mcp", "openai", "llm", "pydantic", "sqlite_utils", "anyio", "asyncio"}
    assert not {name.partition(".")[0] for name in loaded} & heavy


@pytest.mark.parametrize(
    ("models", "members"),
    [
        ("gpt-4o", ["gpt-4o"]),
        ("gpt-4o:2", ["gpt-4o", "gpt-4o"]),
        (" o3-mini, gpt-4o ", ["o3-mini", "gpt-4o"]),
        ({"model": "gpt-4o", "tier": "strong"}, ["gpt-4o"]),
        (MemberSpec(model="gpt-4o"), ["gpt-4o"]),
        (("o3-mini", "gpt-4o"), ["o3-mini", "gpt-4o"]),
        (iter(["o3-mini", "gpt-4o"]), ["o3-mini", "gpt-4o"]),
        ({"o3-mini": 1, "gpt-4o": 2}, ["o3-mini", "gpt-4o", "gpt-4o"]),
    ],
)
def test_one_member_needs_no_list(models: Any, members: list[str]) -> None:  # noqa: ANN401
    report = create_consortium(models, strategy="vote").orchestrate("?").report
    assert [member.model for member in report.members] == members


def test_one_arbiter_to_fall_back_on_and_one_count_need_no_list() -> None:
    consortium = create_consortium("o3-mini", arbiters="gpt-4o, gemini-2", counts=2)
    assert consortium.settings.arbiters == ["gpt-4o", "gemini-2"]
    assert consortium.orchestrate("?").report.asked == 2


def test_a_result_is_a_dictionary_that_json_takes() -> None:
    result = create_consortium("o3-mini", strategy="vote", raw=True).orchestrate("Six × 7?")
    again = json.loads(json.dumps(result))
    assert again == result
    assert again["synthesis"]["final_answer"] == "42"
    copied = pickle.loads(pickle.dumps(result))  # noqa: S301 (our own)
    assert (copied, copied.report) == (result, result.report)
    assert copied.exchanges == result.exchanges != ()


def test_a_mapping_of_counts_and_the_later_spelling_are_taken_too() -> None:
    consortium = create_consortium({"o3-mini": 1, "gpt-4o": 2}, minimum_iterations=2)
    report = consortium.orchestrate("?").report
    assert [m.model for m in report.members] == ["o3-mini", "gpt-4o", "gpt-4o"]
    assert consortium.settings.min_iterations == 2


def test_a_consortium_is_saved_cloned_and_asked_by_name() -> None:
    panel = create_consortium(["o3-mini", "gpt-4o"], strategy="vote", system_prompt="Be brief.")
    assert panel.save("mine") == []
    report = create_consortium(consortium="mine").orchestrate("?").report
    assert (report.consortium, report.strategy) == ("mine", "vote")
    create_consortium(consortium="mine", sampling="thrifty").save("twin")
    with pytest.raises(ConfigError, match="sampling"):
        create_consortium(consortium="twin", sampling="full").save("twin")
    create_consortium(consortium="twin", sampling="full").save("twin", overwrite=True)


@pytest.mark.anyio
async def test_saving_inside_a_loop_names_the_async_twin() -> None:
    with pytest.raises(ConfigError, match=r"await consortium.asave\(name\)"):
        create_consortium(["o3-mini"]).save("mine")
    await create_consortium(["o3-mini"]).asave("mine")


def test_max_tokens_is_answered_with_what_it_may_mean() -> None:
    with pytest.raises(ConfigError, match="may mean two things"):
        create_consortium("gpt-4o", max_tokens=500)


def test_the_same_prompt_again_is_asked_again_unless_reuse_is_set() -> None:
    panel: dict[str, Any] = {"models": ["o3-mini", "gpt-4o"], "strategy": "vote"}
    one, two = [create_consortium(**panel).orchestrate("One?") for _ in range(2)]
    again = create_consortium(**panel, reuse="1h").orchestrate("One?")
    assert one.report.run_id != two.report.run_id == again.report.run_id
    assert (two.report.age_seconds, again.report.joined) == (None, False)
    assert again.report.age_seconds is not None
    with pytest.raises(ConfigError, match="it is an age"):
        create_consortium(**panel, reuse="a while").orchestrate("One?")


def test_every_form_of_an_attachment_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("It is down.")
    made = create_consortium(["o3-mini"], arbiter="gemini-2", strategy="vote")
    given: list[Any] = [
        tmp_path / "a.log",
        {"text": "b", "name": "b"},
        AttachmentSpec(text="c", name="c"),
    ]
    report = made.orchestrate("Why?", attachments=given).report
    assert [each.name for each in report.attachments] == ["a.log", "b", "c"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"file": "a.log"}, "is not an attachment"),
        ({"name": "a"}, "has one of path, url, text and base64"),
        ("nothing.png", "cannot be read"),
    ],
)
def test_what_is_no_attachment_is_refused(given: Any, told: str) -> None:  # noqa: ANN401
    made = create_consortium(["o3-mini"], arbiter="gemini-2", strategy="vote")
    with pytest.raises(ConfigError, match=told):
        made.orchestrate("Why?", attachments=[given])


def test_a_run_is_rated_from_python() -> None:
    result = create_consortium(["o3-mini"], arbiter="gemini-2").orchestrate("Six × 7?")
    run_id = result["metadata"]["run_id"]
    report = consortium_mcp.rate_run(run_id, correct=True, answer="42.0")
    [rating] = report.ratings
    assert (rating.correct, rating.answer, rating.by) == (True, "42.0", "python")


@pytest.mark.anyio
async def test_a_run_is_rated_in_a_loop() -> None:
    result = await create_consortium(["o3-mini"], arbiter="gemini-2").aorchestrate("Six × 7?")
    with pytest.raises(ConfigError, match="await arate_run"):
        consortium_mcp.rate_run("latest", correct=True)
    report = await consortium_mcp.arate_run("latest", correct=False, note="no")
    assert report.run_id == result["metadata"]["run_id"]
    assert report.ratings[0].note == "no"
