"""What a browser carries after signing in: a cookie that it cannot read and cannot change."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from consortium_mcp.adapters.identity.identity import Identity
from consortium_mcp.adapters.identity.own_tokens import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from consortium_mcp.adapters.identity.verifier import Verifier

COOKIE = "consortium_session"
SIGN_IN_COOKIE = "consortium_sign_in"
SESSION_SECONDS = 8 * 3600
"""Until somebody has to sign in again."""
SIGN_IN_SECONDS = 600
"""For the way to the identity provider and back."""


class Sessions:
    """Seals and opens the cookies.

    Args:
        secrets: shared by all servers of the team; the first seals, each opens.
        secure: whether browsers reach the server by TLS.
    """

    def __init__(self, secrets: Sequence[str], *, secure: bool) -> None:
        self._fernet = MultiFernet([Fernet(_key(each)) for each in secrets])
        self._secure = secure

    def begin(self, response: Response, identity: Identity, token: str | None = None) -> None:
        """Keep somebody signed in.

        Args:
            response: tells their browser.
            identity: who they are.
            token: one of our own tokens, which is looked at again with every request.
        """
        kept = {"token": token} if token else {"identity": identity.model_dump(mode="json")}
        self.set(response, COOKIE, kept, SESSION_SECONDS)

    async def identity(self, request: Request, verifier: Verifier) -> Identity | None:
        """Who is signed in in this browser; `None` if nobody is.

        Raises:
            StoreError: it cannot be known just now.
        """
        kept = self.get(request, COOKIE, SESSION_SECONDS)
        if kept is None:
            return None
        token = kept.get("token")
        if isinstance(token, str) and token.startswith(PREFIX):
            return await verifier.identity(token)
        try:
            return Identity.model_validate(kept.get("identity"))
        except ValidationError:
            return None

    def end(self, response: Response) -> None:
        """Sign out."""
        response.delete_cookie(COOKIE)

    def set(self, response: Response, name: str, content: dict[str, Any], seconds: int) -> None:
        """Seal this into a cookie."""
        sealed = self._fernet.encrypt(json.dumps(content | {"at": time.time()}).encode())
        response.set_cookie(
            name,
            sealed.decode(),
            max_age=seconds,
            httponly=True,
            secure=self._secure,
            # Not "strict": the way back from the identity provider begins on its page.
            samesite="lax",
        )

    def get(self, request: Request, name: str, seconds: int) -> dict[str, Any] | None:
        """What a cookie holds; `None` if it is absent, too old, or not ours."""
        try:
            content = self._fernet.decrypt(request.cookies.get(name, "").encode(), ttl=seconds)
        except InvalidToken:
            return None
        found = json.loads(content)
        return found if isinstance(found, dict) else None


def _key(secret: str) -> bytes:
    made = HKDF(SHA256(), 32, salt=None, info=b"consortium-mcp/sessions").derive(secret.encode())
    return base64.urlsafe_b64encode(made)
