from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consortium_mcp.adapters.identity.jwt_tokens import JwtTokens
from consortium_mcp.adapters.identity.key_set import KeySet, ProviderUnreachable
from consortium_mcp.core.domain.principal import Principal
from tests.support.provider import AUDIENCE, ISSUER, Provider

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def provider() -> Provider:
    made = Provider()
    made.add_key("one")
    made.add_key("curve", elliptic=True)
    return made


@pytest.fixture
def tokens(provider: Provider) -> JwtTokens:
    return JwtTokens(KeySet(ISSUER, client=provider.client), ISSUER, AUDIENCE)


async def test_a_good_token_says_who_it_is(tokens: JwtTokens, provider: Provider) -> None:
    for kid in ("one", "curve"):
        found = await tokens.identity(provider.token(kid, email="alice@example.com"))
        assert found is not None
        assert found.principal == Principal(issuer=ISSUER, subject="alice")
        assert found.name == "alice@example.com"
        assert found.scopes == {"consult", "read"}


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "read"}, {"read"}),
        ({"scope": None, "scp": "consult"}, {"consult"}),
        ({"scope": None, "scp": ["consult", "admin", 3]}, {"consult", "admin"}),
        ({"scope": None}, set()),
        ({"scope": 7}, set()),
    ],
)
async def test_scopes_are_read_as_providers_write_them(
    tokens: JwtTokens, provider: Provider, claims: dict[str, Any], scopes: set[str]
) -> None:
    found = await tokens.identity(provider.token(**claims))
    assert found is not None
    assert found.scopes == scopes


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example.com/mcp"},
        {"aud": None},
        {"iss": "https://evil.example.com"},
        {"iss": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"nbf": int(time.time()) + 600},
        {"sub": None},
        {"sub": ""},
        {"kid": "unknown"},
    ],
    ids=", ".join,  # not the values, some of which are times
)
async def test_a_token_that_is_not_for_us_is_none(
    tokens: JwtTokens, provider: Provider, claims: dict[str, Any]
) -> None:
    kid = claims.pop("kid", "one") if "kid" in claims else "one"
    key = provider.keys["one"]
    assert await tokens.identity(provider.token(kid, key, **claims)) is None


def _forged(provider: Provider) -> dict[str, str]:
    good = provider.token()
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "bob"}).encode()).decode()
    public = provider.keys["one"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    stranger = Provider()
    stranger.add_key("one")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    secret = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}').rstrip(b"=")
    signing = f"{secret.decode()}.{body}".encode()
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing, pem)
    sealed = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return {
        "changed subject": f"{head}.{other.rstrip('=')}.{signature}",
        "alg none": f"{none}.{body}.",
        "signed with the public key": f"{signing.decode()}.{sealed}",
        "another key of the same id": stranger.token(),
        "cut": good[:-10],
        "garbage": "garbage",
        "empty": "",
        "too long": good + "x" * 20_000,
    }


async def test_no_forged_token_is_somebodys(tokens: JwtTokens, provider: Provider) -> None:
    for kind, token in _forged(provider).items():
        assert await tokens.identity(token) is None, kind


async def test_a_provider_that_is_down_is_told_from_a_bad_token() -> None:
    down = Provider(is_down=True)
    down.add_key("one", elliptic=True)
    tokens = JwtTokens(KeySet(ISSUER, client=down.client), ISSUER, AUDIENCE)
    with pytest.raises(ProviderUnreachable):
        await tokens.identity(down.token())
