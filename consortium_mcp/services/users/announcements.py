"""Tells whoever listens which resources have changed, and whose they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.principal import Principal

Announce = Callable[..., Awaitable[None]]
"""Called with the URIs of what has changed."""
Listener = Callable[..., Awaitable[None]]
"""Called with whose it is, and the URIs."""


class Announcements:
    """Those of all users of a process."""

    def __init__(self) -> None:
        self.listener: Listener | None = None
        """Who is told; `None` while nobody listens."""

    def of(self, principal: Principal) -> Announce:
        """What announces changes of this user's."""
        return partial(self._tell, principal)

    async def _tell(self, principal: Principal, *uris: str) -> None:
        if self.listener is not None:
            await self.listener(principal, *uris)
