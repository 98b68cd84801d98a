"""Where a working run stands, member by member, for those who watch it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consortium_mcp.core.engine import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


@dataclass(frozen=True)
class MemberStage:
    """One member in the present iteration."""

    label: str
    model: str
    status: Literal["working", "answered", "failed", "cut"]
    """`cut`: the run goes on without this member's answer."""
    seconds: float | None
    """Since it was asked, or how long its answer took; `None` where that is not known."""
    final_answer: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Stage:
    """The present iteration of a run."""

    iteration: int
    most_iterations: int
    members: tuple[MemberStage, ...]
    """Those that have been asked in this iteration, in the panel's order."""
    weighing_seconds: float | None = None
    """Since when the answers are weighed; `None` while answers are waited for."""
    confidence: float | None = None
    """Of the verdict before; `None` in the first iteration."""
    reviews: tuple[int, int] | None = None
    """Reviews that have come or failed, out of those asked for; `None` where there are none."""


class Stages:
    """Follows the events of a run and says where it stands.

    May be asked from another thread than the run's: what it reads is replaced, not changed.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._iteration = 1
        self._asked_at: dict[str, float] = {}
        """When each member of the present iteration was asked, by label."""
        self._heard: dict[str, Response] = {}
        self._weighing_since: float | None = None
        self._reviews: tuple[int, int] | None = None

    def note(self, event: events.Event) -> None:
        """Take in what has happened."""
        if isinstance(event, events.Asked):
            if event.iteration != self._iteration:
                self._asked_at, self._heard = {}, {}
            self._asked_at = self._asked_at | dict.fromkeys(event.labels, self._clock())
            self._iteration = event.iteration
            self._weighing_since = self._reviews = None
        elif isinstance(event, events.Heard):
            self._heard = self._heard | {event.response.label: event.response}
        elif isinstance(event, events.HearingEnded):
            self._heard = {response.label: response for response in event.responses}
            self._weighing_since = self._clock()
        elif isinstance(event, events.Reviewed):
            self._reviews = event.ended, event.asked
        else:
            self._weighing_since = None

    def of(self, run: Run) -> Stage:
        """Where this run stands now.

        Between a verdict and the next question it is the iteration that was judged, and of a
        resumed run the one whose answers were there.
        """
        now = self._clock()
        asked, since = self._asked_at, self._weighing_since
        heard = self._heard or {response.label: response for response in run.unjudged}
        members = [
            _member(member, heard.get(member.label), now - asked.get(member.label, now))
            for member in run.members
            if member.label in asked or member.label in heard
        ]
        return Stage(
            iteration=self._iteration if asked else len(run.iterations) + 1,
            most_iterations=run.config.max_iterations,
            members=tuple(members),
            weighing_seconds=None if since is None else now - since,
            confidence=run.iterations[-1].verdict.confidence if run.iterations else None,
            reviews=self._reviews,
        )


def _member(member: Member, response: Response | None, waited: float) -> MemberStage:
    if response is None:
        return MemberStage(member.label, member.model, "working", waited)
    return MemberStage(
        member.label,
        member.model,
        response.status,
        response.seconds,
        response.final_answer,
        response.error,
    )
