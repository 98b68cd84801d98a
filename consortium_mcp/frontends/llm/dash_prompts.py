"""Takes a prompt that begins with a dash for a prompt: a list, front matter, `-5 + 3`.

Every `llm` command imports this file, so it imports click alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click_default_group import DefaultGroup

from consortium_mcp.frontends.text.phrases import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

    Flags = Mapping[str, click.Option]

HOW = (
    'Options come first, then -- and the prompt in quotes: llm consortium -m gpt-4o -- "-5 + 3 = ?"'
)
"""After `--`, nothing is an option."""
LONGEST = 60
"""Characters that an error shows of a word."""


class PromptGroup(DefaultGroup):  # type: ignore[misc]  # it has no types
    """Gives everything but a command's name and its own options to the default command.

    A `DefaultGroup` reads options itself first, and finds `-h` in any text with a dash before it.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the default command where no command is named.

        Not where a shell asks what may follow: there the other commands may, too.
        """
        if ctx.resilient_parsing and not args:
            return click.Group.parse_args(self, ctx, args)
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args.insert(0, self.default_cmd_name)
        return super().parse_args(ctx, args)  # type: ignore[no-any-return]  # the same

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, or the options of the default one: its name is usually left out."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            default = self.commands[self.default_cmd_name]
            found += default.shell_complete(click.Context(default, parent=ctx), incomplete)
        return [*{item.value: item for item in found}.values()]


class PromptCommand(click.Command):
    """A command whose only argument is a prompt."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move a prompt behind `--`; an error of a word with a dash shows that form.

        Raises:
            UsageError: an option does not exist, or there are several arguments.
        """
        if ctx.resilient_parsing:  # a shell asks what may follow: nothing is complete yet
            return super().parse_args(ctx, args)
        options, prompts = _apart(args, dict(self._flags(ctx)))
        ctx.allow_extra_args = True  # counted here, as click's own words show no remedy
        try:
            super().parse_args(ctx, [*options, "--", *prompts] if prompts else options)
        except click.NoSuchOption as error:
            raise click.UsageError(f"{error.format_message()} {HOW}.", ctx) from error
        if ctx.args:
            several = [ctx.params["prompt"], *ctx.args]
            shown = ", ".join(repr(one_line(each, LONGEST)) for each in several)
            raise click.UsageError(f"There are several prompts: {shown}. {HOW}.", ctx)
        return ctx.args

    def _flags(self, ctx: click.Context) -> Iterator[tuple[str, click.Option]]:
        """Each spelling of each option, `--no-…` and `--help` included."""
        for option in self.get_params(ctx):
            if isinstance(option, click.Option):
                yield from ((flag, option) for flag in (*option.opts, *option.secondary_opts))


def _apart(args: Sequence[str], flags: Flags) -> tuple[list[str], list[str]]:
    """The arguments before the prompts, and those that can only be prompts."""
    options: list[str] = []
    prompts: list[str] = []
    rest = iter(args)
    for word in rest:
        if word == "--":
            prompts += rest
        elif word in flags and not flags[word].is_flag:
            options += [word, *(value for value in [next(rest, None)] if value is not None)]
        else:
            (prompts if _is_prompt(word, flags) else options).append(word)
    return options, prompts


def _is_prompt(word: str, flags: Flags) -> bool:
    """Whether a word that begins with a dash cannot be an option.

    Raises:
        UsageError: it may be both, such as `-so what?`: `-s` with its value, or a prompt.
    """
    if not word.startswith("-") or word == "-":
        return False
    if not any(char.isspace() for char in word.partition("=")[0]):
        return word.startswith("---") or not (word[1].isalpha() or word.startswith("--"))
    words = word.split()
    for flag in (words[0], word[:2]):
        if flag in flags and (flag == words[0] or not flags[flag].is_flag):
            option = flag if flags[flag].is_flag else f"{flag} VALUE"
            raise click.UsageError(
                f"{one_line(word, LONGEST)!r} may be an option or a prompt. Quotes go around an "
                f"option's value alone: {option}. {HOW}."
            )
    return True
