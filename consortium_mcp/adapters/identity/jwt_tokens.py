"""Tokens of an identity provider: JWTs, checked by its public keys (RFC 9068, RFC 8725)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

from consortium_mcp.adapters.identity.identity import Identity
from consortium_mcp.core.domain.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.adapters.identity.key_set import KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""With a public key only: a secret one would let everybody who checks tokens make them, too."""
_LEEWAY_SECONDS = 30
"""For clocks that differ."""
_LONGEST = 16_000
"""Characters of a token; longer ones are not looked at."""


class JwtTokens:
    """Checks the tokens of one provider.

    Args:
        keys: the provider's.
        issuer: whose tokens count, exactly as they name it.
        audience: whom they must be made for: this server's address, or what the provider calls it.
    """

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def identity(self, token: str) -> Identity | None:
        """Whose token it is; `None` if it is no good one.

        Raises:
            ProviderUnreachable: it cannot be known.
        """
        claims = await self.claims(token, self._audience)
        return None if claims is None else _identity(claims)

    async def claims(self, token: str, audience: str) -> Mapping[str, Any] | None:
        """What a good token of the provider says, made for this audience; `None` if it is not good.

        Raises:
            ProviderUnreachable: it cannot be known.
        """
        if len(token) > _LONGEST:
            return None
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                return None
            key = await self._keys.key(header.get("kid"))
            if key is None:
                return None
            found: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=(self._issuer, self._issuer.rstrip("/"), self._issuer.rstrip("/") + "/"),
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub", "aud"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return found


def _identity(claims: Mapping[str, Any]) -> Identity | None:
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject:
        return None
    named = (claims.get(name) for name in ("email", "preferred_username", "name"))
    name = next((each for each in named if isinstance(each, str) and each), subject)
    return Identity(
        principal=Principal(issuer=str(claims["iss"]).rstrip("/"), subject=subject),
        name=name,
        scopes=frozenset(_scopes(claims)),
        expires_at=int(claims["exp"]),
        client=str(claims.get("client_id") or claims.get("azp") or ""),
    )


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """Those of `scope` (RFC 9068), or of `scp`, as some providers call it: a text or a list."""
    given = claims.get("scope", claims.get("scp", ""))
    if isinstance(given, str):
        return given.split()
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
