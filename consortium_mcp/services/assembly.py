"""The one place that puts the parts of a service together."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.calls.tools import Tools
from consortium_mcp.adapters.files.folders import Folders
from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.postgres.opening import database_of
from consortium_mcp.adapters.prices import Prices
from consortium_mcp.adapters.saved.calibrations import Calibrations
from consortium_mcp.adapters.saved.consortiums import SavedConsortiums
from consortium_mcp.adapters.templates import Templates
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.services.consortiums import Consortiums
from consortium_mcp.services.learning import Learning
from consortium_mcp.services.preparation import RunPreparation
from consortium_mcp.services.price_lists import PriceLists
from consortium_mcp.services.resolution import RequestResolver
from consortium_mcp.services.runs.gate import CallGate
from consortium_mcp.services.runs.nested import NestedRuns
from consortium_mcp.services.runs.supervisor import RunSupervisor
from consortium_mcp.services.runs.waits import Waits
from consortium_mcp.services.service import Service
from consortium_mcp.services.users.announcements import Announcements
from consortium_mcp.services.users.own_runs import OwnRuns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.errors import BudgetError
    from consortium_mcp.services.runs.admission import Admission
    from consortium_mcp.services.runs.dispatch import Dispatch
    from consortium_mcp.services.team.audit import Note
    from consortium_mcp.services.team.budgets import Budgets
    from consortium_mcp.services.team.meter import Meter
    from consortium_mcp.services.team.own_keys import OwnKeys


def assemble(
    settings: Settings,
    group: TaskGroup,
    *,
    registry: Registry | None = None,
    store: Store | None = None,
    saved_in: Store | None = None,
    ask: Ask | None = None,
    new_seed: Callable[[], str] = secrets.token_hex,
    any_template: bool = False,
    dispatch: Dispatch | None = None,
    meter: Meter | None = None,
) -> Service:
    """A service made of these parts, with the usual ones for what is not given.

    Args:
        settings: where things are.
        group: the task group that runs live in; it ends with the process.
        registry: finds models.
        store: records runs.
        saved_in: holds the saved consortiums, the calibration and the runs to continue, if they are
            not in `store`.
        ask: answers questions; by default with real calls.
        new_seed: makes the random text from which a run's labels and quoting marks are made.
        any_template: whether paths and loaders may be named as templates; only a person may.
        dispatch: where runs go on; by default in this process.
        meter: counts what is done, for a team's server.
    """
    registry = registry or Registry()
    store = store or Store(database_of(settings))
    saved_in = saved_in or store
    tools = Tools(Folders(settings.files, (settings.user_dir, settings.database)))
    prices = Prices(settings.prices)
    calibrations = Calibrations(saved_in)
    own_keys = _own_keys(settings, store)
    notes_of = _notes_of(settings, store)
    ask = ask or _caller(registry, settings, prices, tools, own_keys)
    if meter is not None:
        ask = meter.around(ask, registry.provider_of)
    parts = _Parts(
        settings=settings,
        registry=registry,
        store=store,
        saved_in=saved_in,
        tools=tools,
        templates=Templates(only_saved=not any_template),
        supervisor=RunSupervisor(group, store),
        calibrations=calibrations,
        price_lists=PriceLists(registry, prices),
        gate=CallGate(ask),
        learning=Learning(store, calibrations),
        new_seed=new_seed,
        dispatch=dispatch,
        budgets=_budgets(settings, store, meter, notes_of),
        meter=meter,
        own_keys=own_keys,
        notes_of=notes_of,
    )
    return parts.service_of(LOCAL)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What the services of all users of a process share."""

    settings: Settings
    registry: Registry
    store: Store
    saved_in: Store
    tools: Tools
    templates: Templates
    supervisor: RunSupervisor
    calibrations: Calibrations
    price_lists: PriceLists
    gate: CallGate
    learning: Learning
    new_seed: Callable[[], str]
    dispatch: Dispatch | None
    waits: Waits = field(default_factory=Waits)
    announcements: Announcements = field(default_factory=Announcements)
    budgets: Budgets | None = None
    meter: Meter | None = None
    own_keys: OwnKeys | None = None
    notes_of: Callable[[Principal], Note] | None = None
    services: dict[Principal, Service] = field(default_factory=dict)

    def service_of(self, principal: Principal) -> Service:
        """The service of this user, always the same: its calls at once find each other."""
        if principal not in self.services:
            self.services[principal] = self._new_service(principal)
        return self.services[principal]

    def _new_service(self, principal: Principal) -> Service:
        # The local user's are the parts themselves, as tests put others in their place.
        is_local = principal == LOCAL
        store = self.store if is_local else self.store.bound_to(principal)
        saved_in = store
        if self.saved_in is not self.store:
            saved_in = self.saved_in if is_local else self.saved_in.bound_to(principal)
        saved = SavedConsortiums(saved_in)
        registry = self.registry
        if self.own_keys is not None and not is_local:
            registry = self.own_keys.registry_of(principal, registry)
        resolver = RequestResolver(registry, saved, self.settings.default_models, self.tools)
        supervisor = OwnRuns(self.supervisor, principal)
        note = None if is_local or self.notes_of is None else self.notes_of(principal)
        return Service(
            registry=registry,
            store=store,
            saved_in=saved_in,
            resolver=resolver,
            consortiums=Consortiums(
                saved,
                resolver,
                registry,
                self.templates,
                announce=self.announcements.of(principal),
                note=note,
            ),
            note=note,
            preparation=RunPreparation(
                resolver,
                saved_in,
                self.calibrations,
                self.new_seed,
                supervisor.unrecorded_run,
                price_lists=self.price_lists,
                templates=self.templates,
                inside=self.settings.depth > 0,
                default_tools=self.settings.tools,
            ),
            history=History(store),
            supervisor=supervisor,
            nested_runs=NestedRuns(
                resolver,
                saved,
                store,
                supervisor,
                self.new_seed,
                calibrations=self.calibrations,
                price_lists=self.price_lists,
                templates=self.templates,
            ),
            ask=self.gate,
            price_lists=self.price_lists,
            learning=self.learning,
            for_principal=self.service_of,
            announcements=self.announcements,
            waits=self.waits,
            dispatch=self.dispatch,
            admission=self._admission_of(principal),
            meter=self.meter,
        )

    def _admission_of(self, principal: Principal) -> Admission | None:
        """What decides which runs of this user begin; the local user is nobody of a team."""
        if self.budgets is None or principal == LOCAL:
            return None
        return self.budgets.of(principal, self.price_lists)


