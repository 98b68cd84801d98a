"""The tools that list and show runs. The calling model reads their docstrings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.frontends.mcp.protocol.lifespan import (
    ServerLifespan,
    client_name,
    service_of,
)
from consortium_mcp.frontends.mcp.protocol.progress import wait_with_progress
from consortium_mcp.frontends.mcp.protocol.results import (
    MOST_BYTES,
    report_result,
    result,
    tool_errors,
)
from consortium_mcp.frontends.mcp.tools.fields import RunId
from consortium_mcp.frontends.mcp.tools.hints import ADDS, LONG_RESULT, READS
from consortium_mcp.frontends.mcp.tools.outputs import (
    FullOutline,
    FullReport,
    RunList,
    StatusOutline,
)
from consortium_mcp.frontends.text.fitting import Cutting, size
from consortium_mcp.frontends.text.pages import PAGE, Section, entries_of, page, page_markdown
from consortium_mcp.frontends.text.report import MAX_TEXT, report_markdown
from consortium_mcp.frontends.text.run_list import runs_markdown

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


_OF_CALLS = {"responses", "exchanges"}
"""The sections that are made of recorded calls."""
_MANY_RUNS = 20
_SHORT_EXCERPT = 100
"""Characters of a prompt or synthesis in a list of many."""
_CUTTING = Cutting(others="runs nested in the same one; get_run shows it and its members' runs")


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools."""
    server.tool(title="List runs", annotations=READS)(list_runs)
    server.tool(title="Get a run", annotations=READS, meta=LONG_RESULT)(get_run)
    server.tool(title="Rate a run", annotations=ADDS)(rate_run)


@tool_errors
async def list_runs(
    ctx: Context[ServerLifespan],
    limit: Annotated[
        int, Field(description="Runs a page.", json_schema_extra={"minimum": 1, "maximum": 100})
    ] = 20,
    cursor: Annotated[str | None, Field(description="next_cursor of the previous page.")] = None,
    query: Annotated[str | None, Field(description="Words in the prompt or the synthesis.")] = None,
    status: Annotated[Status | None, Field(description="Of the runs.")] = None,
    consortium: Annotated[str | None, Field(description="That was asked.")] = None,
) -> Annotated[CallToolResult, RunList]:
    """List past consultations, newest first; search them by words.

    An interrupted one (its process ended) can be continued with resume_run.
    """
    service = await service_of(ctx)
    wanted = RunQuery(limit, cursor, query, status, consortium)
    while True:
        listed = await service.list_runs(wanted)
        if len(listed.runs) > _MANY_RUNS:
            short = [run.shortened(_SHORT_EXCERPT) for run in listed.runs]
            listed = replace(listed, runs=short)
        more = f'list_runs(cursor="{listed.next_cursor}")' if listed.next_cursor else None
        text = runs_markdown(listed, more)
        data = {
            "runs": listed.runs, "next_cursor": listed.next_cursor, "warnings": listed.notes,
        }  # fmt: skip
        found = RunList.model_validate(data)
        length = size(text) + size(found.model_dump(mode="json"))
        if length <= MOST_BYTES or wanted.limit == 1:
            return result(text, found, _CUTTING)
        # A page of fewer runs, and nothing is lost: the next one goes on where it ends.
        wanted = replace(wanted, limit=max(1, wanted.limit * MOST_BYTES // length))


@tool_errors
async def get_run(
    run_id: RunId,
    ctx: Context[ServerLifespan],
    wait_seconds: Annotated[float, Field(description="How long to wait for a working run.")] = 0,
    include: Annotated[
        list[Section] | None,
        Field(
            description="Texts to add: the members' (responses), verdicts (iterations), every call "
            "with its prompt (exchanges); what was cut of prompt, synthesis, report."
        ),
    ] = None,
    offset: Annotated[int, Field(description="next_offset of the previous page.")] = 0,
) -> Annotated[CallToolResult, FullOutline]:
    """Get a consultation's report; wait_seconds waits for one that is still working.

    With include, a page of those texts as well; next_offset in `included` asks for the next.
    """
    if offset < 0 or (offset and not include):
        raise ToolError(f"offset is {offset}; it must be 0 or more, and needs include.")
    service = await service_of(ctx)
    run_id = await service.find_run(run_id)
    report = await wait_with_progress(service, run_id, wait_seconds, ctx)
    full = FullReport(**report.model_dump())
    if not include:
        return report_result(full)
    text = [] if offset else [report_markdown(report, MAX_TEXT - PAGE)]
    iterations = await service.store.iterations(run_id) if "iterations" in include else []
    exchanges = await service.exchanges(run_id) if _OF_CALLS & {*include} else []
    found = page(entries_of(include, report, iterations, exchanges), offset)
    text.append(page_markdown(found, run_id, include))
    return report_result(full.model_copy(update={"included": found}), "\n\n".join(text))


@tool_errors
async def rate_run(
    run_id: str,
    ctx: Context[ServerLifespan],
    correct: bool | None = None,  # noqa: FBT001 (clients name their arguments)
    answer: str | None = None,
    note: str | None = None,
) -> Annotated[CallToolResult, StatusOutline]:
    """Keep whether a run was right, or the right answer, as your user or a test has shown."""
    service = await service_of(ctx)
    run_id = await service.find_run(run_id)
    return report_result(
        await service.rate(run_id, correct=correct, answer=answer, note=note, by=client_name(ctx))
    )
