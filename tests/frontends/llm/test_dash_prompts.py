"""What `llm consortium` takes for a prompt, and what for an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from llm.cli import cli

from consortium_mcp.frontends.llm import plugin
from consortium_mcp.frontends.llm.dash_prompts import HOW

if TYPE_CHECKING:
    from tests.support.fake_models import FakeAsync

plugin.register_commands(cli)  # tests load no plugins: this is what llm does with ours
pytestmark = pytest.mark.usefixtures("our_plugin")

PANEL = ("-m", "o3-mini", "-m", "gpt-4o", "--strategy", "vote", "--quiet")

PROMPTS = [
    "-5 + 3",
    "-5",
    "-x² + 1 = 0?",
    "- what is this\n- and that",
    "-what is this",
    "-hello there",
    "---\ntitle: a page\n---\nWhat does it say?",
    "---",
    "-- is that a comment?",
    "--verbose or --quiet?",
    "—and now?",
    "list of primes?",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "form",
    [
        lambda prompt: [prompt, *PANEL],
        lambda prompt: [*PANEL, prompt],
        lambda prompt: [*PANEL[:4], prompt, *PANEL[4:]],
        lambda prompt: ["run", *PANEL, prompt],
        lambda prompt: [*PANEL, "--", prompt],
        lambda prompt: ["run", *PANEL, "--", prompt],
    ],
    ids=["first", "last", "between", "run", "behind --", "run, behind --"],
)
def test_a_text_that_can_be_no_option_is_the_prompt(
    form: object, prompt: str, documented: dict[str, FakeAsync]
) -> None:
    done = CliRunner().invoke(cli, ["consortium", *form(prompt)])  # type: ignore[operator]
    assert (done.exit_code, done.output) == (0, "I counted.\n42\n")
    assert documented["o3-mini"].prompts[-1].prompt == prompt


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-hello"], "No such option '-e'."),
        (["--why-not"], "No such option '--why-not'."),
        (["--mdl", "o3-mini"], "Did you mean"),
        (["-so what?"], "'-so what?' may be an option or a prompt. Quotes go around an option's"),
        (["-multiply 3 by 4"], "an option's value alone: -m VALUE."),
        (["--quiet --raw"], "an option's value alone: --quiet."),
        (["-h please"], "an option's value alone: -h."),
        (["Why", "is", "it?"], "There are several prompts: 'Why', 'is', 'it?'."),
        (["One?", "-2?"], "There are several prompts: 'One?', '-2?'."),
        (["--", "-5 + 3", *PANEL[:2]], "There are several prompts: '-5 + 3', '-m', 'o3-mini'."),
        (["a" * 99, "b"], f"'{'a' * 59}…', 'b'."),
    ],
    ids=str,
)
def test_what_cannot_be_told_apart_is_answered_with_the_form_that_can(
    arguments: list[str], said: str, documented: dict[str, FakeAsync]
) -> None:
    done = CliRunner().invoke(cli, ["consortium", *PANEL, *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert f"{HOW}." in done.output
    assert "Commands:" not in done.output
    assert documented["o3-mini"].prompts == []


def test_values_that_begin_with_a_dash_stay_values(documented: dict[str, FakeAsync]) -> None:
    system = "- Be brief.\n- Be kind."
    done = CliRunner().invoke(cli, ["consortium", "?", "-s", system, *PANEL])
    assert done.exit_code == 0
    assert (documented["o3-mini"].prompts[-1].system or "").startswith(system)
    done = CliRunner().invoke(cli, ["consortium", "?", f"--system={system}", *PANEL])
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-h"], "Commands:"),
        (["--help"], "Commands:"),
        (["run", "-h"], "[PROMPT]"),
        ([*PANEL, "-h"], "[PROMPT]"),
        (["?", "--help"], "[PROMPT]"),
        (["save", "-h"], "NAME"),
    ],
    ids=str,
)
def test_help_is_still_a_word_of_its_own(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["consortium", *arguments])
    assert done.exit_code == 0
    assert said in done.output


def test_an_option_without_its_value_says_so() -> None:
    done = CliRunner().invoke(cli, ["consortium", "?", *PANEL, "-m"])
    assert done.exit_code == 2
    assert "requires an argument" in done.output
