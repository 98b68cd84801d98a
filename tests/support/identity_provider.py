"""A real identity provider, npm's `oidc-provider`, as a child process on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import ROOT
from tests.support.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

FOLDER = ROOT / "tests" / "team" / "identity_provider"
CLIENT = "assistant"
WEB_CLIENT = "pages"
CLIENT_SECRET = "only-for-tests"  # noqa: S105 (made up)


class NoProvider(Exception):
    """Node or the provider's package is not installed."""


@dataclass
class SigningKey:
    """A key of the provider's, which the tests know, too."""

    kid: str
    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls, kid: str) -> SigningKey:
        """A fresh one."""
        return cls(kid, rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @property
    def jwk(self) -> dict[str, Any]:
        """With its private half, as the provider wants it."""
        made: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private))
        made.pop("key_ops", None)
        return made | {"kid": self.kid, "use": "sig", "alg": "RS256"}


@dataclass
class IdentityProvider:
    """Where it is; it may be stopped and started again with other keys."""

    port: int
    settings: Path
    process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *keys: SigningKey, pages: str = "http://127.0.0.1:1") -> None:
        """Start it with these keys, the first of which signs.

        Args:
            keys: its keys.
            pages: the address of the server whose pages it signs people in to.
        """
        told = {
            "port": self.port,
            "issuer": self.issuer,
            "jwks": {"keys": [key.jwk for key in keys]},
            "clients": [
                {
                    "client_id": CLIENT,
                    "client_secret": CLIENT_SECRET,
                    "grant_types": ["client_credentials"],
                    "redirect_uris": [],
                    "response_types": [],
                },
                {
                    "client_id": WEB_CLIENT,
                    "client_secret": CLIENT_SECRET,
                    "redirect_uris": [f"{pages}/sign-in/callback"],
                },
            ],
        }
        self.settings.write_text(json.dumps(told), "utf-8")
        self.process = subprocess.Popen(
            ["node", "provider.mjs", self.settings],  # noqa: S607 (the one that is installed)
            cwd=FOLDER,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = cast("IO[str]", self.process.stdout).readline()
        assert line.strip() == "ready", line

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def token(self, audience: str, scope: str = "consult read") -> str:
        """A token for the client, as it asks for one."""
        answer = httpx2.post(
            f"{self.issuer}/token",
            data={"grant_type": "client_credentials", "scope": scope, "resource": audience},
            auth=(CLIENT, CLIENT_SECRET),
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def signed(self, key: SigningKey, audience: str, **claims: Any) -> str:  # noqa: ANN401
        """A token that the provider would not give, signed with its key."""
        made = {
            "iss": self.issuer,
            "sub": CLIENT,
            "aud": audience,
            "scope": "consult read",
            "exp": int(time.time()) + 300,
        }
        return jwt.encode(made | claims, key.private, "RS256", headers={"kid": key.kid})


@contextmanager
def identity_provider(folder: Path) -> Iterator[IdentityProvider]:
    """A provider that is not started yet.

    Raises:
        NoProvider: it is not installed; `.ci/team` installs it.
    """
    if shutil.which("node") is None or not (FOLDER / "node_modules").is_dir():
        raise NoProvider("there is no identity provider: .ci/identity-provider installs it")
    made = IdentityProvider(free_port(), folder / "provider.json")
    try:
        yield made
    finally:
        made.stop()
