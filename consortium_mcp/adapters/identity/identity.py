"""Somebody who has signed in, and what they may do."""

from __future__ import annotations

from typing import Literal, get_args

from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.values import Value

Scope = Literal["consult", "read", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""To begin, change and end runs; to read them; to see what everybody uses, and the audit log."""


class Identity(Value):
    """Somebody, as their token shows them."""

    principal: Principal
    name: str
    """What people call them, for the audit log and the pages."""
    scopes: frozenset[str]
    expires_at: int | None = None
    """Seconds since the epoch; `None` for a token that does not end."""
    client: str = ""
    """The program that the token was made for, as its issuer names it."""

    def may(self, scope: Scope) -> bool:
        """Whether they may do this. Who may begin runs may read what came of them."""
        return scope in self.scopes or (scope == "read" and "consult" in self.scopes)
