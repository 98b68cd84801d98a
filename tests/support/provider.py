"""An identity provider in memory: its keys, its metadata, and tokens that it signs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://id.example.com"
AUDIENCE = "https://consortium.example.com/mcp"


@dataclass
class Provider:
    """One that answers requests as `client` sends them."""

    keys: dict[str, Any] = field(default_factory=dict)
    """By id: private keys."""
    is_down: bool = False
    requests: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(
        default_factory=lambda: {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
    )

    def add_key(self, kid: str, *, elliptic: bool = False) -> None:
        """Sign with one more key."""
        made = ec.generate_private_key(ec.SECP256R1()) if elliptic else _rsa()
        self.keys[kid] = made

    def token(self, kid: str = "one", key: Any = None, **claims: Any) -> str:  # noqa: ANN401
        """A token; a claim that is `None` is left out."""
        key = key or self.keys[kid]
        made = {
            "iss": ISSUER,
            "sub": "alice",
            "aud": AUDIENCE,
            "exp": int(time.time()) + 300,
            "scope": "consult read",
        } | claims
        made = {name: value for name, value in made.items() if value is not None}
        algorithm = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
        return jwt.encode(made, key, algorithm, headers={"kid": kid})

    def client(self) -> httpx2.AsyncClient:
        """A client that reaches this provider, and nobody else."""
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request.url.path)
        if self.is_down:
            raise httpx2.ConnectError("refused", request=request)
        if request.url.path == "/jwks":
            return httpx2.Response(200, json={"keys": [*map(self._public, self.keys)]})
        if request.url.path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json=self.metadata)
        return httpx2.Response(404)

    def _public(self, kid: str) -> dict[str, Any]:
        key = self.keys[kid]
        algorithm: Any = jwt.algorithms.RSAAlgorithm
        if isinstance(key, ec.EllipticCurvePrivateKey):
            algorithm = jwt.algorithms.ECAlgorithm
        made: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
        return made | {"kid": kid, "use": "sig"}


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