def _notes_of(settings: Settings, store: Store) -> Callable[[Principal], Note] | None:
    """What notes the deeds of a team's users; `None` for one person's database."""
    if settings.database_url is None:
        return None
    # For a team only.
    from consortium_mcp.adapters.team.audit_log import AuditLog  # noqa: PLC0415
    from consortium_mcp.services.team.audit import notes_of  # noqa: PLC0415

    return partial(notes_of, AuditLog(store.file))


def _budgets(
    settings: Settings,
    store: Store,
    meter: Meter | None,
    notes_of: Callable[[Principal], Note] | None,
) -> Budgets | None:
    """What limits the users of a team; `None` for one person's database."""
    if settings.database_url is None:
        return None
    from consortium_mcp.services.team.budgets import Budgets  # noqa: PLC0415 (only for a team)

    async def on_refused(principal: Principal, error: BudgetError) -> None:
        if meter is not None:
            meter.refused(error.what)
        if notes_of is not None:
            await notes_of(principal)("budget_refused", None, {"what": error.what})

    return Budgets(store.file, store.owner, on_refused)


def _own_keys(settings: Settings, store: Store) -> OwnKeys | None:
    """The keys that a team's users bring along; `None` where all use the server's.

    Raises:
        ConfigError: there is no secret to encrypt them with.
    """
    if settings.database_url is None or settings.user_keys == "no":
        return None
    from consortium_mcp.services.team.own_keys import (  # noqa: PLC0415 (only for a team)
        OwnKeys,
        user_keys_of,
    )

    keys = user_keys_of(settings, store.file)
    return None if keys is None else OwnKeys(keys, settings.user_keys)


def _caller(
    registry: Registry,
    settings: Settings,
    prices: Prices,
    tools: Tools,
    keys: OwnKeys | None,
) -> ModelCaller:
    return ModelCaller(
        registry, settings.limits, prices, fetch_urls=settings.fetch_urls, tools=tools, keys=keys
    )


@asynccontextmanager
async def open_service(settings: Settings, **parts: Any) -> AsyncIterator[Service]:  # noqa: ANN401 (the keywords of `assemble`)
    """A service while the context lasts; runs that still work at its end are interrupted."""
    raised: Exception | None = None
    service: Service | None = None
    async with anyio.create_task_group() as group:
        try:
            service = assemble(settings, group, **parts)
            yield service
        except Exception as error:  # noqa: BLE001 (raised below: not in a group, but as it is)
            raised = error
        finally:
            group.cancel_scope.cancel()
    if service is not None:
        await service.close()
    if raised is not None:
        raise raised
