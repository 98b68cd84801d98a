"""From what somebody wants to a configuration that can be run, checked against what there is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from consortium_mcp.adapters.entry_points import install_strategies
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.errors import (
    ConfigError,
    CyclicConsortium,
    StoreBusy,
    StoreUnwritable,
    UnknownConsortium,
    UnknownModel,
)
from consortium_mcp.core.domain.request import ConsultRequest, MemberSpec
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.panel import known_models, labels, member_syntax
from consortium_mcp.core.strategies import STRATEGIES, get_strategy
from consortium_mcp.services.advice import nothing_ready_message, warnings_of
from consortium_mcp.services.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.adapters.journal.consortiums import SavedConsortiums
    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.core.strategies import Strategy
    from consortium_mcp.services.catalogue import Candidate

DEFAULT_CONSORTIUM = "default"
MAX_DEPTH = 4
"""Levels of consortiums within each other, the one that is asked included."""


@dataclass(frozen=True)
class ResolvedConsortium:
    """A configuration that can be run, and what its user should know of it."""

    config: ConsortiumConfig
    warnings: tuple[str, ...]
    nested: Mapping[str, ResolvedConsortium] = field(default_factory=dict)
    """Those of its members and arbiters that are consortiums themselves, by name."""


class RequestResolver:
    """Plans consultations.

    Args:
        registry: where models are found.
        saved: where consortiums are.
    """

    def __init__(self, registry: Registry, saved: SavedConsortiums) -> None:
        self._registry = registry
        self._saved = saved

    async def plan(self, consortium: str | None, wanted: ConsultRequest) -> ResolvedConsortium:
        """Who would be asked, and how: everything checked, nothing called.

        The saved consortium that is named; else the models that are named; else the saved
        consortium `default`; else the current models that are ready; else the local ones.

        Raises:
            ConfigError: a bound is broken, a model unknown or not ready, or nothing is ready.
        """
        if consortium is None and wanted.models is None:
            saved = None
            warnings: tuple[str, ...] = ()
            try:
                saved = await self._saved.find(DEFAULT_CONSORTIUM)
            except UnknownConsortium:
                pass
            except (StoreUnwritable, StoreBusy) as error:  # a full disk, no reason not to answer
                warnings = (f"Whether a default consortium is saved could not be read: {error}",)
            if saved is None:
                wanted = await self._with_default_panel(wanted)
            planned = await self.from_models(wanted, saved)
            return replace(planned, warnings=(*planned.warnings, *warnings))
        base = None if consortium is None else await self._saved.find(consortium)
        return await self.from_models(wanted, base)

    async def from_models(
        self,
        wanted: ConsultRequest,
        base: ConsortiumConfig | None,
        *,
        must_be_ready: bool = True,
        keep_unknown: bool = False,
        path: tuple[str, ...] = (),
    ) -> ResolvedConsortium:
        """The models that are wanted, or those of `base`, with what differs from it.

        Args:
            wanted: what was asked for.
            base: the saved consortium to start from.
            must_be_ready: whether a model without its key is an error, or only a warning.
            keep_unknown: whether a model that nobody knows is only a warning too.
            path: the names of the consortiums that this one is asked within, the outermost first,
                and its own; taken from `base` where empty.

        Raises:
            ConfigError: see `plan`.
            CyclicConsortium: it would be asked by itself, or too deep within others.
        """
        directory = await self._directory(keep_unknown=keep_unknown)
        try:
            chosen = _selected(wanted, base, directory)
        except UnknownModel:
            chosen = None
        if chosen is None or (must_be_ready and chosen.unready()):
            # A plugin, an alias or a key may have come meanwhile.
            directory = await self._directory(refresh=True, keep_unknown=keep_unknown)
            chosen = _selected(wanted, base, directory)
        if must_be_ready and chosen.unready():
            raise UnknownModel(" ".join(chosen.unready()))
        fitting = {"strategy": "tally" if chosen.arbiters[0].demo else "auto"}
        values: dict[str, Any] = fitting | (base.model_dump() if base else {}) | wanted.given()
        first, *others = (arbiter.name for arbiter in chosen.arbiters)
        values |= {"members": chosen.members, "arbiter": first, "arbiters": others}
        values["escalate_to"] = chosen.reserve.name if chosen.reserve else None
        config = _validated(values)
        strategy = check_strategy(config)
        if chosen.arbiters[0].demo and strategy.weighs:
            raise ConfigError(
                f"{config.arbiter} is too small to weigh arguments, so it cannot judge for the "
                f"strategy {config.strategy!r}. Name a larger `arbiter`, or use the strategy "
                "'tally'."
            )
        path = path or ((base.name if base else None) or "this panel",)
        nested = {
            inner.name: await self.from_models(
                ConsultRequest(),
                inner.consortium,
                must_be_ready=must_be_ready,
                keep_unknown=keep_unknown,
                path=checked_path(*path, inner.name),
            )
            for inner in chosen.asked()
            if inner.consortium is not None
        }
        inside = [f"In {name}: {w}" for name, each in nested.items() for w in each.warnings]
        warnings = (*chosen.unready(), *warnings_of(config, chosen.asked()), *inside)
        return ResolvedConsortium(config, warnings, nested)

    async def _directory(self, *, refresh: bool = False, keep_unknown: bool) -> Catalogue:
        snapshot = await self._registry.snapshot(refresh=refresh)
        try:
            saved = {str(config.name): config for config in await self._saved.all()}
        except (StoreUnwritable, StoreBusy):  # a full disk is no reason not to ask models
            saved = {}
        return Catalogue(snapshot, saved, keep_unknown=keep_unknown)

    async def _with_default_panel(self, wanted: ConsultRequest) -> ConsultRequest:
        """The current models that are ready, else the local ones, else an error that helps."""
        snapshot = await self._registry.snapshot(refresh=True)
        ready = [model_id for model_id, entry in snapshot.entries.items() if entry.ready]
        chosen = known_models.default_panel(ready)
        if chosen is None:
            local = [model_id for model_id in ready if snapshot.entries[model_id].demo]
            if len(local) < 2:  # noqa: PLR2004 (a consortium of one is none)
                raise ConfigError(nothing_ready_message(snapshot))
            chosen = local, local[-1]
        members, arbiter = chosen
        return replace(wanted, models=members, arbiter=wanted.arbiter or arbiter)


def _validated(values: dict[str, Any]) -> ConsortiumConfig:
    try:
        return ConsortiumConfig.model_validate(values)
    except ValidationError as error:
        said = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"A setting cannot be used: {'; '.join(said)}.") from error


@dataclass(frozen=True)
class _Selection:
    """Who speaks, found in the directory."""

    members: tuple[Member, ...]
    arbiters: tuple[Candidate, ...]
    """The first judges, the others in turn when it fails."""
    reserve: Candidate | None
    directory: Catalogue

    def asked(self) -> list[Candidate]:
        names = {member.model for member in self.members} | {each.name for each in self.arbiters}
        names |= {self.reserve.name} if self.reserve else set()
        return [self.directory.find(name) for name in sorted(names)]

    def unready(self) -> list[str]:
        return [f"{c.name} is not ready: {c.missing}." for c in self.asked() if c.missing]


def checked_path(*names: str) -> tuple[str, ...]:
    """The consortiums within each other, the outermost first.

    Raises:
        CyclicConsortium: one of them is within itself, or they are too many.
    """
    shown = " → ".join(names)
    if names[-1] in names[:-1]:
        raise CyclicConsortium(
            f"{names[-1]} would be asked by itself ({shown}): take it out of one of these."
        )
    if len(names) > MAX_DEPTH:
        raise CyclicConsortium(
            f"Consortiums may stand in each other {MAX_DEPTH} deep, and {shown} is deeper: name "
            "models instead of the innermost."
        )
    return names


def _selected(
    wanted: ConsultRequest, base: ConsortiumConfig | None, directory: Catalogue
) -> _Selection:
    if wanted.models:
        members = _members(wanted.models, wanted.counts, directory)
    elif base is not None and wanted.models is None:
        members = base.members
    else:
        raise ConfigError("Name the members in `models`, such as gpt-4o:2.")
    first, others = wanted.arbiter, wanted.arbiters
    if first is None:
        first = base.arbiter if base else members[0].model
    if others is None:
        others = base.arbiters if base else ()
    reserve = wanted.escalate_to or (base.escalate_to if base else None)
    return _Selection(
        members,
        tuple(directory.find(name) for name in (first, *others)),
        directory.find(reserve) if reserve else None,
        directory,
    )


def _members(
    models: Sequence[str | MemberSpec], counts: Sequence[int], directory: Catalogue
) -> tuple[Member, ...]:
    members: list[Member] = []
    specs = [MemberSpec(model=item) if isinstance(item, str) else item for item in models]
    written = [spec.model for spec in specs]
    if counts:
        written = member_syntax.with_counts(written, counts, directory.names)
    for spec, text in zip(specs, written, strict=True):
        candidate, count = directory.read(text)
        for _ in range(count):
            members.append(
                Member(
                    label=labels.label(len(members)),
                    model=candidate.name,
                    system=None if spec.system is None else clean(spec.system),
                    options=spec.options,
                    tier=spec.tier,
                    role=None if spec.role is None else clean(spec.role),
                )
            )
    return tuple(members)


def check_strategy(config: ConsortiumConfig) -> Strategy:
    """The configuration's strategy, of ours or of an installed package.

    Raises:
        ConfigError: it does not exist, or has no use for something else that is asked for.
    """
    install_strategies()
    strategy = get_strategy(config.strategy)
    for setting, asked_for in (
        ("sampling", config.sampling != "full"),
        ("escalate_to", config.escalate_to is not None),
    ):
        if asked_for and not strategy.asks_in_waves:
            able = ", ".join(name for name, each in STRATEGIES.items() if each.asks_in_waves)
            raise ConfigError(
                f"The strategy {config.strategy!r} needs every member, so {setting} is of no use "
                f"to it: leave that out, or choose one of {able}."
            )
    return strategy
