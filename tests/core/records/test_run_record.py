from __future__ import annotations

import pytest

from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import FakeAsk, consulted, reply, run_of, verdict

pytestmark = pytest.mark.anyio


async def two_iterations() -> Run:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("41", 0.4), judge=verdict(needs_iteration="true"))
    return await consulted(run_of("a", "b"), ask)


def record_of(run: Run, *iterations: IterationRecord) -> RunRecord:
    usage = Usage(calls=3, input_tokens=None, output_tokens=None, seconds=12.5)
    return RunRecord(
        report=report_of(run, usage, "2026-11-23T12:00:00.000+00:00"),
        config=run.config,
        members=run.members,
        seed=run.seed,
        warnings=run.warnings,
        iterations=iterations,
        exchanges=(),
    )


async def test_a_run_goes_on_after_what_was_judged_and_with_what_was_heard() -> None:
    ended = await two_iterations()
    first, second = ended.iterations
    judged, heard = IterationRecord.judged(first), IterationRecord.heard(2, second.responses)
    run = RunRecord.model_validate_json(record_of(ended, judged, heard).model_dump_json()).run()
    assert run.iterations == (first,)
    assert run.unjudged == second.responses
    assert (run.status, run.elapsed) == ("working", 12.5)
    assert (run.run_id, run.prompt, run.seed) == (ended.run_id, ended.prompt, ended.seed)


async def test_an_iteration_without_its_responses_is_gone_through_again() -> None:
    ended = await two_iterations()
    first, second = ended.iterations
    early = IterationRecord(number=1, responses=None, verdict=first.verdict)
    run = record_of(ended, early, IterationRecord.judged(second)).run()
    assert (run.iterations, run.unjudged) == ((), ())
