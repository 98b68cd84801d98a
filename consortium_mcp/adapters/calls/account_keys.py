"""With whose key a call is made: the seam for the users of a team, who may bring their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consortium_mcp.adapters.models.snapshot import Entry
    from consortium_mcp.core.domain.principal import Principal


class AccountKeys(Protocol):
    """Knows the keys of users."""

    async def key_for(self, principal: Principal, entry: Entry) -> str | None:
        """The key that a call for this user brings along; `None` for what llm finds itself.

        Raises:
            MemberError: the user has to give one first, or it cannot be read.
        """
        ...
