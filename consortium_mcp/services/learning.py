"""Learns from rated runs: when asked, or when enough new labels have come, if that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.confidence.labels import was_right
from consortium_mcp.core.domain.errors import ConfigError, UnknownRun
from consortium_mcp.core.learning.learn import learn
from consortium_mcp.core.learning.lessons import lesson_of

if TYPE_CHECKING:
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.saved.calibrations import Calibrations
    from consortium_mcp.core.domain.learned import Learned
    from consortium_mcp.core.learning.lessons import Lesson
    from consortium_mcp.core.reports.report import RunReport

NEW_LABELS = 50
"""Labels after which `calibrate --auto` learns anew."""


@dataclass(frozen=True)
class Evidence:
    """What rated runs have to teach."""

    lessons: list[Lesson]
    points: list[tuple[float, bool]]
    """Each run's confidence before calibration, with equal weights, and whether it was right."""
    labelled: int
    """Rated runs."""
    unusable: list[str]
    """Rated runs that teach nothing: they are gone, or have no answer to compare."""


class Learning:
    """Learns, and keeps what was learned.

    Args:
        store: the runs and their ratings.
        calibrations: where what is learned is kept.
    """

    def __init__(self, store: Store, calibrations: Calibrations) -> None:
        self._store = store
        self._ratings = Ratings(store)
        self._calibrations = calibrations

    async def evidence(self) -> Evidence:
        """What the newest rating of each run has to teach."""
        ratings = await self._ratings.newest()
        found = Evidence([], [], len(ratings), [])
        for run_id, rating in ratings.items():
            try:
                record = await self._store.record(run_id)
            except UnknownRun:  # pruned while this reads
                found.unusable.append(run_id)
                continue
            report = record.report
            lesson = lesson_of(record.run(), rating)
            confidence, right = before_calibration(report), was_right(rating, report)
            if lesson is not None:
                found.lessons.append(lesson)
            if confidence is not None and right is not None:
                found.points.append((confidence, right))
            elif lesson is None:
                found.unusable.append(run_id)
        return found

    async def learn(self, evidence: Evidence) -> Learned:
        """Learn from it, and use that from now on.

        Raises:
            ConfigError: there are too few labels; the message says how many there are.
        """
        before = await self._calibrations.current()
        learned = await run_sync(learn, evidence.lessons, evidence.points, evidence.labelled, now())
        learned = learned.model_copy(update={"automatic": before.automatic})
        await self._calibrations.keep(learned)
        return learned

    async def learn_by_itself(self, *, wanted: bool) -> int:
        """Whether to learn anew after every `NEW_LABELS` labels.

        Returns:
            How many labels are new since it last learned.
        """
        learned = await self._calibrations.current()
        await self._calibrations.keep(learned.model_copy(update={"automatic": wanted}))
        return await self._ratings.count() - learned.labelled

    async def learn_if_due(self) -> Learned | None:
        """Learn anew if that is wanted and enough labels are new; `None` where nothing was."""
        learned = await self._calibrations.current()
        if not learned.automatic or await self._ratings.count() - learned.labelled < NEW_LABELS:
            return None
        try:
            return await self.learn(await self.evidence())
        except ConfigError:  # too few yet
            return None


def before_calibration(report: RunReport) -> float | None:
    """The computed confidence of a run that ended with an answer by votes of equals."""
    parts = report.confidence_parts
    if report.status not in {"completed", "degraded"} or parts is None:
        return None
    if parts.weighted_by == "labels":  # such panels have a calibration of their own
        return None
    return parts.uncalibrated if parts.calibrated else report.confidence
