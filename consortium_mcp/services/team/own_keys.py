"""Users' own keys of providers: which models they make ready, and which key a call brings along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from consortium_mcp.adapters.models.keys import Readiness
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.team.encryption import Encryption
from consortium_mcp.adapters.team.user_keys import PURPOSE, UserKeys
from consortium_mcp.core.domain.errors import ConfigError, MemberError, StoreError
from consortium_mcp.core.domain.principal import LOCAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.models.snapshot import Entry, Snapshot
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.principal import Principal


def user_keys_of(settings: Settings, database: Database) -> UserKeys | None:
    """The users' keys in a team's database; `None` where all use the server's.

    Raises:
        ConfigError: there is no secret to encrypt them with.
    """
    if settings.user_keys == "no":
        return None
    return UserKeys(database, Encryption(settings.secrets, PURPOSE))


Policy = Literal["own-first", "own-only"]


class OwnKeys:
    """Finds the key for a call; see `adapters.calls.account_keys`.

    Args:
        keys: the users' keys.
        policy: `own-first`, where the server's keys are there for who has none of their own, or
            `own-only`.
    """

    def __init__(self, keys: UserKeys, policy: Policy) -> None:
        self.keys = keys
        self._only = policy == "own-only"

    async def key_for(self, principal: Principal, entry: Entry) -> str | None:
        """The key that a call for this user brings along; `None` for the server's.

        Raises:
            MemberError: the user has to give one first, or it cannot be read.
        """
        if principal == LOCAL:
            return None
        if entry.key_name is None:
            missing = self._missing(entry, ())
            key = None
        else:
            try:
                key = await self.keys.key(principal, entry.key_name)
            except (ConfigError, StoreError) as error:
                raise MemberError(str(error), kind="no_key", permanent=True) from error
            missing = None if key else self._missing(entry, ())
        if missing is not None:
            raise MemberError(missing, kind="no_key", permanent=True)
        return key

    def registry_of(self, principal: Principal, shared: Registry) -> Registry:
        """The models, as ready as they are for this user."""
        return _RegistryOfUser(shared, lambda: self._names(principal), self.seen_with)

    async def _names(self, principal: Principal) -> set[str]:
        return {key.name for key in await self.keys.all(principal)}

    def seen_with(self, snapshot: Snapshot, names: Collection[str]) -> Snapshot:
        """The models as somebody sees them who has given keys of these names."""
        entries = {name: self._seen(entry, names) for name, entry in snapshot.entries.items()}
        return replace(snapshot, entries=entries)

    def _seen(self, entry: Entry, names: Collection[str]) -> Entry:
        if entry.key_name in names:
            return replace(entry, readiness=Readiness())
        if (missing := self._missing(entry, names)) is not None:
            return replace(entry, readiness=Readiness(missing))
        return entry

    def _missing(self, entry: Entry, names: Collection[str]) -> str | None:
        """What an `own-only` user lacks for this model."""
        if not self._only or entry.key_name in names:
            return None
        if entry.key_name is not None:
            return (
                f"your own key {entry.key_name}, which you give at this server's address under "
                f"/keys/{entry.key_name} (PUT)"
            )
        if entry.needs_key:
            return "its plugin takes no key with a call, so that it cannot be asked with your own"
        return None


class _RegistryOfUser(Registry):
    """A registry whose snapshots are those of another one, as a user sees them."""

    def __init__(
        self,
        shared: Registry,
        names: Callable[[], Awaitable[set[str]]],
        seen_with: Callable[[Snapshot, Collection[str]], Snapshot],
    ) -> None:
        super().__init__()
        self._shared = shared
        self._names = names
        self._seen_with = seen_with

    async def snapshot(
        self, *, refresh: bool = False, enough: Callable[[Snapshot], bool] | None = None
    ) -> Snapshot:
        """See `Registry.snapshot`.

        Raises:
            StoreError: which keys the user has given cannot be read.
        """
        names = await self._names()

        def will_do(snapshot: Snapshot) -> bool:
            return enough is None or enough(self._seen_with(snapshot, names))

        found = await self._shared.snapshot(
            refresh=refresh, enough=None if enough is None else will_do
        )
        self.latest = self._seen_with(found, names)
        return self.latest
