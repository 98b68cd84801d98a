"""The use cases, one method each. Every front end goes through here and gets the same report."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
from ulid import ULID

from consortium_mcp.adapters.calls import Calls
from consortium_mcp.adapters.journal import Journal
from consortium_mcp.adapters.registry import Entry, Registry, Snapshot
from consortium_mcp.adapters.store import Store
from consortium_mcp.background import Background, Progress, Working
from consortium_mcp.core import engine, panel
from consortium_mcp.core.answers import clean
from consortium_mcp.core.errors import ConfigError, UnknownConsortium, UnknownModel
from consortium_mcp.core.models import ConsortiumConfig, Member, Run
from consortium_mcp.core.report import RunReport, Usage, report_of
from consortium_mcp.core.strategies import get_strategy
from consortium_mcp.core.wanted import MemberSpec, Wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.report import Exchange, RunSummary

DEFAULT_CONSORTIUM = "default"
MAX_LIST = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Planned:
    """A configuration that can be run, and what its user should know of it."""

    config: ConsortiumConfig
    warnings: tuple[str, ...]


class Service:
    """Consult, look back, save, list.

    Args:
        settings: where things are.
        group: where runs live; it ends with the process.
        registry: where models are found.
        store: where everything is recorded.
        ask: who answers questions; real calls where none is given.
    """

    def __init__(
        self,
        settings: Settings,
        group: TaskGroup,
        *,
        registry: Registry | None = None,
        store: Store | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.settings = settings
        self.registry = registry or Registry()
        self.store = store or Store(settings.database)
        self._ask = ask or Calls(self.registry)
        self._background = Background(group)

    # Consulting

    async def consult(self, prompt: str, consortium: str | None, wanted: Wanted) -> str:
        """Begin a consultation.

        Args:
            prompt: the question.
            consortium: a saved consortium to start from.
            wanted: what should differ from it, or the whole configuration.

        Returns:
            The run's id; `wait` for its report.

        Raises:
            ConfigError: something cannot be done as asked; no model was called.
            StoreError: the run cannot be recorded; no model was called.
        """
        if not prompt.strip():
            raise ConfigError(
                "The prompt is empty: write the question that the panel shall answer."
            )
        planned = await self.plan(consortium, wanted)
        seed = secrets.token_hex(16)
        run = Run(
            run_id=str(ULID()),
            prompt=clean(prompt),
            config=planned.config,
            members=panel.shuffle_labels(planned.config.members, seed),
            seed=seed,
            warnings=planned.warnings,
        )
        created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        nothing_yet = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
        report = report_of(run, nothing_yet, created_at)
        await self.store.begin_run(run, report)

        async def work(working: Working) -> None:
            await self._run_to_the_end(run, created_at, working)

        self._background.start(Working(report), work)
        return run.run_id

    async def _run_to_the_end(self, run: Run, created_at: str, working: Working) -> None:
        started = time.monotonic()
        journal = Journal(self._ask, self.store, run.run_id)
        total = run.config.max_iterations * (len(run.members) + 1)

        def show(run: Run) -> None:
            usage = Usage(
                calls=journal.calls,
                input_tokens=journal.input_tokens,
                output_tokens=journal.output_tokens,
                seconds=round(time.monotonic() - started, 3),
            )
            working.report = report_of(run, usage, created_at)

        async def on_event(event: engine.Event) -> None:
            nonlocal run
            if isinstance(event, engine.Judged):
                run = event.run
                last = run.iterations[-1]
                await self.store.save_verdict(run.run_id, last.number, last.verdict)
                show(run)
                await self.store.save_report(working.report)
            else:
                run = run.model_copy(update={"unjudged": (*run.unjudged, event.response)})
                show(run)
            working.publish(Progress(len(working.progress) + 1, total, _words(event, run)))

        try:
            run = await engine.consult(run, journal, on_event)
        finally:
            if run.status == "working":  # cancelled, or the process ends under the run
                cancelled = working.cancelled
                run = run.model_copy(
                    update={
                        "status": "cancelled" if cancelled else "interrupted",
                        "stop_reason": "cancelled" if cancelled else None,
                    }
                )
            show(run)
            await self.store.save_report(working.report)

    async def wait(
        self,
        run_id: str,
        seconds: float,
        on_progress: Callable[[Progress], Awaitable[None]] | None = None,
    ) -> RunReport:
        """The run's report once it has ended, or as it stands when the time is over.

        Raises:
            UnknownRun: no run has this id.
        """
        working = self._background.get(run_id)
        if working is None:
            return await self.store.report(run_id)
        return await working.wait(seconds, on_progress)

    def cancel(self, run_id: str) -> bool:
        """End a run that works in this process; whether there was one."""
        return self._background.cancel(run_id)

    # Looking back

    async def list_runs(
        self,
        limit: int,
        cursor: str | None,
        query: str | None,
        status: str | None,
        consortium: str | None,
    ) -> tuple[list[RunSummary], str | None]:
        """Runs, newest first, and the cursor of the next page.

        Raises:
            ConfigError: the limit or the cursor is none.
        """
        if not 1 <= limit <= MAX_LIST:
            raise ConfigError(f"limit is {limit}; it must be between 1 and {MAX_LIST}.")
        if cursor is not None and not re.fullmatch(r"[0-9]{1,18}", cursor):
            raise ConfigError(
                f"{cursor!r} is no cursor: pass the next_cursor of the page before, or none."
            )
        runs, key = await self.store.list_runs(
            limit=limit,
            before=int(cursor) if cursor else None,
            query=query,
            status=status,
            consortium=consortium,
        )
        return runs, None if key is None else str(key)

    async def exchanges(self, run_id: str) -> list[Exchange]:
        """Every recorded call of a run."""
        return await self.store.exchanges(run_id)

    # Consortiums

    async def save(self, name: str, wanted: Wanted) -> Planned:
        """Save a consortium under a name.

        Raises:
            ConfigError: the name or the configuration cannot be used.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot name a consortium: use 1 to 64 letters, digits, dots, hyphens "
                "and underscores, beginning with a letter or digit."
            )
        if not wanted.models:
            raise ConfigError("Name the members in `models`, such as gpt-4o:2.")
        planned = await self._from_models(wanted, None, must_be_ready=False)
        config = planned.config.model_copy(update={"name": name})
        await self.store.save_consortium(config)
        return Planned(config, planned.warnings)

    async def plan(self, consortium: str | None, wanted: Wanted) -> Planned:
        """Who would be asked, and how: everything checked, nothing called.

        The saved consortium that is named; else the models that are named; else the saved
        consortium `default`; else the current models that are ready; else the local ones.

        Raises:
            ConfigError: a bound is broken, a model unknown or not ready, or nothing is ready.
        """
        if consortium is None and not wanted.models:
            try:
                saved = await self.store.consortium(DEFAULT_CONSORTIUM)
            except UnknownConsortium:
                wanted = await self._with_default_panel(wanted)
                return await self._from_models(wanted, None)
            return await self._from_models(wanted, saved)
        base = await self.store.consortium(consortium) if consortium else None
        return await self._from_models(wanted, base)

    async def _from_models(
        self, wanted: Wanted, base: ConsortiumConfig | None, *, must_be_ready: bool = True
    ) -> Planned:
        snapshot = await self.registry.snapshot()
        if wanted.models:
            members = _members(wanted.models, snapshot)
        elif base is not None:
            members = base.members
        else:
            raise ConfigError("Name the members in `models`, such as gpt-4o:2.")
        named = wanted.arbiter or (base.arbiter if base else members[0].model)
        arbiter = snapshot.find(named)
        asked = {m.model: snapshot.find(m.model) for m in members} | {arbiter.model_id: arbiter}
        unready = [f"{e.model_id} is not ready: {e.missing}." for e in asked.values() if e.missing]
        if unready and must_be_ready:
            snapshot = await self.registry.snapshot(refresh=True)  # a key may have come meanwhile
            asked = {model_id: snapshot.find(model_id) for model_id in asked}
            unready = [
                f"{e.model_id} is not ready: {e.missing}" for e in asked.values() if e.missing
            ]
            if unready:
                raise UnknownModel(" ".join(unready))
        values: dict[str, Any] = {"strategy": "tally" if arbiter.demo else "synthesis"}
        values |= base.model_dump() if base else {}
        values |= wanted.settings() | {"members": members, "arbiter": arbiter.model_id}
        _check_strategy(values["strategy"], arbiter)
        config = ConsortiumConfig.model_validate(values)
        return Planned(config, (*unready, *_warnings(config, list(asked.values()))))

    async def _with_default_panel(self, wanted: Wanted) -> Wanted:
        """The current models that are ready, else the local ones, else an error that helps."""
        snapshot = await self.registry.snapshot(refresh=True)
        ready = [model_id for model_id, entry in snapshot.entries.items() if entry.ready]
        chosen = panel.default_panel(ready)
        if chosen is None:
            local = [model_id for model_id in ready if snapshot.entries[model_id].demo]
            if len(local) < 2:  # noqa: PLR2004 (a consortium of one is none)
                raise ConfigError(nothing_ready_message(snapshot))
            chosen = local, local[0]
        members, arbiter = chosen
        return replace(wanted, models=members, arbiter=wanted.arbiter or arbiter)


