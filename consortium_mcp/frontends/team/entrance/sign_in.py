"""Signing in with a browser: by the team's identity provider, or with a token.

With a provider it is OpenID Connect's code flow with PKCE (RFC 7636). The provider is asked for a
token for this very server (RFC 8707), and that token says who it is and what they may do, by the
same rules as one that an MCP client brings.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import httpx2
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from consortium_mcp.adapters.identity.identity import SCOPES
from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.team.entrance.sessions import SIGN_IN_COOKIE, SIGN_IN_SECONDS

if TYPE_CHECKING:
    from starlette.requests import Request

    from consortium_mcp.adapters.identity.identity import Identity
    from consortium_mcp.adapters.identity.key_set import KeySet
    from consortium_mcp.adapters.identity.verifier import Verifier
    from consortium_mcp.frontends.team.entrance.refusals import Refusals
    from consortium_mcp.frontends.team.entrance.sessions import Sessions

PATH = "/sign-in"
CALLBACK = "/sign-in/callback"
_SECONDS = 10.0
_LONGEST_FORM = 4_000
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in - consortium-mcp</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 15vh auto }}
body {{ padding: 0 1rem }} input, button, a.button {{ font: inherit; padding: .5rem .75rem }}
input, button, a.button {{ box-sizing: border-box; width: 100% }}
a.button {{ display: block; text-align: center; border: 1px solid; border-radius: 4px }}
button {{ margin-top: .5rem }} .why {{ border-left: 4px solid #c33; padding-left: .75rem }}
</style>
<h1>Sign in</h1>{problem}{provider}
<form method="post" action="/sign-in"><p><label for="token">A token that the admin of this server
gave you</label></p><input id="token" name="token" type="password" autocomplete="off" required>
<button>Sign in with the token</button></form>
</html>"""


class WebClient:
    """The pages of runs, as the identity provider knows them.

    Args:
        keys: the provider's, with its metadata.
        client_id: what the provider calls the pages.
        client_secret: `None` where the provider wants none.
        url: the server's address for the world.
        audience: whom tokens are made for.
    """

    def __init__(
        self, keys: KeySet, client_id: str, client_secret: str | None, url: str, audience: str
    ) -> None:
        self._keys = keys
        self._id = client_id
        self._secret = client_secret
        self._redirect = f"{url}{CALLBACK}"
        self._audience = audience

    async def begin(self) -> tuple[str, dict[str, Any]]:
        """Where to send the browser, and what it must bring back.

        Raises:
            ProviderUnreachable: the provider does not answer.
        """
        metadata = await self._keys.metadata()
        kept = {"state": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48)}
        challenge = hashlib.sha256(kept["verifier"].encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": self._redirect,
            "scope": " ".join(("openid", *SCOPES)),
            "state": kept["state"],
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "resource": self._audience,
        }
        return f"{metadata['authorization_endpoint']}?{urlencode(asked)}", kept

    async def token(self, code: str, verifier: str) -> str | None:
        """The token that a code stands for; `None` if the provider gives none.

        Raises:
            ProviderUnreachable: the provider does not answer.
        """
        metadata = await self._keys.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._id,
            "code_verifier": verifier,
            "resource": self._audience,
        }
        try:
            async with httpx2.AsyncClient(timeout=_SECONDS) as client:
                if self._secret is not None:
                    client.auth = httpx2.BasicAuth(self._id, self._secret)
                answer = await client.post(metadata["token_endpoint"], data=form)
                found = answer.json() if answer.is_success else {}
        except (httpx2.HTTPError, ValueError):
            return None
        token = found.get("access_token")
        return token if isinstance(token, str) else None


class SignIn:
    """The pages for it.

    Args:
        sessions: keep people signed in.
        verifier: says whose a token is.
        web: the provider's way; `None` where there is none.
        refusals: notes who brings a token that is not good.
    """

    def __init__(
        self, sessions: Sessions, verifier: Verifier, web: WebClient | None, refusals: Refusals
    ) -> None:
        self._sessions = sessions
        self._verifier = verifier
        self._web = web
        self._refusals = refusals

    @property
    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route(PATH, self._page, methods=["GET"]),
            Route(PATH, self._with_token, methods=["POST"]),
            Route(f"{PATH}/provider", self._to_provider, methods=["GET"]),
            Route(CALLBACK, self._from_provider, methods=["GET"]),
            Route(f"{PATH}/out", self._out, methods=["POST"]),
        ]

    def _form(self, problem: str | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response:
        told = f'<p class="why" role="alert">{problem}</p>' if problem else ""
        link = '<p><a class="button" href="/sign-in/provider">Sign in with your account</a></p>'
        page = _PAGE.format(problem=told, provider=link if self._web else "")
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(page, status, headers | {"Referrer-Policy": "same-origin"})

    async def _page(self, _: Request) -> Response:
        return self._form()

    async def _with_token(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LONGEST_FORM:
                return self._form("This is too long for a token.", HTTPStatus.BAD_REQUEST)
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        return await self._signed_in(token, is_own=True)

    async def _to_provider(self, _: Request) -> Response:
        if self._web is None:
            return self._form("There is no identity provider here.", HTTPStatus.NOT_FOUND)
        try:
            address, kept = await self._web.begin()
        except ConsortiumError as error:
            return self._form(_escaped(str(error)), HTTPStatus.SERVICE_UNAVAILABLE)
        answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        self._sessions.set(answer, SIGN_IN_COOKIE, kept, SIGN_IN_SECONDS)
        return answer

    async def _from_provider(self, request: Request) -> Response:
        kept = self._sessions.get(request, SIGN_IN_COOKIE, SIGN_IN_SECONDS)
        state, code = (request.query_params.get(name, "") for name in ("state", "code"))
        if self._web is None or kept is None:
            return self._form("Signing in took too long. Begin again.", HTTPStatus.BAD_REQUEST)
        if not secrets.compare_digest(state.encode(), str(kept["state"]).encode()):
            return self._form("This was not begun here. Begin again.", HTTPStatus.BAD_REQUEST)
        if not code:
            return self._form("Your account was not confirmed.", HTTPStatus.UNAUTHORIZED)
        try:
            token = await self._web.token(code, str(kept["verifier"]))
        except ConsortiumError as error:
            return self._form(_escaped(str(error)), HTTPStatus.SERVICE_UNAVAILABLE)
        return await self._signed_in(token or "", is_own=False)

    async def _signed_in(self, token: str, *, is_own: bool) -> Response:
        try:
            identity = await self._verifier.identity(token)
        except ConsortiumError as error:
            return self._form(_escaped(str(error)), HTTPStatus.SERVICE_UNAVAILABLE)
        if identity is None:
            await self._refusals.note()
            return self._form(_NOT_GOOD[is_own], HTTPStatus.UNAUTHORIZED)
        return self._begun(identity, token if is_own else None)

    def _begun(self, identity: Identity, token: str | None) -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        self._sessions.begin(answer, identity, token)
        answer.delete_cookie(SIGN_IN_COOKIE)
        return answer

    async def _out(self, _: Request) -> Response:
        answer = RedirectResponse(PATH, HTTPStatus.SEE_OTHER)
        self._sessions.end(answer)
        return answer


_NOT_GOOD = {
    True: "This token is not good: it has ended, was revoked, or is incomplete.",
    False: "The identity provider gave no token for this server. Its admin must let it make tokens "
    "for this server's address (its audience), with the scopes consult and read.",
}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
