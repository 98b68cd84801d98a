"""The settings of a team's server, read out of the variables that `settings` hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAIN_SECONDS = 25.0
"""Below the 30 seconds that Kubernetes gives a server to end."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class TeamSettings:
    """Where the server is, who signs in and how it ends."""

    url: str | None = None
    """Its address for the world, without a path; `None` for the one that it listens on."""
    hosts: tuple[str, ...] = ()
    """`HOST` or `HOST:PORT` as clients may name it, besides that of `url`."""
    issuer: str | None = None
    """The identity provider; `None` where there is none."""
    audience: str | None = None
    """Whom its tokens must be made for; `None` for the address of the MCP endpoint."""
    jwks_url: str | None = None
    """Where the provider's keys are; `None` to look into its metadata."""
    web_client_id: str | None = None
    """What the provider calls the pages of runs, for people who sign in with a browser."""
    web_client_secret: str | None = field(default=None, repr=False)
    admins_read_texts: bool = False
    """Whether who has the scope `admin` may read the runs of all users."""
    drain_seconds: float = DRAIN_SECONDS
    """How long working runs may still take once the server is told to end."""

    @property
    def named_hosts(self) -> tuple[str, ...]:
        """Every host that clients may name."""
        own = (urlsplit(self.url).netloc,) if self.url else ()
        return tuple(dict.fromkeys((*own, *self.hosts)))


def read_team_settings(env: Mapping[str, str]) -> TeamSettings:
    """Read the variables of a team's server.

    Raises:
        ConfigError: one has an invalid value; the message names it.
    """
    return TeamSettings(
        url=_address(env, "CONSORTIUM_URL", path_allowed=False),
        hosts=tuple(each.strip() for each in env.get("CONSORTIUM_HOSTS", "").split(",") if each),
        issuer=_address(env, "CONSORTIUM_ISSUER"),
        audience=env.get("CONSORTIUM_AUDIENCE") or None,
        jwks_url=_address(env, "CONSORTIUM_JWKS_URL"),
        web_client_id=env.get("CONSORTIUM_WEB_CLIENT_ID") or None,
        web_client_secret=env.get("CONSORTIUM_WEB_CLIENT_SECRET") or None,
        admins_read_texts=_switch(env, "CONSORTIUM_ADMINS_READ_TEXTS"),
        drain_seconds=_seconds(env, "CONSORTIUM_DRAIN_SECONDS", DRAIN_SECONDS),
    )


def _address(env: Mapping[str, str], name: str, *, path_allowed: bool = True) -> str | None:
    """An address with TLS, or one of this machine."""
    text = env.get(name)
    if not text:
        return None
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"{name} is {text!r}; write an address such as https://example.com.")
    if not path_allowed and parts.path not in {"", "/"}:
        raise ConfigError(f"{name} is {text!r}; write it without a path: the server is at /mcp.")
    return text.rstrip("/")


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = (env.get(name) or "no").lower()
    if text not in {"yes", "no"}:
        raise ConfigError(f"{name} is {text!r}; it must be yes or no.")
    return text == "yes"


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    if not text.replace(".", "", 1).isdecimal():
        raise ConfigError(f"{name} is {text!r}; it must be a number of seconds, such as 25, or 0.")
    return float(text)
