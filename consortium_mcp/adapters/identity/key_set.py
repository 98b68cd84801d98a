"""The public keys with which an identity provider signs (JWKS), kept fresh.

A provider changes its keys now and then, and tells nobody: a token with an unknown key is the sign.
So the keys are fetched anew then, but not more often than every `REFETCH_SECONDS`, as anybody can
make up tokens with unknown keys. A provider that is down is survived with the keys last seen, for
`KEPT_SECONDS` at most: a key that was withdrawn meanwhile would go on being accepted.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import jwt

from consortium_mcp.core.domain.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)
FRESH_SECONDS = 300.0
"""After which the keys are fetched anew, so that withdrawn ones are forgotten."""
REFETCH_SECONDS = 10.0
KEPT_SECONDS = 24 * 3600.0
_FETCH_SECONDS = 5.0
_METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


class ProviderUnreachable(ConsortiumError):
    """The identity provider does not answer, and no key of it is known, or none that is safe."""


class KeySet:
    """The keys of one provider.

    Args:
        issuer: its address, under which its metadata is found.
        url: where its keys are; `None` to look into the metadata.
        client: makes the client that fetches them.
        clock: seconds, which only go forward.
    """

    def __init__(
        self,
        issuer: str,
        url: str | None = None,
        client: Callable[[], httpx2.AsyncClient] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._url = url
        self._client = client or (lambda: httpx2.AsyncClient(timeout=_FETCH_SECONDS))
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._metadata: Mapping[str, Any] | None = None
        self._lock = anyio.Lock()

    async def key(self, kid: str | None) -> jwt.PyJWK | None:
        """The key with this id; `None` if the provider has none.

        Raises:
            ProviderUnreachable: it is not known whether the provider has one.
        """
        if self._age > FRESH_SECONDS or kid not in self._keys:
            await self._refresh(kid)
        if self._age > KEPT_SECONDS:
            raise ProviderUnreachable(
                f"The identity provider {self._issuer} cannot be reached, so that nobody can be "
                "told from anybody else. Try again when it is back."
            )
        return self._keys.get(kid)

    async def metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself: its addresses.

        Raises:
            ProviderUnreachable: it does not answer.
        """
        if self._metadata is None:
            try:
                async with self._client() as client:
                    self._metadata = await self._read_metadata(client)
            except (httpx2.HTTPError, ValueError, KeyError) as error:
                raise ProviderUnreachable(
                    f"The identity provider {self._issuer} cannot be reached: {error}."
                ) from error
        return self._metadata

    @property
    def _age(self) -> float:
        """Seconds since the keys were fetched."""
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    async def _refresh(self, kid: str | None) -> None:
        async with self._lock:
            if self._age <= FRESH_SECONDS and kid in self._keys:
                return  # somebody else has fetched them meanwhile
            if self._tried is not None and self._clock() - self._tried < REFETCH_SECONDS:
                return
            self._tried = self._clock()
            try:
                async with self._client() as client:
                    url = self._url or str((await self._read_metadata(client))["jwks_uri"])
                    found = jwt.PyJWKSet.from_dict(await _read(client, url))
            except (httpx2.HTTPError, jwt.PyJWTError, ValueError, KeyError) as error:
                logger.warning("the keys of %s could not be fetched: %s", self._issuer, error)
                return
            self._keys = {key.key_id: key for key in found.keys}
            self._fetched = self._clock()

    async def _read_metadata(self, client: httpx2.AsyncClient) -> Mapping[str, Any]:
        """The metadata of OpenID Connect, or of OAuth where there is none.

        Raises:
            ValueError: another provider's, or none.
        """
        problem: Exception | None = None
        for path in _METADATA:
            try:
                found = await _read(client, self._issuer + path)
            except (httpx2.HTTPStatusError, ValueError) as error:
                problem = error
                continue
            if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                raise ValueError(f"{self._issuer}{path} is that of {found.get('issuer')}")
            return found
        raise ValueError(f"no metadata: {problem}")


async def _read(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url, headers={"accept": "application/json"}, follow_redirects=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{url} gives no JSON object")  # noqa: TRY004 (what the caller handles)
    return found
