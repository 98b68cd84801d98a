"""The commands that the documents tell their readers to type."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

import click

from consortium_mcp.frontends.cli.main import main
from consortium_mcp.frontends.llm.commands import consortium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = (
    r"(?:[A-Z_]+=\S+ )*(?:consortium-mcp|llm|uvx?|pipx?|python3?|git|claude|npx|\.ci/\w+)"
    r"(?: [^=]|$)"
)
SHELL = {"bash", "console", "sh", "shell"}


class Block(NamedTuple):
    """One fenced block."""

    page: str
    heading: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines, without prompts and comments, those that go on in the next line joined."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"^\$ ", "", line.strip()) for line in joined.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, with the heading above it."""
    heading, language, lines = "", None, list[str]()
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = re.match(r"\s*```(\w*)", line)
        if fence and language is None:
            language, lines = fence[1], []
        elif fence:
            yield Block(page.name, heading, str(language), "\n".join(lines) + "\n")
            language = None
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")


def inline(page: Path) -> list[str]:
    """What stands in a page's text as code and begins with one of our programs."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"`((?:consortium-mcp|llm consortium) [^`\n]+)`", text)


def unknown_parts(code: str) -> list[str]:
    """The subcommands and options in this command line that its program does not have."""
    words = shlex.split(re.sub(r"[\[\]…]", " ", code))
    command: click.Command = main
    if words[:2] == ["llm", "consortium"]:
        command, words = consortium, words[1:]
    unknown = []
    # With the names of the help option: a command keeps the first that it is asked for.
    context = click.Context(command, **command.context_settings)
    for word in words[1:]:
        if word.startswith("-"):
            unknown += [] if _has(command, context, word.partition("=")[0]) else [word]
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None and command is main and not word.isupper():  # `N` stands for a number
                unknown.append(word)
            command = found or command
    return unknown


def _has(command: click.Command, context: click.Context, option: str) -> bool:
    if command is consortium:  # without a subcommand, it is `run`
        command = consortium.commands["run"]
    known = [(*each.opts, *each.secondary_opts) for each in command.get_params(context)]
    return any(option in names for names in known)
