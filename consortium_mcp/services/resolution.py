"""Decides who is asked and how: makes settings into a configuration that can be run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from pydantic import ValidationError

from consortium_mcp.adapters.calls.tools import Tools
from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import ConfigError, StoreUnavailable, UnknownModel
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.core.engine.nested_consortium import checked_path
from consortium_mcp.services.catalogue import Catalogue
from consortium_mcp.services.default_panel import default_panel
from consortium_mcp.services.panel_warnings import arbiter_warnings, warnings_of
from consortium_mcp.services.strategy_check import check_schema, checked_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.models.snapshot import Snapshot
    from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
    from consortium_mcp.services.catalogue import Selection


@dataclass(frozen=True)
class ResolvedConsortium:
    """A configuration that can be run, and what its user should know about it."""

    config: ConsortiumConfig
    warnings: tuple[str, ...]
    nested: Mapping[str, ResolvedConsortium] = field(default_factory=dict)
    """Its members and arbiters that are consortiums themselves, by name."""
    notes: tuple[str, ...] = ()
    """What a plan says besides."""
    of_arbiters: tuple[str, ...] = ()
    """Those of the warnings that matter only if an arbiter is asked."""
    attachment_types: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """By the name of whoever may be asked, the types of files that it takes; `None` for all."""
    without_tools: frozenset[str] = frozenset()
    """Those of them that cannot use tools."""
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Model -> the options that it has."""
    chosen_because: str | None = None
    """Why this is the panel, where nobody was named."""

    @property
    def run_warnings(self) -> tuple[str, ...]:
        """The warnings that hold for every run, whoever is asked in it."""
        return tuple(each for each in self.warnings if each not in self.of_arbiters)


@dataclass(frozen=True)
class Leniency:
    """Which faults are only warnings: a consortium may be saved before it can be run."""

    missing_keys: bool = False
    """A model that is known but not ready."""
    unknown_models: bool = False
    """A model that is not known (yet)."""


STRICT = Leniency()


