"""Turn our errors into click's, for both command lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from consortium_mcp.core.domain.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from consortium_mcp.core.domain.errors import Listing


LISTINGS: Mapping[Listing, str] = {
    "models": "`llm models` lists all.",
    "consortiums": "`llm consortium list` lists them; `llm consortium save` makes one.",
    "runs": "`llm consortium runs` lists and searches them.",
}
"""The command with which a user finds the right name, by kind of name."""


@contextmanager
def command_errors() -> Iterator[None]:
    """Raise our errors as `ClickException`. No other place does."""
    try:
        yield
    except ConsortiumError as error:
        raise click.ClickException(error.told(LISTINGS)) from error


def check_folder(file: Path | None) -> None:
    """Raise `ClickException`, before anything is paid for, if the file's folder is missing."""
    if file is not None and not file.absolute().parent.is_dir():
        raise click.ClickException(f"{file} cannot be written: there is no folder {file.parent}.")


def write_file(file: Path, text: str) -> None:
    """Write a file that the user named, or raise `ClickException`."""
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
