"""Prompts and completions, and the question before a costly run."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult, PromptReference, ResourceTemplateReference

from consortium_mcp.adapters.templates import bundled_names, load_bundled
from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, Connect, data_of, text_of

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio

RUN = ResourceTemplateReference(uri="consortium://runs/{run_id}")
PAGE = ResourceTemplateReference(uri="consortium://runs/{run_id}/page")
CONSORTIUM = ResourceTemplateReference(uri="consortium://consortiums/{name}")
PROMPT = PromptReference(name="second_opinion")
REVIEW = PromptReference(name="review_change")
CHOOSE = PromptReference(name="choose_option")


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed_with_their_arguments_and_filled(
    connect: Connect, era: str
) -> None:
    async with connect(era) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert set(prompts) == {"second_opinion", "settle_disagreement", *bundled_names()}
        arguments = prompts["settle_disagreement"].arguments or []
        assert [(a.name, a.required) for a in arguments] == [
            ("question", True),
            ("positions", True),
            ("consortium", False),
            ("models", False),
            ("arbiter", False),
            ("strategy", False),
        ]
        filled = await client.get_prompt(
            "second_opinion",
            {"question": "Lock or not?", "consortium": "mine", "models": "a:2, b"},
        )
        text = getattr(filled.messages[0].content, "text", "")
        assert (
            'consult_consortium` with it as the prompt (consortium="mine", models=["a:2", "b"]);'
            in text
        )
        assert text.endswith("Question:\nLock or not?")
        settled = await client.get_prompt(
            "settle_disagreement", {"question": "Tabs?", "positions": "Yes\nNo"}
        )
        assert "Positions:\nYes\nNo" in getattr(settled.messages[0].content, "text", "")
        with pytest.raises(MCPError, match="There are: second_opinion, settle_disagreement, rev"):
            await client.get_prompt("third_opinion", {})


@pytest.mark.parametrize("name", bundled_names())
async def test_each_template_of_ours_is_a_prompt_with_its_parameters(
    connect: Connect, name: str
) -> None:
    async with connect() as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        text, *others = [argument.name for argument in prompts[name].arguments or []]
        parameters = (load_bundled(name).defaults or {}).keys() - {"criteria"}
        assert set(others) == parameters | {"consortium", "models", "arbiter", "strategy"}
        plain = await client.get_prompt(name, {text: "It is so."})
        said = getattr(plain.messages[0].content, "text", "")
        assert f'consult_consortium` (template="{name}") with what is below' in said
        assert said.endswith("\n\nIt is so.")
        for parameter in parameters:
            filled = await client.get_prompt(name, {text: "It.", parameter: "the größte"})
            call = f'(template={{"name": "{name}", "params": {{"{parameter}": "the größte"}}}})'
            assert call in getattr(filled.messages[0].content, "text", "")


async def test_a_call_names_a_template_by_its_name_or_with_parameters(connect: Connect) -> None:
    async with connect() as client:

        async def asked(template: object) -> Any:  # noqa: ANN401
            arguments = {"prompt": "+ x = 1", "template": template, "dry_run": True}
            return await client.call_tool("consult_consortium", arguments | PANEL)

        assert "Look first for: wrong results" in data_of(await asked("review_change"))["prompt"]
        with_focus = {"name": "review_change", "params": {"focus": "races"}}
        for written in (with_focus, json.dumps(with_focus)):  # the list of tools says a text
            assert "Look first for: races." in data_of(await asked(written))["prompt"]
        for wrong, message in {
            "gh:them/it": "only saved ones are taken",
            "reviw_change": "Did you mean review_change?",
        }.items():
            result = await asked(wrong)
            assert result.is_error
            assert message in text_of(result)
        unreadable: list[object] = [{"params": {}}, {"name": "x", "params": "y"}, 7]
        for each in unreadable:
            result = await asked(each)
            assert result.is_error
            assert 'it must be a name, or {"name": "…", "params": {…}}' in text_of(result)


async def completed(client: Client, ref: Any, name: str, value: str) -> list[str]:  # noqa: ANN401
    found = await client.complete(ref, {"name": name, "value": value})
    return list(found.completion.values)


async def listed_arguments(client: Client) -> set[tuple[str, str]]:
    """Everything that a client can ask to have completed."""
    prompts = (await client.list_prompts()).prompts
    templates = (await client.list_resource_templates()).resource_templates
    return {(p.name, a.name) for p in prompts for a in p.arguments or []} | {
        (t.uri_template, name) for t in templates for name in re.findall(r"{(\w+)}", t.uri_template)
    }


@pytest.mark.parametrize("era", ERAS)
async def test_arguments_are_completed(connect: Connect, era: str) -> None:
    async with connect(era) as client:
        await client.call_tool("save_consortium", {"name": "reviewers"} | PANEL)
        asked = {"prompt": "Six × 7?"} | PANEL
        run_id = data_of(await client.call_tool("consult_consortium", asked))["run_id"]
        expected: list[tuple[Any, str, str, list[str]]] = [
            (CONSORTIUM, "name", "rev", ["reviewers"]),
            (RUN, "run_id", run_id[:6].lower(), [run_id]),
            (PAGE, "run_id", run_id[:6].lower(), [run_id]),
            (PROMPT, "consortium", "", ["reviewers"]),
            (PROMPT, "strategy", "vo", ["vote"]),
            (PROMPT, "arbiter", "judge", ["judge", "judge-alone"]),
            (PROMPT, "models", "sure, judge-a", ["sure,judge-alone"]),
            (PROMPT, "question", "x", []),
            (REVIEW, "focus", "races, sec", ["races,security"]),
            (CHOOSE, "values", "co", ["cost"]),
        ]
        there = await listed_arguments(client)
        for ref, argument, value, values in expected:
            assert (getattr(ref, "name", None) or ref.uri, argument) in there
            assert await completed(client, ref, argument, value) == values


@pytest.mark.parametrize("era", ERAS)
async def test_who_completes_before_anything_is_loaded_does_not_wait_for_it(
    connect: Connect, era: str
) -> None:
    async with connect(era) as client:
        took = []
        for argument, value in (("arbiter", "judge"), ("strategy", "vo"), ("consortium", "")):
            began = time.perf_counter()
            values = await completed(client, PROMPT, argument, value)
            took.append(time.perf_counter() - began)
            assert values in ([], ["vote"])
        began = time.perf_counter()
        await client.call_tool("list_models", {})  # has to wait for it
        assert min(took) < (time.perf_counter() - began) / 2


ABOVE = {"CONSORTIUM_CONFIRM_CALLS": "4"}
"""The panel plans up to 12 calls: three iterations of two members and an arbiter, with repairs."""


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", ["yes", "no", "decline"])
async def test_a_costly_run_asks_first_where_the_client_can(
    connect: Connect, era: str, answer: str
) -> None:
    asked: list[str] = []

    async def ask(_context: Any, params: Any) -> ElicitResult:  # noqa: ANN401
        asked.append(params.message)
        if answer == "decline":
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"proceed": answer == "yes"})

    async with connect(era, {"elicitation_callback": ask}, **ABOVE) as client:
        result = await client.call_tool("consult_consortium", {"prompt": "Six × 7?"} | PANEL)
        assert len(asked) == 1
        assert "you want to be asked above 4" in asked[0]
        status = data_of(result)["status"]
        runs = data_of(await client.call_tool("list_runs", {}))["runs"]
    assert (status, len(runs)) == (("completed", 1) if answer == "yes" else ("planned", 0))


@pytest.mark.parametrize("era", ERAS)
async def test_elsewhere_the_plan_comes_back_with_how_to_confirm(
    connect: Connect, era: str
) -> None:
    async with connect(era, **ABOVE) as client:
        asked = {"prompt": "Six × 7?"} | PANEL
        planned = await client.call_tool("consult_consortium", asked)
        most = data_of(planned)["plan"]["most_calls"]
        assert data_of(planned)["status"] == "planned"
        assert f"call again with max_calls={most}" in text_of(planned)
        other = asked | {"prompt": "Seven × 7?", "max_calls": 100_000}
        assert data_of(await client.call_tool("consult_consortium", other))["status"] == "planned"
        confirmed = await client.call_tool("consult_consortium", asked | {"max_calls": most})
        assert data_of(confirmed)["status"] == "completed"
        cheap = asked | {"strategy": "vote", "max_iterations": 1}
        assert data_of(await client.call_tool("consult_consortium", cheap))["status"] == "completed"
