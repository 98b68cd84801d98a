"""The database's clock: all processes agree on it, whatever the clocks of their machines say."""

from __future__ import annotations

import time
from typing import Self

NOW = "CAST(extract(epoch FROM statement_timestamp()) AS double precision)"
"""Seconds since the epoch, in PostgreSQL's SQL."""


class DatabaseTime(float):
    """A time that the database works out when the statement runs.

    As a number it is this machine's idea of it, for what need not be exact.

    Args:
        offset: seconds from the moment of the statement.
    """

    offset: float

    def __new__(cls, offset: float = 0.0) -> Self:
        """This machine's idea of that time."""
        made = super().__new__(cls, time.time() + offset)
        made.offset = offset
        return made

    def __sub__(self, seconds: float) -> DatabaseTime:
        return DatabaseTime(self.offset - seconds)
