"""Saves consortiums: each can be run, has a name of its own, and replaces no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.consortium import ConsortiumConfig, names_asked
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.core.reports.uris import consortium_uri
from consortium_mcp.services.resolution import Leniency, ResolvedConsortium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
    from consortium_mcp.adapters.templates import Templates
    from consortium_mcp.core.domain.principal import Visibility
    from consortium_mcp.services.resolution import RequestResolver
    from consortium_mcp.services.team.audit import Note
    from consortium_mcp.services.users.announcements import Announce

_FIELDS = tuple(ConsortiumConfig.model_fields)
_LONGEST_VALUE = 80
"""Characters of a setting's value in a message."""
_MOST_NAMES = 10
"""Names in a message."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Consortiums:
    """The saved consortiums.

    Args:
        saved: holds them.
        resolver: checks them.
        registry: finds models.
        templates: what prompts may go into.
        announce: called with the URIs of what has changed.
        note: notes what was done, for a team.
    """

    def __init__(
        self,
        saved: SavedConsortiums,
        resolver: RequestResolver,
        registry: Registry,
        templates: Templates,
        *,
        announce: Announce,
        note: Note | None = None,
    ) -> None:
        self._note = note
        self._saved = saved
        self._resolver = resolver
        self._registry = registry
        self._templates = templates
        self.find = saved.find
        self.visibility = saved.visibility
        self.all = saved.all
        self._announce = announce

    async def save(
        self,
        name: str,
        settings: ConsortiumSettings,
        *,
        clone: str | None = None,
        overwrite: bool = False,
        keep_unknown: bool = False,
    ) -> ResolvedConsortium:
        """Save a consortium under a name.

        Where neither members nor a consortium to clone are named, and there is one of this name
        already, it is changed: what is not given stays.

        Args:
            name: its name, also as a model in llm.
            settings: the configuration, or what differs from the cloned one.
            clone: a saved consortium to start from.
            overwrite: replace another consortium of this name.
            keep_unknown: save it even if a model is not known (yet).

        Raises:
            ConfigError: the name or the configuration cannot be used, or another consortium has
                this name; the message says how it differs.
        """
        base = None if clone is None else await self._saved.find(clone)
        if base is None and settings.models is None:
            base = next((each for each in await self._saved.all() if each.name == name), None)
        return await self._save(
            name, settings, base, overwrite=overwrite, keep_unknown=keep_unknown
        )

    async def restore(
        self, config: ConsortiumConfig, *, overwrite: bool = False
    ) -> ResolvedConsortium:
        """Save an exported consortium, even if a model is not known here (yet).

        Raises:
            ConfigError: as `save` does.
        """
        name = config.name or ""
        return await self._save(
            name, ConsortiumSettings(), config, overwrite=overwrite, keep_unknown=True
        )

    async def _save(
        self,
        name: str,
        settings: ConsortiumSettings,
        base: ConsortiumConfig | None,
        *,
        overwrite: bool,
        keep_unknown: bool,
    ) -> ResolvedConsortium:
        await self._check_name(name)
        resolved = await self._resolver.resolve_from(
            base,
            settings,
            leniency=Leniency(missing_keys=True, unknown_models=keep_unknown),
            path=(name,),
        )
        config = resolved.config.model_copy(update={"name": name})
        missing = await self._check_template(config, must_be_there=not keep_unknown)
        if not overwrite:
            await self._check_no_other(config)
        await self._saved.save(config)
        if self._note is not None:
            await self._note("save_consortium", name)
        await self._announce(consortium_uri(name))
        return ResolvedConsortium(config, (*resolved.warnings, *missing), resolved.nested)

    async def share(self, name: str, visibility: Visibility) -> None:
        """Let others read and ask a saved consortium, or no longer.

        Raises:
            UnknownConsortium: there is none of this name.
            NotYours: it is somebody else's.
        """
        await self._saved.share(name, visibility)
        if self._note is not None:
            await self._note("share", name, {"visibility": visibility})

    async def delete(self, name: str, *, force: bool = False) -> list[str]:
        """Delete a saved consortium; its runs stay.

        Args:
            name: its name.
            force: delete it even if other consortiums ask it.

        Returns:
            Warnings, such as who can no longer be run.

        Raises:
            UnknownConsortium: there is none of this name.
            ConfigError: others ask it, and `force` was not given.
        """
        await self._saved.find(name)
        users = [
            str(each.name)
            for each in await self._saved.all()
            if each.name != name and name in names_asked(each)
        ]
        if users and not force:
            raise ConfigError(
                f"{name!r} is asked by {_shown(users)}, which cannot be run without it. Nothing "
                "was deleted. Give `force` to delete it all the same, or first save "
                f"{'those' if len(users) > 1 else 'that one'} with other models."
            )
        await self._saved.delete(name)
        if self._note is not None:
            await self._note("delete_consortium", name)
        await self._announce(consortium_uri(name))
        return [f"Without it these cannot be run: {_shown(users)}."] if users else []

    async def _check_template(
        self, config: ConsortiumConfig, *, must_be_there: bool
    ) -> tuple[str, ...]:
        """What is wrong with the template that it names, in a sentence; raised if it must be."""
        if config.template is None:
            return ()
        try:
            await self._templates.check(config.template)
        except ConfigError as error:
            if must_be_there:
                raise
            return (str(error),)
        return ()

    async def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot name a consortium: use 1 to 64 letters, digits, dots, hyphens "
                "and underscores, beginning with a letter or digit."
            )
        snapshot = await self._registry.snapshot()
        if name in snapshot.names:  # `llm -m NAME` could mean either
            model_id = snapshot.names[name]
            raise ConfigError(
                f"{name!r} is already a name of the model {model_id} "
                f"({snapshot.entries[model_id].provider}): choose another name."
            )
        if name in snapshot.aliases:
            raise ConfigError(
                f"{name!r} is an alias of {snapshot.aliases[name]} in llm: choose another name, or "
                f"remove it with `llm aliases remove {name}`."
            )

    async def _check_no_other(self, config: ConsortiumConfig) -> None:
        saved = {each.name: each for each in await self._saved.all()}
        existing = saved.get(config.name)
        if existing is None or existing == config:
            return
        fields = [(name, getattr(existing, name), getattr(config, name)) for name in _FIELDS]
        changes = [
            f"{name} ({_value_text(old)} there, {_value_text(new)} here)"
            for name, old, new in fields
            if old != new
        ]
        raise ConfigError(
            f"A consortium is saved as {config.name!r} already. It differs in "
            f"{', '.join(changes)}. Give `overwrite` to replace it, or choose another name."
        )


def _value_text(value: object) -> str:
    """A setting's value, as text for a message; of a long one the beginning."""
    if isinstance(value, tuple):
        return _shown([getattr(each, "model", str(each)) for each in value]) or "none"
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _shown(names: Sequence[str]) -> str:
    """The names; of many, the first."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
