"""A run as the journal holds it: enough to go on with it, and to read it elsewhere."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel

from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.exchange import Exchange
from consortium_mcp.core.domain.report import RunReport
from consortium_mcp.core.domain.run import Calibration, Parent, Run, Turn
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict


class IterationRecord(BaseModel):
    """One iteration: its responses once hearing has ended, its verdict once there is one."""

    number: int
    responses: tuple[Response, ...] | None
    """`None` where an early version recorded the verdict alone."""
    verdict: Verdict | None
    cut: Literal["budget", "deadline"] | None = None

    @classmethod
    def heard(cls, number: int, responses: tuple[Response, ...]) -> Self:
        """Nobody is waited for any more, and nothing is judged yet."""
        return cls(number=number, responses=responses, verdict=None)

    @classmethod
    def judged(cls, iteration: Iteration) -> Self:
        """The iteration has its verdict."""
        return cls(
            number=iteration.number,
            responses=iteration.responses,
            verdict=iteration.verdict,
            cut=iteration.cut,
        )


class RunRecord(BaseModel):
    """One run with all that was said. `runs export` writes one of these a line."""

    report: RunReport
    config: ConsortiumConfig
    members: tuple[Member, ...]
    seed: str
    warnings: tuple[str, ...]
    """What was to be said of the configuration before anyone was asked."""
    calibration: Calibration | None = None
    history: tuple[Turn, ...] = ()
    continues: str | None = None
    parent: Parent | None = None
    iterations: tuple[IterationRecord, ...]
    exchanges: tuple[Exchange, ...]

    def run(self) -> Run:
        """The run as it was interrupted, for `engine.consult` to go on with.

        What was judged is taken as it stands. The iteration that was under way is asked again,
        and answered from the exchanges as far as they go.
        """
        judged: list[Iteration] = []
        unjudged: tuple[Response, ...] = ()
        for it in self.iterations:
            if it.responses is None:
                break
            if it.verdict is None:
                unjudged = it.responses
                break
            judged.append(
                Iteration(number=it.number, responses=it.responses, verdict=it.verdict, cut=it.cut)
            )
        return Run(
            run_id=self.report.run_id or "",
            prompt=self.report.prompt,
            config=self.config,
            members=self.members,
            seed=self.seed,
            iterations=tuple(judged),
            unjudged=unjudged,
            elapsed=self.report.usage.seconds or 0.0,
            calibration=self.calibration,
            history=self.history,
            continues=self.continues,
            parent=self.parent,
            warnings=self.warnings,
        )