class RequestResolver:
    """Decides who is asked and how; everything is checked, nothing is called.

    Args:
        registry: finds models.
        saved: holds the saved consortiums.
        default_models: the members of the default panel, if the user has set them.
        tools: finds the tools that members may use.
    """

    def __init__(
        self,
        registry: Registry,
        saved: SavedConsortiums,
        default_models: Sequence[str] = (),
        tools: Tools | None = None,
    ) -> None:
        self._tools = tools or Tools()
        self._registry = registry
        self._saved = saved
        self._default_models = default_models

    async def resolve(
        self, consortium: str | None, settings: ConsortiumSettings
    ) -> ResolvedConsortium:
        """The saved consortium that is named, else the models that are named, else the default.

        Raises:
            ConfigError: a setting is invalid, a model unknown or not ready, or nothing is ready.
        """
        if consortium is not None:
            return await self.resolve_from(await self._saved.find(consortium), settings)
        if settings.models is not None:
            return await self.resolve_from(None, settings)
        default = await default_panel(self._registry, self._saved, self._default_models)
        if default.saved is None:
            arbiter = settings.arbiter or default.arbiter
            settings = replace(settings, models=default.models, arbiter=arbiter)
        resolved = await self.resolve_from(default.saved, settings)
        warnings = (*resolved.warnings, *default.warnings)
        return replace(resolved, warnings=warnings, chosen_because=default.why)

    async def resolve_from(
        self,
        base: ConsortiumConfig | None,
        settings: ConsortiumSettings,
        *,
        leniency: Leniency = STRICT,
        path: tuple[str, ...] = (),
    ) -> ResolvedConsortium:
        """The configuration `base`, with the settings applied.

        Args:
            base: the configuration to start from; without one, the settings must name models.
            settings: what was asked for.
            leniency: which faults are only warnings.
            path: names of the consortiums that this one is nested in, the outermost first, and its
                own as the last; taken from `base` if empty.

        Raises:
            ConfigError: see `resolve`.
            CyclicConsortium: it would be nested in itself, or too deep in others.
        """
        selection = await self._selection(base, settings, leniency)
        config = _configuration(base, settings, selection)
        await self.check_tools(config.tools or ())
        strategy = checked_strategy(config)
        await check_schema(config)
        if selection.arbiters[0].demo and strategy.weighs:
            raise ConfigError(
                f"{config.arbiter} is too small to weigh arguments, so it cannot judge for the "
                f"strategy {config.strategy!r}. Name a larger `arbiter`, or use the strategy "
                "'tally'."
            )
        path = path or ((base.name if base else None) or "this panel",)
        nested = await self._nested(selection, leniency, path)
        asked = selection.candidates()
        of_arbiters = (
            *arbiter_warnings(config, asked),
            *(f"In {name}: {w}" for name, each in nested.items() for w in each.of_arbiters),
        )
        inner = [f"In {name}: {w}" for name, each in nested.items() for w in each.run_warnings]
        own = warnings_of(config, asked)
        return ResolvedConsortium(
            config,
            tuple(dict.fromkeys((*selection.not_ready(), *own, *inner, *of_arbiters))),
            nested,
            notes=tuple(each.note for each in asked if each.note is not None),
            of_arbiters=of_arbiters,
            attachment_types={each.name: each.attachment_types for each in asked},
            without_tools=frozenset(each.name for each in asked if not each.supports_tools),
            options={each.name: each.options for each in asked},
        )

    async def check_tools(self, names: Sequence[str]) -> None:
        """Check that there are tools of these names.

        Raises:
            ConfigError: there are not.
        """
        if names:  # in a thread, as llm's plugins are loaded for it
            await anyio.to_thread.run_sync(self._tools.find, names)

    async def _nested(
        self, selection: Selection, leniency: Leniency, path: tuple[str, ...]
    ) -> dict[str, ResolvedConsortium]:
        return {
            inner.name: await self.resolve_from(
                inner.consortium,
                ConsortiumSettings(),
                leniency=leniency,
                path=checked_path(*path, inner.name),
            )
            for inner in selection.candidates()
            if inner.consortium is not None
        }

    async def _selection(
        self, base: ConsortiumConfig | None, settings: ConsortiumSettings, leniency: Leniency
    ) -> Selection:
        """Look up who is meant; before a model is refused, ask the plugins again.

        Raises:
            UnknownModel: a model is unknown or not ready.
        """
        try:
            saved = {str(config.name): config for config in await self._saved.all()}
        except StoreUnavailable as error:  # no reason not to ask models
            try:
                return await self._select(base, settings, leniency, {})
            except UnknownModel as unknown:
                raise UnknownModel(
                    f"{unknown} Which consortiums are saved could not be read: {error}"
                ) from error
        return await self._select(base, settings, leniency, saved)

    async def _select(
        self,
        base: ConsortiumConfig | None,
        settings: ConsortiumSettings,
        leniency: Leniency,
        saved: Mapping[str, ConsortiumConfig],
    ) -> Selection:

        def select(snapshot: Snapshot) -> Selection | None:
            catalogue = Catalogue(snapshot, saved)
            try:
                return catalogue.select(base, settings)
            except UnknownModel:
                return None

        snapshot = await self._registry.snapshot(enough=lambda each: select(each) is not None)
        selection = select(snapshot)
        must_be_ready = not leniency.missing_keys
        if selection is None or (must_be_ready and selection.not_ready()):
            # A plugin, an alias or a key may have been added meanwhile.
            snapshot = await self._registry.snapshot(refresh=True)
            catalogue = Catalogue(snapshot, saved, keep_unknown=leniency.unknown_models)
            selection = catalogue.select(base, settings)
        if must_be_ready and selection.not_ready():
            raise UnknownModel(" ".join(selection.not_ready()))
        return selection


def _configuration(
    base: ConsortiumConfig | None, settings: ConsortiumSettings, selection: Selection
) -> ConsortiumConfig:
    """The base with the settings applied, and with the names that the catalogue found.

    Raises:
        ConfigError: a setting is invalid.
    """
    first, *others = selection.arbiters
    values: dict[str, Any] = {"strategy": "tally" if first.demo else "auto"}
    values |= (base.model_dump() if base else {}) | settings.given()
    values |= {
        "members": selection.members,
        "arbiter": first.name,
        "arbiters": [each.name for each in others],
        "escalate_to": selection.reserve.name if selection.reserve else None,
    }
    try:
        return ConsortiumConfig.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"A setting cannot be used: {'; '.join(problems)}.") from error
