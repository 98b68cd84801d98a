"""Finds out whose a token is, whichever kind it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.adapters.identity.own_tokens import PREFIX, OwnTokens

if TYPE_CHECKING:
    from consortium_mcp.adapters.identity.identity import Identity
    from consortium_mcp.adapters.identity.jwt_tokens import JwtTokens


class Verifier:
    """Checks tokens.

    Args:
        own: the tokens that this server has made.
        jwts: those of the identity provider; `None` where there is none.
    """

    def __init__(self, own: OwnTokens, jwts: JwtTokens | None = None) -> None:
        self._own = own
        self._jwts = jwts

    async def identity(self, token: str) -> Identity | None:
        """Whose token it is; `None` if it is no good one.

        Raises:
            ProviderUnreachable, StoreError: it cannot be known just now.
        """
        if token.startswith(PREFIX):
            return await self._own.identity(token)
        return None if self._jwts is None else await self._jwts.identity(token)
