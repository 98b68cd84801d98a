"""What the engine tells whoever follows a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response


@dataclass(frozen=True)
class Asked:
    """These members are asked now; their labels."""

    iteration: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """A member's response is in (or its failure)."""

    iteration: int
    answered: int
    failed: int
    asked: int
    response: Response


@dataclass(frozen=True)
class HearingEnded:
    """Nobody is waited for any more; these are the responses that will be judged."""

    iteration: int
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Judged:
    """An iteration reached its verdict; `run` includes it."""

    run: Run


Event = Asked | Heard | HearingEnded | Judged