@asynccontextmanager
async def open_service(settings: Settings, **parts: Any) -> AsyncIterator[Service]:  # noqa: ANN401 (Service's own keywords)
    """A service for as long as the context lasts; runs still working then are interrupted."""
    async with anyio.create_task_group() as group:
        service = Service(settings, group, **parts)
        try:
            yield service
        finally:
            group.cancel_scope.cancel()
    await service.store.close()


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
                    system=spec.system,
                    options=spec.options,
                    tier=spec.tier,
                )
            )
    return tuple(members)


def _check_strategy(strategy: str, arbiter: Entry) -> None:
    get_strategy(strategy)
    if arbiter.demo and strategy != "tally":
        raise ConfigError(
            f"{arbiter.model_id} is too small to weigh arguments, so it cannot judge for the "
            f"strategy {strategy!r}. Name a larger `arbiter`, or use the strategy 'tally'."
        )


def _warnings(config: ConsortiumConfig, asked: list[Entry]) -> list[str]:
    warnings = []
    if len(config.members) == 1:
        warnings.append("Only one member is asked: nothing it says is checked by another model.")
    if any(entry.demo for entry in asked):
        warnings.append(
            "Demo tier: these local models are very small and often wrong. Their answers show how "
            "a consultation works and are not to be relied on."
        )
    elif config.arbiter in {member.model for member in config.members}:
        warnings.append(
            f"The arbiter {config.arbiter} is also a member, and models favour their own words. "
            "Name another `arbiter` if you can."
        )
    return warnings


def _words(event: engine.Event, run: Run) -> str:
    of = f"of {run.config.max_iterations}"
    if isinstance(event, engine.Judged):
        last = run.iterations[-1]
        return f"iteration {last.number} {of}: verdict, confidence {last.verdict.confidence:.2f}"
    failed = f", {event.failed} failed" if event.failed else ""
    return (
        f"iteration {event.iteration} {of}: "
        f"{event.answered} of {event.asked} members answered{failed}"
    )
