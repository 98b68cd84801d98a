"""The use cases, one method each. Every front end goes through here and gets the same report."""

from __future__ import annotations

import re
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from ulid import ULID

from consortium_mcp.adapters.calibrations import Calibrations
from consortium_mcp.adapters.calls import Calls
from consortium_mcp.adapters.history import History
from consortium_mcp.adapters.registry import Registry
from consortium_mcp.adapters.store import Store, now
from consortium_mcp.background import TELL_SECONDS, Background, Teller
from consortium_mcp.consulting import Consulting
from consortium_mcp.core import panel
from consortium_mcp.core.answers import clean
from consortium_mcp.core.errors import ConfigError, ConsortiumError, StoreBusy, StoreUnwritable
from consortium_mcp.core.models import ConsortiumConfig, Run, Turn
from consortium_mcp.core.plan import plan_of
from consortium_mcp.core.report import (
    RunReport,
    RunSummary,
    consortium_uri,
    report_of_plan,
    report_uri,
    resource_uri,
)
from consortium_mcp.core.wanted import Wanted, checked_wait
from consortium_mcp.planning import Planned, Planner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from anyio.abc import TaskGroup

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.background import Progress, Working
    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.exchange import Exchange
    from consortium_mcp.core.record import RunRecord

    Announce = Callable[..., Awaitable[None]]

