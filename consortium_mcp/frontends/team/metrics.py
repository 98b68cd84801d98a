"""What a team's server has done, in the form that Prometheus reads.

Each `Metrics` has a registry of its own. What this process does is counted as it happens; what
waits in the database is looked up when somebody asks.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.responses import Response

from consortium_mcp.adapters.team.run_counts import run_counts
from consortium_mcp.core.domain.errors import MemberError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.core.domain.ask import Ask, Question, Reply
    from consortium_mcp.core.domain.values import Spending
    from consortium_mcp.core.reports.report import RunReport

CONTENT_TYPE = CONTENT_TYPE_LATEST
_CALL_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
_RUN_SECONDS = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """Counts for one process; see `services.team.meter`.

    Args:
        database: the team's, whose queue is looked up; `None` for no such figures.
    """

    def __init__(self, database: Database | None = None) -> None:
        self.database = database
        """May be named later."""
        self._registry = CollectorRegistry()
        self._runs = self._counter("consortium_runs", "Runs that ended here.", "status")
        self._run_seconds = Histogram(
            "consortium_run_seconds",
            "How long runs took, from their beginning to their end.",
            buckets=_RUN_SECONDS,
            registry=self._registry,
        )
        self._calls = self._counter("consortium_calls", "Calls of models, each try.", "provider")
        self._errors = self._counter(
            "consortium_call_errors", "Calls that failed.", "provider", "kind"
        )
        self._tokens = self._counter(
            "consortium_tokens", "Tokens, as providers tell them.", "provider", "direction"
        )
        self._dollars = self._counter(
            "consortium_cost_usd", "US dollars of calls with a known price.", "provider"
        )
        self._call_seconds = Histogram(
            "consortium_call_seconds",
            "How long calls took.",
            ["provider"],
            buckets=_CALL_SECONDS,
            registry=self._registry,
        )
        self._takeovers = self._counter("consortium_takeovers", "Runs of dead processes taken over")
        self._refusals = self._counter(
            "consortium_budget_refusals", "Runs that a budget did not allow.", "what"
        )
        self._working = self._gauge("consortium_runs_working", "Runs that work, of all processes.")
        self._queued = self._gauge("consortium_runs_queued", "Runs that wait for a process.")
        self._oldest = self._gauge(
            "consortium_oldest_queued_seconds", "How long the oldest queued run has waited."
        )

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, registry=self._registry)

    def _gauge(self, name: str, told: str) -> Gauge:
        return Gauge(name, told, registry=self._registry)

    def around(self, ask: Ask, provider_of: Callable[[str], str]) -> Ask:
        """An `Ask` that counts the calls that this one makes."""

        async def counted(question: Question, /) -> Reply:
            provider = provider_of(question.model)
            began = time.perf_counter()
            try:
                reply = await ask(question)
            except MemberError as error:
                self._errors.labels(provider, error.kind).inc()
                self._count(provider, error.spent, error.tries)
                raise
            else:
                self._count(provider, reply, reply.tries)
                return reply
            finally:
                self._call_seconds.labels(provider).observe(time.perf_counter() - began)

        return counted

    def _count(self, provider: str, spent: Spending, calls: int) -> None:
        self._calls.labels(provider).inc(calls)
        self._tokens.labels(provider, "input").inc(spent.input_tokens or 0)
        self._tokens.labels(provider, "output").inc(spent.output_tokens or 0)
        self._dollars.labels(provider).inc(spent.cost_usd or 0.0)

    def run_ended(self, report: RunReport) -> None:
        """Count a run that has ended here."""
        self._runs.labels(report.status).inc()
        self._run_seconds.observe(report.usage.seconds or 0.0)

    def refused(self, what: str) -> None:
        """Count a run that a budget did not allow, by what was short."""
        self._refusals.labels(what).inc()

    def taken_over(self) -> None:
        """Count a run of a dead process that this one goes on with."""
        self._takeovers.inc()

    async def answer(self, _: Request) -> Response:
        """The endpoint that Prometheus asks."""
        return Response(await self.text(), media_type=CONTENT_TYPE)

    async def text(self) -> bytes:
        """All figures, of the type `CONTENT_TYPE`.

        Those of the queue are NaN while the database cannot be read.
        """
        if self.database is not None:
            try:
                counts = await run_counts(self.database)
            except StoreError:
                for gauge in (self._working, self._queued, self._oldest):
                    gauge.set(float("nan"))
            else:
                self._working.set(counts.working)
                self._queued.set(counts.queued)
                self._oldest.set(counts.oldest_queued_seconds)
        return generate_latest(self._registry)
