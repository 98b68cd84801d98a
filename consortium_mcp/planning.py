"""From what somebody wants to a configuration that can be run, checked against what there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.extensions import install_strategies
from consortium_mcp.core import panel
from consortium_mcp.core.answers import clean
from consortium_mcp.core.errors import (
    ConfigError,
    StoreBusy,
    StoreUnwritable,
    UnknownConsortium,
    UnknownModel,
)
from consortium_mcp.core.models import ConsortiumConfig, Member
from consortium_mcp.core.strategies import STRATEGIES, get_strategy
from consortium_mcp.core.wanted import MemberSpec, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.adapters.registry import Entry, Registry, Snapshot
    from consortium_mcp.adapters.store import Store
    from consortium_mcp.core.strategies import Strategy

DEFAULT_CONSORTIUM = "default"


@dataclass(frozen=True)
class Planned:
    """A configuration that can be run, and what its user should know of it."""

    config: ConsortiumConfig
    warnings: tuple[str, ...]


class Planner:
    """Plans consultations.

    Args:
        registry: where models are found.
        store: where consortiums are saved.
    """

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry = registry
        self._store = store

    async def plan(self, consortium: str | None, wanted: Wanted) -> Planned:
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
                saved = await self._store.consortium(DEFAULT_CONSORTIUM)
            except UnknownConsortium:
                pass
            except (StoreUnwritable, StoreBusy) as error:  # a full disk, no reason not to answer
                warnings = (f"Whether a default consortium is saved could not be read: {error}",)
            if saved is None:
                wanted = await self._with_default_panel(wanted)
            planned = await self.from_models(wanted, saved)
            return replace(planned, warnings=(*planned.warnings, *warnings))
        base = None if consortium is None else await self._store.consortium(consortium)
        return await self.from_models(wanted, base)

    async def from_models(
        self, wanted: Wanted, base: ConsortiumConfig | None, *, must_be_ready: bool = True
    ) -> Planned:
        """The models that are wanted, or those of `base`, with what differs from it.

        Args:
            wanted: what was asked for.
            base: the saved consortium to start from.
            must_be_ready: whether a model without its key is an error, or only a warning.

        Raises:
            ConfigError: see `plan`.
        """
        snapshot = await self._registry.snapshot()
        try:
            chosen = _chosen(wanted, base, snapshot)
        except UnknownModel:
            chosen = None
        if chosen is None or (must_be_ready and chosen.unready()):
            # A plugin, an alias or a key may have come meanwhile.
            snapshot = await self._registry.snapshot(refresh=True)
            chosen = _chosen(wanted, base, snapshot)
        if must_be_ready and chosen.unready():
            raise UnknownModel(" ".join(chosen.unready()))
        fitting = {"strategy": "tally" if chosen.arbiters[0].demo else "auto"}
        values: dict[str, Any] = fitting | (base.model_dump() if base else {}) | wanted.settings()
        first, *others = (entry.model_id for entry in chosen.arbiters)
        values |= {"members": chosen.members, "arbiter": first, "arbiters": others}
        values["escalate_to"] = chosen.reserve.model_id if chosen.reserve else None
        config = ConsortiumConfig.model_validate(values)
        strategy = check_strategy(config)
        if chosen.arbiters[0].demo and strategy.weighs:
            raise ConfigError(
                f"{config.arbiter} is too small to weigh arguments, so it cannot judge for the "
                f"strategy {config.strategy!r}. Name a larger `arbiter`, or use the strategy "
                "'tally'."
            )
        return Planned(config, (*chosen.unready(), *_warnings(config, chosen.asked())))

    async def check_name(self, name: str) -> None:
        """See that no model of llm's has this name: `llm -m NAME` could mean either.

        Raises:
            ConfigError: one has.
        """
        snapshot = await self._registry.snapshot()
        if name in snapshot.names:
            model_id = snapshot.names[name]
            raise ConfigError(
                f"{name!r} is a name of the model {model_id} "
                f"({snapshot.entries[model_id].provider}): choose another name."
            )

    async def _with_default_panel(self, wanted: Wanted) -> Wanted:
        """The current models that are ready, else the local ones, else an error that helps."""
        snapshot = await self._registry.snapshot(refresh=True)
        ready = [model_id for model_id, entry in snapshot.entries.items() if entry.ready]
        chosen = panel.default_panel(ready)
        if chosen is None:
            local = [model_id for model_id in ready if snapshot.entries[model_id].demo]
            if len(local) < 2:  # noqa: PLR2004 (a consortium of one is none)
                raise ConfigError(nothing_ready_message(snapshot))
            chosen = local, local[-1]
        members, arbiter = chosen
        return replace(wanted, models=members, arbiter=wanted.arbiter or arbiter)


def nothing_ready_message(snapshot: Snapshot) -> str:
    """What is ready, and the three ways to a panel."""
    ready = sorted(model_id for model_id, entry in snapshot.entries.items() if entry.ready)
    shown = ", ".join(ready[:8]) + (" …" if len(ready) > len(ready[:8]) else "")
    return (
        "No panel was named, and fewer than two current models are ready. "
        f"Ready: {shown or 'none'}. Three ways out: (1) set the keys of two providers, e.g. "
        "`llm keys set openai` and `llm keys set anthropic` with the plugin llm-anthropic; "
        "(2) run `consortium-mcp setup-local` for the small local demo models (extra `local`); "
        "(3) name the `models`, or save a consortium called `default`. "
        "`consortium-mcp doctor` shows what is missing."
    )


@dataclass(frozen=True)
class _Chosen:
    """Who speaks, found in the registry."""

    members: tuple[Member, ...]
    arbiters: tuple[Entry, ...]
    """The first judges, the others in turn when it fails."""
    reserve: Entry | None
    snapshot: Snapshot

    def asked(self) -> list[Entry]:
        models = {member.model for member in self.members} | {e.model_id for e in self.arbiters}
        models |= {self.reserve.model_id} if self.reserve else set()
        return [self.snapshot.find(model_id) for model_id in sorted(models)]

    def unready(self) -> list[str]:
        return [f"{e.model_id} is not ready: {e.missing}." for e in self.asked() if e.missing]


def _chosen(wanted: Wanted, base: ConsortiumConfig | None, snapshot: Snapshot) -> _Chosen:
    if wanted.models:
        members = _members(wanted.models, snapshot)
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
    return _Chosen(
        members,
        tuple(snapshot.find(name) for name in (first, *others)),
        snapshot.find(reserve) if reserve else None,
        snapshot,
    )


def _members(models: Sequence[str | MemberSpec], snapshot: Snapshot) -> tuple[Member, ...]:
    members: list[Member] = []
    for item in models:
        spec = MemberSpec(model=item) if isinstance(item, str) else item
        try:
            name, count = panel.parse_member(spec.model, snapshot.names)
        except UnknownModel:
            snapshot.find(spec.model.strip())  # raises with what the snapshot knows besides
            raise
        model_id = snapshot.find(name).model_id
        for _ in range(count):
            members.append(
                Member(
                    label=panel.label(len(members)),
                    model=model_id,
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
    for field, asked_for in (
        ("sampling", config.sampling != "full"),
        ("escalate_to", config.escalate_to is not None),
    ):
        if asked_for and not strategy.asks_in_waves:
            able = ", ".join(name for name, each in STRATEGIES.items() if each.asks_in_waves)
            raise ConfigError(
                f"The strategy {config.strategy!r} needs every member, so {field} is of no use to "
                f"it: leave that out, or choose one of {able}."
            )
    return strategy


def _warnings(config: ConsortiumConfig, asked: list[Entry]) -> list[str]:
    warnings = []
    if len(config.members) == 1:
        warnings.append("Only one member is asked: nothing it says is checked by another model.")
    if any(entry.demo for entry in asked):
        warnings.append(
            "Demo tier: these local models are very small and often wrong. Their answers show how "
            "a consultation works and are not to be relied on."
        )
    if config.strategy != "roles" and any(member.role for member in config.members):
        warnings.append("The members' roles are played in the strategy `roles` only.")
    if config.escalate_to in {member.model for member in config.members}:
        warnings.append(
            f"{config.escalate_to} is a member already, so escalating to it brings no new view. "
            "Name a stronger model in escalate_to."
        )
    weighs = get_strategy(config.strategy).weighs
    return warnings + (_arbiter_warnings(config) if weighs else [])


def _arbiter_warnings(config: ConsortiumConfig) -> list[str]:
    models = {member.model for member in config.members}
    remedy = "Name another if you can."
    warnings = []
    for arbiter in (config.arbiter, *config.arbiters):
        house = panel.family(arbiter)
        kin = sorted(model for model in models if house and panel.family(model) == house)
        if arbiter in models:
            own = "is also a member, and models favour their own words"
            warnings.append(f"The arbiter {arbiter} {own}. {remedy}")
        elif kin:
            related = f"is of the same family as {', '.join(kin)}, and models favour their own"
            warnings.append(f"The arbiter {arbiter} {related}. {remedy}")
    return warnings
