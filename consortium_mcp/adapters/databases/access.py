"""Which rows somebody may read or change, as conditions of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.principal import LOCAL

if TYPE_CHECKING:
    from consortium_mcp.core.domain.principal import Principal

Condition = tuple[str, list[str]]
"""A condition and its values."""
_EVERYTHING: Condition = ("1 = 1", [])
_OWNED = ("runs", "consortiums")


class Access:
    """What of the journal is open to somebody.

    Args:
        principal: who it is.
    """

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def own(self, table: str = "runs") -> Condition:
        """The rows that are theirs. Rows of other tables are those whose run is."""
        condition = "owned.issuer = ? AND owned.subject = ?"
        return _of(table, condition, [*self.principal.columns.values()])

    def may_read(self, table: str = "runs") -> Condition:
        """The rows that they may read."""
        if self.principal == LOCAL:
            return _EVERYTHING
        sees = self.principal.sees
        marks = ", ".join("?" for _ in sees)
        condition = f"((owned.issuer = ? AND owned.subject = ?) OR owned.visibility IN ({marks}))"
        return _of(table, condition, [*self.principal.columns.values(), *sees])

    def may_change(self, table: str = "runs") -> Condition:
        """The rows that they may change."""
        return _EVERYTHING if self.principal == LOCAL else self.own(table)


def _of(table: str, condition: str, values: list[str]) -> Condition:
    if table in _OWNED:
        return condition.replace("owned.", f"{table}."), values
    return (
        f"EXISTS (SELECT 1 FROM runs AS owned WHERE owned.run_id = {table}.run_id AND {condition})",  # noqa: S608 (names are ours)
        values,
    )