MAX_LIST = 100
POLL_SECONDS = 0.5
"""How often the run of another process is looked at."""
CANCEL_SECONDS = 5.0
"""How long another process is given to react to a cancel."""
_FIELDS = tuple(ConsortiumConfig.model_fields)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Service:
    """Consult, look back, save, list.

    Args:
        settings: where things are.
        group: where runs live; it ends with the process.
        registry: where models are found.
        store: where everything is recorded.
        ask: who answers questions; real calls where none is given.
        new_seed: makes the random text that a run's labels and quoting marks come from.
    """

    def __init__(
        self,
        settings: Settings,
        group: TaskGroup,
        *,
        registry: Registry | None = None,
        store: Store | None = None,
        ask: Ask | None = None,
        new_seed: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self.settings = settings
        self.registry = registry or Registry()
        self.store = store or Store(settings.database)
        self._ask = ask or Calls(self.registry, settings.limits)
        self.planner = Planner(self.registry, self.store)
        self.history = History(self.store)
        self.calibrations = Calibrations(self.store)
        self._group = group
        self._new_seed = new_seed
        self._background = Background(group, self.store.beat)
        self.announce: Announce = _to_nobody
        """Told the URIs of what has changed."""

    # Consulting

    async def consult(
        self,
        prompt: str,
        consortium: str | None,
        wanted: Wanted,
        *,
        continue_run: str | None = None,
        history: Sequence[Turn] = (),
    ) -> str:
        """Begin a consultation.

        Args:
            prompt: the question.
            consortium: a saved consortium to start from.
            wanted: what should differ from it, or the whole configuration.
            continue_run: the id of an ended run to go on from: its conversation, and its panel
                where no other is named.
            history: what was said before, where it is in no run.

        Returns:
            The run's id; `wait` for its report.

        Raises:
            ConfigError: something cannot be done as asked; no model was called.
            UnknownRun: there is no run to go on from; no model was called.
            StoreError: the run cannot be recorded; no model was called.
        """
        run = await self._new_run(prompt, consortium, wanted, continue_run, history)
        consulting = Consulting(run, now(), self._ask, self.store)
        await consulting.begin()
        self._start(run.run_id, consulting)
        return run.run_id

    def _start(self, run_id: str, consulting: Consulting) -> None:
        self._background.start(run_id, consulting.working, consulting.to_the_end)
        self._group.start_soon(self._announce_end, run_id, consulting.working)

    async def _announce_end(self, run_id: str, working: Working) -> None:
        await working.until_ended()
        await self.announce(resource_uri(run_id), report_uri(run_id))

    async def resume(self, run_id: str) -> bool:
        """Go on with an interrupted run; what was answered before is not asked again.

        Returns:
            Whether it goes on here and now. Otherwise nothing has changed: the run has ended, or
            it works already, here or in another process.

        Raises:
            UnknownRun: no run has this id.
            ConfigError: a model of the run is not known or not ready here; nothing has changed.
        """
        here = self._background.get(run_id)
        record = None if here else await self.store.record(run_id)
        if record is None or record.report.status != "interrupted":
            return False
        await self.planner.from_models(Wanted(), record.config)  # whether its models are ready
        if not await self.store.claim(run_id):
            return False
        record = await self.store.record(run_id)
        consulting = Consulting(
            record.run(), record.report.created_at, self._ask, self.store, record.exchanges
        )
        self._start(run_id, consulting)
        return True

    def cancel_here(self, run_id: str) -> None:
        """End a run of this process at once: its caller no longer wants it."""
        self._background.cancel(run_id)

    async def cancel(self, run_id: str) -> RunReport:
        """End a run, of this process or another; one that has ended stays as it is.

        Returns:
            Its report, which is still `working` where the other process has not reacted yet.

        Raises:
            UnknownRun: no run has this id.
        """
        if not self._background.cancel(run_id):
            await self.store.cancel(run_id)
        return await self.wait(run_id, CANCEL_SECONDS)

    async def dry_run(
        self,
        prompt: str,
        consortium: str | None,
        wanted: Wanted,
        *,
        continue_run: str | None = None,
        history: Sequence[Turn] = (),
    ) -> RunReport:
        """What `consult` would do and cost; nothing is called or recorded.

        Raises:
            ConfigError: as `consult` does.
        """
        run = await self._new_run(prompt, consortium, wanted, continue_run, history)
        plan, warnings = plan_of(run)
        return report_of_plan(run, plan, warnings, now())

    async def _new_run(
        self,
        prompt: str,
        consortium: str | None,
        wanted: Wanted,
        continue_run: str | None,
        history: Sequence[Turn],
    ) -> Run:
        prompt = clean(prompt)
        if not any(char.isprintable() and not char.isspace() for char in prompt):
            raise ConfigError(
                "The prompt is empty: write the question that the panel shall answer."
            )
        before = None if continue_run is None else await self._to_go_on_from(continue_run)
        if before is not None:
            synthesis = before.report.synthesis or ""
            history = (*before.history, Turn(prompt=before.report.prompt, synthesis=synthesis))
        if before is None or consortium is not None or wanted.models is not None:
            planned = await self.planner.plan(consortium, wanted)
        else:
            planned = await self.planner.from_models(wanted, before.config)
        seed = self._new_seed()
        calibration = None
        warnings: tuple[str, ...] = ()
        try:
            calibration = await self.calibrations.current()
        except (StoreUnwritable, StoreBusy) as error:  # a full disk is no reason not to answer
            warnings = (f"Whether the confidence is calibrated could not be read: {error}",)
        return Run(
            run_id=str(ULID()),
            prompt=prompt,
            config=planned.config,
            members=panel.members_of_run(planned.config, seed),
            seed=seed,
            history=tuple(history),
            continues=continue_run,
            calibration=calibration,
            warnings=(*planned.warnings, *warnings),
        )

    async def _to_go_on_from(self, run_id: str) -> RunRecord:
        record = await self.store.record(run_id)
        if record.report.synthesis is None or record.report.status not in {"completed", "degraded"}:
            raise ConfigError(
                f"Run {run_id} is {record.report.status}: only a run with an answer can be "
                "continued. `get_run` waits for one that works."
            )
        return record

    async def wait(
        self,
        run_id: str,
        seconds: float,
        on_progress: Callable[[Progress], Awaitable[None]] | None = None,
    ) -> RunReport:
        """The run's report once it has ended, or as it stands when the time is over.

        Raises:
            ConfigError: the time is no time.
            UnknownRun: no run has this id.
        """
        checked_wait(seconds, 0)
        if working := self._background.get(run_id):
            began = anyio.current_time()
            report = await working.wait(seconds, on_progress)
            if not working.taken:
                return report
            seconds -= anyio.current_time() - began
        return await self._wait_for_another_process(run_id, seconds, Teller(on_progress))

    async def _wait_for_another_process(
        self, run_id: str, seconds: float, teller: Teller
    ) -> RunReport:
        report = await self.store.report(run_id)
        told = anyio.current_time()
        with anyio.move_on_after(seconds):
            while report.status == "working":
                await anyio.sleep(POLL_SECONDS)
                report = await self.store.report(run_id)
                if anyio.current_time() - told >= TELL_SECONDS:
                    told = anyio.current_time()
                    await teller.still("the run works in another process")
        return report

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

        Runs that the database could not take stand on top of the first page, above the limit.

        Raises:
            ConfigError: the limit or the cursor is none.
        """
        if not 1 <= limit <= MAX_LIST:
            raise ConfigError(f"limit is {limit}; it must be between 1 and {MAX_LIST}.")
        if cursor is not None and not re.fullmatch(r"[0-9]{1,18}", cursor):
            raise ConfigError(
                f"{cursor!r} is no cursor: pass the next_cursor of the page before, or none."
            )
        runs, key = await self.history.page(
            limit=limit,
            before=int(cursor) if cursor else None,
            query=query,
            status=status,
            consortium=consortium,
        )
        next_cursor = None if key is None else str(key)
        if cursor is not None:
            return runs, next_cursor
        only_here = [
            RunSummary.of_report(report)
            for report in self._background.unrecorded()
            if status in {None, report.status}
            and consortium in {None, report.consortium}
            and all(word in report.prompt.casefold() for word in (query or "").casefold().split())
        ]
        here = {summary.run_id for summary in only_here}
        return [*only_here, *(run for run in runs if run.run_id not in here)], next_cursor

    async def exchanges(self, run_id: str) -> list[Exchange]:
        """Every recorded call of a run."""
        return await self.store.exchanges(run_id)

    # Consortiums

    async def save(
        self, name: str, wanted: Wanted, *, clone: str | None = None, overwrite: bool = False
    ) -> Planned:
        """Save a consortium under a name.

        Args:
            name: what it is called; also as a model of llm's.
            wanted: the configuration, or what differs from the one it is cloned from.
            clone: a saved consortium to start from.
            overwrite: replace another one of this name.

        Raises:
            ConfigError: the name or the configuration cannot be used, or another consortium has
                this name; the message says in what it differs.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot name a consortium: use 1 to 64 letters, digits, dots, hyphens "
                "and underscores, beginning with a letter or digit."
            )
        await self.planner.check_name(name)
        base = None if clone is None else await self.store.consortium(clone)
        planned = await self.planner.from_models(wanted, base, must_be_ready=False)
        config = planned.config.model_copy(update={"name": name})
        if not overwrite:
            await self._check_not_another(config)
        await self.store.save_consortium(config)
        await self.announce(consortium_uri(name))
        return Planned(config, planned.warnings)

    async def _check_not_another(self, config: ConsortiumConfig) -> None:
        saved = {each.name: each for each in await self.store.consortiums()}
        there = saved.get(config.name)
        if there is None or there == config:
            return
        fields = [(name, getattr(there, name), getattr(config, name)) for name in _FIELDS]
        changes = [
            f"{name} ({_shown(old)} there, {_shown(new)} here)"
            for name, old, new in fields
            if old != new
        ]
        raise ConfigError(
            f"A consortium is saved as {config.name!r} already. It differs in "
            f"{', '.join(changes)}. Save with `overwrite` to replace it, or choose another name."
        )

    async def delete(self, name: str) -> None:
        """Delete a saved consortium; its runs stay.

        Raises:
            UnknownConsortium: there is none of this name.
        """
        await self.store.delete_consortium(name)
        await self.announce(consortium_uri(name))


def _shown(value: object) -> str:
    """A setting, for a message."""
    if isinstance(value, tuple):
        return ", ".join(getattr(each, "model", str(each)) for each in value) or "none"
    return "none" if value is None else str(value)


async def _to_nobody(*_uris: str) -> None:
    """For as long as nobody listens."""


@asynccontextmanager
async def open_service(settings: Settings, **parts: Any) -> AsyncIterator[Service]:  # noqa: ANN401 (Service's own keywords)
    """A service for as long as the context lasts; runs still working then are interrupted."""
    raised: ConsortiumError | None = None
    async with anyio.create_task_group() as group:
        service = Service(settings, group, **parts)
        try:
            yield service
        except ConsortiumError as error:  # callers expect it as it is, and not in a group
            raised = error
        finally:
            group.cancel_scope.cancel()
    await service.store.close()
    if raised is not None:
        raise raised
