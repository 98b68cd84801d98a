"""Who asks: each run and each saved consortium is somebody's."""

from __future__ import annotations

from typing import Literal

from consortium_mcp.core.domain.values import Value

Visibility = Literal["private", "team", "public"]
"""Who may read what somebody has: nobody else; everybody who is signed in; everybody."""


class Principal(Value):
    """Somebody, as an issuer of identities knows them."""

    issuer: str
    """Who vouches for them, such as the address of an identity provider."""
    subject: str
    """What the issuer calls them; it never gives the same to two people."""

    @property
    def columns(self) -> dict[str, str]:
        """What marks a row as theirs."""
        return {"issuer": self.issuer, "subject": self.subject}

    @property
    def sees(self) -> tuple[Visibility, ...]:
        """What of other people they may read."""
        return ("public",) if self == ANYBODY else ("team", "public")


LOCAL = Principal(issuer="local", subject="local")
"""The person whose machine it is. There is nobody else there, so they see everything."""
ANYBODY = Principal(issuer="", subject="")
"""Somebody who is not signed in; nothing is theirs."""
