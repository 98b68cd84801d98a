"""The events that the engine emits for those who follow a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


@dataclass(frozen=True)
class Asked:
    """A wave of members is being asked."""

    iteration: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """A member's response has arrived, or its call failed; with counts for the iteration."""

    iteration: int
    answered: int
    failed: int
    asked: int
    response: Response


@dataclass(frozen=True)
class HearingEnded:
    """Waiting has ended; these are the responses that will be judged."""

    iteration: int
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Reviewed:
    """A reviewer's reply has arrived, or its call failed; with counts for the iteration."""

    iteration: int
    ended: int
    asked: int
    """So far."""


@dataclass(frozen=True)
class Judged:
    """An iteration has its verdict; `run` includes it."""

    run: Run


Event = Asked | Heard | HearingEnded | Reviewed | Judged
