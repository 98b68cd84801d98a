"""What the pages show besides runs: consortiums, standings, costs, calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, get_args

from consortium_mcp.core.confidence import labels
from consortium_mcp.core.domain.consortium import members_as_written
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.leaderboard import Leaderboard
from consortium_mcp.core.records.run_summary import CostsBy

if TYPE_CHECKING:
    from starlette.requests import Request

    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service


@dataclass
class _Figures:
    """What the runs of one consortium came to."""

    runs: int = 0
    answered: int = 0
    confidences: list[float] = field(default_factory=list)
    rated: list[bool] = field(default_factory=list)

    def add(self, report: RunReport) -> None:
        self.runs += 1
        self.answered += report.synthesis is not None
        if report.confidence is not None:
            self.confidences.append(report.confidence)
        if (right := _was_right(report)) is not None:
            self.rated.append(right)

    def shown(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "answered": self.answered,
            "mean_confidence": fmean(self.confidences) if self.confidences else None,
            "rated": len(self.rated),
            "rated_right": sum(self.rated),
        }


def _was_right(report: RunReport) -> bool | None:
    """What the newest rating says of the answer, if it says so."""
    return labels.was_right(report.ratings[-1], report) if report.ratings else None


async def consortiums(service: Service, _: Request) -> dict[str, Any]:
    """Every saved consortium, with what its runs came to."""
    found: dict[str | None, _Figures] = {}
    async for report in service.history.reports():
        found.setdefault(report.consortium, _Figures()).add(report)
    costs = {line.name: line for line in (await service.history.costs("consortium")).lines}
    listed = []
    for config in await service.consortiums.all():
        cost = costs.get(config.name)
        listed.append(
            {
                "name": config.name,
                "description": config.description,
                "members": members_as_written(config),
                "arbiter": config.arbiter,
                "strategy": config.strategy,
                "calls": cost.calls if cost else 0,
                "priced_calls": cost.priced_calls if cost else 0,
                "cost_usd": cost.cost_usd if cost else None,
                **found.get(config.name, _Figures()).shown(),
            }
        )
    return {"consortiums": listed}


async def leaderboard(service: Service, _: Request) -> dict[str, Any]:
    """How often each model agreed with the verdict, failed, and what it cost."""
    board = Leaderboard()
    async for report in service.history.reports():
        board.add(report)
    costs = await service.history.costs("model")
    standings = [standing.model_dump(mode="json") for standing in board.standings(costs.lines)]
    return {"runs": board.runs, "standings": standings}


async def costs(service: Service, request: Request) -> dict[str, Any]:
    """What the recorded calls have cost, by month where nothing else is asked for."""
    given = request.query_params.get("by", "month")
    by: CostsBy | None = next((each for each in get_args(CostsBy) if each == given), None)
    if by is None:
        known = ", ".join(get_args(CostsBy))
        raise ConfigError(f"Costs are added up by {known}, not by {given!r}.")
    found = await service.history.costs(by)
    return {"by": by, "lines": [line.model_dump(mode="json") for line in found.lines]}


async def calibration(service: Service, _: Request) -> dict[str, Any]:
    """The rated runs, by the confidence that was reported: how many there are, and were right."""
    points = []
    async for report in service.history.reports():
        right = _was_right(report)
        if report.confidence is not None and right is not None:
            points.append((report.confidence, right))
    return {
        "rated": len(points),
        "ece": metrics.calibration_error(points) if points else None,
        "bins": [each._asdict() for each in metrics.bins(points)] if points else [],
    }
