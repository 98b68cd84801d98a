"""What a search asks of the index that a database keeps of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consortium_mcp.adapters.databases.database import Connection

PART = "p"
"""The kind of a source that has terms as parts of words; its runs' cursors begin with this."""


@dataclass(frozen=True)
class Source:
    """Where runs are looked for, newest first."""

    tables: str
    key: str
    where: Sequence[str] = ()
    values: Sequence[Any] = ()
    kind: str = ""


class SearchIndex(Protocol):
    """The index of one database."""

    async def words(self, terms: Sequence[str]) -> Source | None:
        """The runs that have every term as words; `None` if a term is no word."""
        ...

    async def parts(self, terms: Sequence[str]) -> Source | None:
        """The other runs that have every term; `None` if the index could not be made yet."""
        ...

    async def index_all(self) -> None:
        """Index everything that has changed, in short steps; ends when it is done."""
        ...

    def forget(self, connection: Connection, ids: Iterable[int]) -> None:
        """Take runs that have just been deleted out of the index, if there is one."""
        ...
