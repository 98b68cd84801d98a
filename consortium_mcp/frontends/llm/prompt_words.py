"""Prompts as people type and pipe them: with a dash at the beginning, in another encoding."""

from __future__ import annotations

import codecs
from typing import Any

import click
from click_default_group import DefaultGroup

_HELP = ("-h", "--help")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Longer ones first: the mark of UTF-32 begins with that of UTF-16."""


class PromptGroup(DefaultGroup):  # type: ignore[misc]  # it has no types
    """A group whose default command takes whatever is no command, even if it begins like `-h`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401 (of click)
        """Put the default command first, unless a command or help is asked for."""
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [self.default_cmd_name, *args]
        return super().parse_args(ctx, args)


class PromptCommand(click.Command):
    """A command with a prompt, which may begin with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take an argument with a dash and a blank for the prompt, where it is no option."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            place = self._place_of_prompt(given)
            if place is None:
                raise click.UsageError(
                    f"{error.format_message()} If it is the prompt, write it behind `--`, after "
                    f'all options: llm consortium -m … -- "{error.option_name}…"',
                    ctx,
                ) from None
            prompt = given.pop(place)
        return super().parse_args(ctx, [*given, "--", prompt])

    def _place_of_prompt(self, args: list[str]) -> int | None:
        """The place of the argument that begins with a dash but reads like a sentence."""
        options = [param for param in self.params if isinstance(param, click.Option)]
        with_value = {name for each in options if not each.is_flag for name in each.opts}
        known = {name for each in options for name in (*each.opts, *each.secondary_opts)}
        for place, arg in enumerate(args):
            is_value = place > 0 and args[place - 1] in with_value
            is_option = arg.partition("=")[0] in known
            is_sentence = arg.startswith("-") and any(char.isspace() for char in arg)
            if is_sentence and not is_value and not is_option:
                return place
        return None


def decoded(content: bytes, locale_encoding: str) -> str:
    """Piped text: UTF-8, or as its mark or this system's locale says.

    Raises:
        click.UsageError: it is none of these.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if codecs.lookup(locale_encoding).name not in {"utf-8", "ascii"}:
            try:
                return content.decode(locale_encoding)
            except UnicodeDecodeError:
                pass
        raise click.UsageError(
            f"The input is not UTF-8: byte {content[error.start]:#04x} at place {error.start}. "
            "Convert it first, for example with `iconv -f latin1 -t utf-8`."
        ) from error


def checked(prompt: str | None) -> str | None:
    """The prompt of the command line.

    Raises:
        click.UsageError: it was not in the encoding of this system's locale.
    """
    if prompt is not None and any("\udc80" <= char <= "\udcff" for char in prompt):
        raise click.UsageError(
            "The prompt is not UTF-8. Convert it, or set the locale that it is written in."
        )
    return prompt
