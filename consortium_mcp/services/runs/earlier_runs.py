"""Finds the run that answers a question already, so that nothing is paid for twice.

Agents repeat a call that they did not wait for. Where the request allows it, such a call joins the
run that works on the same question, in this process or another; and where `reuse` is set, a run
that was completed shortly before answers it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio

from consortium_mcp.adapters.journal.store import Acceptable
from consortium_mcp.core.domain.errors import StoreError
from consortium_mcp.core.domain.request import Consultation
from consortium_mcp.core.domain.text import read_age

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.journal.store import EarlierRun, Store
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.services.runs.execution import RunExecution
    from consortium_mcp.services.users.own_runs import OwnRuns

    LookUp = Callable[[Acceptable], Awaitable[EarlierRun | None]]


class EarlierRuns:
    """Finds them among the runs of this process and in the journal.

    Args:
        store: the journal.
        supervisor: the runs of this process, of which the journal may not know.
    """

    def __init__(self, store: Store, supervisor: OwnRuns) -> None:
        self._store = store
        self._supervisor = supervisor
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    def turn_of(self, run: Run) -> AbstractAsyncContextManager[object]:
        """While it lasts, no other call of this process begins a run of the same question.

        So calls at once find each other even where the journal cannot be used.
        """
        return self._turns.setdefault(run.fingerprint or run.run_id, anyio.Lock())

    async def find_or_record(self, execution: RunExecution, *, join: bool) -> Consultation | None:
        """The run that answers the question already; `None` if there is none.

        In that case this run was recorded in the same transaction, if the journal can be used.
        """
        run, report = execution.run, execution.handle.report
        look_up = partial(self._store.begin_run_unless_asked, run, report)
        return await self._found(run, look_up, join=join)

    async def join(self, run: Run, *, join: bool) -> Consultation | None:
        """As `find`; a run that works on the question goes on for this caller, too."""
        found = await self.find(run, join=join)
        if found is not None and found.joined:
            await self._store.join(found.run_id)
        return found

    async def find(self, run: Run, *, join: bool) -> Consultation | None:
        """The run that answers the question already; `None` if there is none."""
        return await self._found(run, partial(self._store.earlier_run, run.fingerprint), join=join)

    async def _found(self, run: Run, look_up: LookUp, *, join: bool) -> Consultation | None:
        age = None if run.config.reuse is None else read_age(run.config.reuse)
        if age is None and not join:
            return None
        if join and (here := self._supervisor.working_on(run.fingerprint)):
            return Consultation(here, joined=True)
        try:
            found = await look_up(Acceptable(join, age, self._supervisor.cancelled()))
        except StoreError:  # the run that begins will say so
            return None
        if found is None:
            return None
        if found.ended_at is None:
            return Consultation(found.run_id, joined=True)
        ago = datetime.now(UTC) - datetime.fromisoformat(found.ended_at)
        return Consultation(found.run_id, age_seconds=round(ago.total_seconds(), 3))
