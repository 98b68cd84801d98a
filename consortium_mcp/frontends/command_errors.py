"""Our errors as click's, for both command lines."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from consortium_mcp.core.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def command_errors() -> Iterator[None]:
    """The one place where they are turned into click's."""
    try:
        yield
    except ConsortiumError as error:
        raise click.ClickException(str(error)) from error
