"""Encrypts what the database must not show, by the secrets of the installation.

The first secret encrypts, every one decrypts: a new one is put before the old one, which stays
until nothing is encrypted with it any more.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_SECRET = 32
"""Characters of a secret at the least, so that nobody guesses it."""


class Encryption:
    """Encrypts and decrypts texts.

    Args:
        secrets: those of the installation, the newest first.
        purpose: what the texts are; what is encrypted for another purpose cannot be decrypted.

    Raises:
        ConfigError: there is no secret, or one is too short.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        if not secrets:
            raise ConfigError(
                "Users' own keys need a secret to encrypt them with. Make one with `openssl rand "
                "-hex 32`, keep it outside of the database, and set CONSORTIUM_SECRET to it, or "
                "CONSORTIUM_SECRET_FILE to a file that has it."
            )
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ConfigError(
                f"A secret of CONSORTIUM_SECRET has fewer than {SHORTEST_SECRET} characters. Make "
                "one with `openssl rand -hex 32`."
            )
        self._keys = MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])

    def encrypted(self, text: str) -> str:
        """The text, encrypted."""
        return self._keys.encrypt(text.encode()).decode("ascii")

    def decrypted(self, token: str) -> str | None:
        """The text; `None` where none of the secrets encrypted it, or it was changed since."""
        try:
            return self._keys.decrypt(token).decode()
        except InvalidToken:
            return None


def _key(secret: str, purpose: str) -> bytes:
    info = f"consortium-mcp: {purpose}".encode()
    derived = HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
