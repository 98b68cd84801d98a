"""Prompts that begin with a dash, and text in other encodings."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from consortium_mcp.frontends.llm.prompt_words import (
    PromptCommand,
    PromptGroup,
    checked,
    decoded,
)


@click.command(cls=PromptCommand)
@click.argument("prompt", required=False)
@click.option("-m", "--model", multiple=True)
@click.option("-s", "--system")
@click.option("--quiet", is_flag=True)
def run(prompt: str | None, model: tuple[str, ...], system: str | None, *, quiet: bool) -> None:
    click.echo(repr((prompt, model, system, quiet)))


group = PromptGroup(name="consortium", default="run", default_if_no_args=True)
group.add_command(run, "run")
group.add_command(click.Command("list", callback=lambda: click.echo("listed")))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["-5 + 3", "-m", "a"], ("-5 + 3", ("a",), None, False)),
        (["-m", "a", "-5 + 3", "--quiet"], ("-5 + 3", ("a",), None, True)),
        (["---\ntitle: x\n---\nWhat?"], ("---\ntitle: x\n---\nWhat?", (), None, False)),
        (["-how is it?"], ("-how is it?", (), None, False)),
        (["--help me"], ("--help me", (), None, False)),
        (["- one\n- two"], ("- one\n- two", (), None, False)),
        (["-s", "- be brief", "What?"], ("What?", (), "- be brief", False)),
        (["-s", "- be brief", "- What?"], ("- What?", (), "- be brief", False)),
        (["--system=be brief", "-5 + 3"], ("-5 + 3", (), "be brief", False)),
        (["-m", "a", "--", "-x"], ("-x", ("a",), None, False)),
        (["--", "-x"], ("-x", (), None, False)),
        (["run", "-5 + 3"], ("-5 + 3", (), None, False)),
        (["What?"], ("What?", (), None, False)),
        ([], (None, (), None, False)),
    ],
)
def test_a_prompt_may_begin_with_a_dash(args: list[str], expected: tuple[object, ...]) -> None:
    result = CliRunner().invoke(group, args)
    assert (result.exit_code, result.output.strip()) == (0, repr(expected))


@pytest.mark.parametrize("args", [["-x"], ["-x", "-m", "a"], ["--sytem", "a"]])
def test_what_may_be_a_misspelt_option_is_an_error_that_shows_the_form(args: list[str]) -> None:
    result = CliRunner().invoke(group, args)
    assert result.exit_code == 2
    assert "write it behind `--`" in result.output


def test_commands_and_help_are_what_they_were() -> None:
    assert CliRunner().invoke(group, ["list"]).output == "listed\n"
    assert "Commands:" in CliRunner().invoke(group, ["--help"]).output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_as_its_mark_says(encoding: str) -> None:
    assert decoded("café?".encode(encoding), "utf-8") == "café?"


def test_text_of_another_encoding_is_read_by_the_locale() -> None:
    assert decoded("café?".encode("latin-1"), "iso-8859-1") == "café?"


def test_what_cannot_be_told_is_refused_with_its_place() -> None:
    with pytest.raises(click.UsageError, match="byte 0xe9 at place 3"):
        decoded("café?".encode("latin-1"), "UTF-8")
    with pytest.raises(click.UsageError, match="not UTF-8"):
        checked("caf\udce9")
    assert checked("café") == "café"
