"""A run as the journal stores it: enough to resume it, or to export it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel

from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.learned import Calibration, Weights
from consortium_mcp.core.domain.run import Parent, Run, Turn
from consortium_mcp.core.domain.tool_use import ToolUse
from consortium_mcp.core.domain.verdict import Iteration, Response, Verdict
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.reports.report import RunReport

if TYPE_CHECKING:
    from collections.abc import Sequence


class IterationRecord(BaseModel):
    """One iteration: its responses once all are in, its verdict once there is one."""

    number: int
    responses: tuple[Response, ...] | None
    """`None` where an early version recorded only the verdict."""
    verdict: Verdict | None
    cut: Literal["budget", "deadline"] | None = None

    @classmethod
    def heard(cls, number: int, responses: tuple[Response, ...]) -> Self:
        """The record of an iteration whose responses are in, without a verdict yet."""
        return cls(number=number, responses=responses, verdict=None)

    @classmethod
    def judged(cls, iteration: Iteration) -> Self:
        """The record of an iteration with its verdict."""
        return cls(
            number=iteration.number,
            responses=iteration.responses,
            verdict=iteration.verdict,
            cut=iteration.cut,
        )


class RunRecord(BaseModel):
    """One run with all its calls. `runs export` writes one per line."""

    report: RunReport
    config: ConsortiumConfig
    members: tuple[Member, ...]
    seed: str
    warnings: tuple[str, ...]
    """Warnings about the configuration, from before the first call."""
    calibration: Calibration | None = None
    weights: Weights | None = None
    history: tuple[Turn, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    continues: str | None = None
    parent: Parent | None = None
    client: str | None = None
    iterations: tuple[IterationRecord, ...]
    exchanges: tuple[Exchange, ...]
    begun_calls: tuple[BegunCall, ...] = ()
    tool_uses: tuple[ToolUse, ...] = ()

    @classmethod
    def of(
        cls,
        run: Run,
        report: RunReport,
        exchanges: Sequence[Exchange],
        begun_calls: Sequence[BegunCall],
        tool_uses: Sequence[ToolUse] = (),
    ) -> Self:
        """The record of a run as this process knows it."""
        return cls(
            report=report,
            config=run.config,
            members=run.members,
            seed=run.seed,
            warnings=run.warnings,
            calibration=run.calibration,
            weights=run.weights,
            history=run.history,
            attachments=run.attachments,
            continues=run.continues,
            parent=run.parent,
            client=run.client,
            iterations=tuple(IterationRecord.judged(each) for each in run.iterations),
            exchanges=tuple(exchanges),
            begun_calls=tuple(begun_calls),
            tool_uses=tuple(tool_uses),
        )

    def run(self) -> Run:
        """The run as it was interrupted, for `engine.consult` to resume.

        Judged iterations are kept. The unfinished iteration is asked again, and answered from the
        recorded exchanges as far as they go.
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
            weights=self.weights,
            history=self.history,
            attachments=self.attachments,
            continues=self.continues,
            parent=self.parent,
            client=self.client,
            warnings=self.warnings,
        )
