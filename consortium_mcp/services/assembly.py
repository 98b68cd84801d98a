"""The one place that puts the parts of a service together."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
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
from consortium_mcp.services.consortiums import Consortiums
from consortium_mcp.services.learning import Learning
from consortium_mcp.services.preparation import RunPreparation
from consortium_mcp.services.price_lists import PriceLists
from consortium_mcp.services.resolution import RequestResolver
from consortium_mcp.services.runs.gate import CallGate
from consortium_mcp.services.runs.nested import NestedRuns
from consortium_mcp.services.runs.supervisor import RunSupervisor
from consortium_mcp.services.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.domain.ask import Ask


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
    """
    registry = registry or Registry()
    store = store or Store(database_of(settings))
    saved_in = saved_in or store
    saved = SavedConsortiums(saved_in)
    tools = Tools(Folders(settings.files, (settings.user_dir, settings.database)))
    templates = Templates(only_saved=not any_template)
    resolver = RequestResolver(registry, saved, settings.default_models, tools)
    supervisor = RunSupervisor(group, store.beat)
    calibrations = Calibrations(saved_in)
    prices = Prices(settings.prices)
    price_lists = PriceLists(registry, prices)
    return Service(
        registry=registry,
        store=store,
        saved_in=saved_in,
        resolver=resolver,
        consortiums=Consortiums(saved, resolver, registry, templates),
        preparation=RunPreparation(
            resolver,
            saved_in,
            calibrations,
            new_seed,
            supervisor.unrecorded_run,
            price_lists=price_lists,
            templates=templates,
            inside=settings.depth > 0,
            default_tools=settings.tools,
        ),
        history=History(store),
        supervisor=supervisor,
        nested_runs=NestedRuns(
            resolver,
            saved,
            store,
            supervisor,
            new_seed,
            calibrations=calibrations,
            price_lists=price_lists,
            templates=templates,
        ),
        ask=CallGate(ask or _caller(registry, settings, prices, tools)),
        price_lists=price_lists,
        learning=Learning(store, calibrations),
    )


def _caller(registry: Registry, settings: Settings, prices: Prices, tools: Tools) -> ModelCaller:
    return ModelCaller(
        registry, settings.limits, prices, fetch_urls=settings.fetch_urls, tools=tools
    )


@asynccontextmanager
async def open_service(settings: Settings, **parts: Any) -> AsyncIterator[Service]:  # noqa: ANN401 (the keywords of `assemble`)
    """A service while the context lasts; runs that still work at its end are interrupted."""
    raised: Exception | None = None
    async with anyio.create_task_group() as group:
        service = assemble(settings, group, **parts)
        try:
            yield service
        except Exception as error:  # noqa: BLE001 (raised below: not in a group, but as it is)
            raised = error
        finally:
            group.cancel_scope.cancel()
    await service.close()
    if raised is not None:
        raise raised
