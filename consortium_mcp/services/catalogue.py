"""Who can be asked, by name: every model of llm's, and every saved consortium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import UnknownModel
from consortium_mcp.core.panel.member_syntax import parse_member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.core.domain.consortium import ConsortiumConfig


@dataclass(frozen=True)
class Candidate:
    """A model or a saved consortium, as a member, an arbiter or a reserve."""

    name: str
    """The model's id, or the consortium's name."""
    missing: str | None = None
    """What stands between the user and a call, with the remedy; `None` when it is ready."""
    demo: bool = False
    """Too small to weigh arguments."""
    consortium: ConsortiumConfig | None = None


class Catalogue:
    """Names and whom they mean. A model goes before a consortium of its name.

    Args:
        snapshot: llm's models.
        saved: the saved consortiums, by name.
        keep_unknown: let a name that nobody has stand, as one that is not ready: whoever brings
            a configuration along may install its plugins later.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        saved: Mapping[str, ConsortiumConfig],
        *,
        keep_unknown: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._saved = saved
        self._keep_unknown = keep_unknown
        self.names = frozenset((*snapshot.names, *saved))

    def read(self, text: str) -> tuple[Candidate, int]:
        """Who is meant by `name` or `name:count`, and how many of it.

        Raises:
            InvalidMember: the count is none.
            UnknownModel: nobody has this name.
        """
        try:
            name, count = parse_member(text, self.names)
        except UnknownModel:
            head, _, tail = text.strip().rpartition(":")
            name = head if head and tail.isdecimal() else text.strip()
            candidate = self.find(name)  # raises with all there is to say, or keeps it
            return candidate, parse_member(text, {name})[1]
        return self.find(name), count

    def find(self, name: str) -> Candidate:
        """Who this is.

        Raises:
            UnknownModel: nobody; the message has the closest names.
        """
        if name in self._saved and name not in self._snapshot.names:
            return Candidate(name, consortium=self._saved[name])
        try:
            entry = self._snapshot.find(name, self._saved)
        except UnknownModel as error:
            if self._keep_unknown:
                return Candidate(name, missing=str(error).rstrip("."))
            raise
        return Candidate(entry.model_id, entry.missing, entry.demo)
