"""The tools that list and show runs. The calling model reads their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import Field

from consortium_mcp.core.domain.run import Status
from consortium_mcp.core.domain.run_summary import RunQuery
from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan, service_of
from consortium_mcp.frontends.mcp.protocol.progress import wait_with_progress
from consortium_mcp.frontends.mcp.protocol.results import result, tool_errors
from consortium_mcp.frontends.mcp.tools.fields import RunId
from consortium_mcp.frontends.mcp.tools.hints import LONG_RESULT, READS
from consortium_mcp.frontends.mcp.tools.outputs import FullOutline, FullReport, RunList
from consortium_mcp.frontends.text.pages import PAGE, Section, entries_of, page, page_markdown
from consortium_mcp.frontends.text.report import MAX_TEXT, report_markdown
from consortium_mcp.frontends.text.run_list import runs_markdown

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


def add_to(server: MCPServer[ServerLifespan]) -> None:
    """Register the tools."""
    server.tool(title="List runs", annotations=READS)(list_runs)
    server.tool(title="Get a run", annotations=READS, meta=LONG_RESULT)(get_run)


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
    found = await service.list_runs(wanted)
    more = f'list_runs(cursor="{found.next_cursor}")' if found.next_cursor else None
    listed = {"runs": found.runs, "next_cursor": found.next_cursor, "warnings": found.notes}
    return result(runs_markdown(found, more), RunList.model_validate(listed))


@tool_errors
async def get_run(
    run_id: RunId,
    ctx: Context[ServerLifespan],
    wait_seconds: Annotated[float, Field(description="How long to wait for a working run.")] = 0,
    include: Annotated[
        list[Section] | None,
        Field(
            description="Texts to add: the members' (responses), verdicts (iterations), every call "
            "with its prompt (exchanges), a synthesis that was cut."
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
    text = [] if offset else [report_markdown(report, MAX_TEXT - PAGE if include else MAX_TEXT)]
    if include:
        iterations = await service.iterations(run_id)
        exchanges = await service.exchanges(run_id)
        found = page(entries_of(include, report, iterations, exchanges), offset)
        full = full.model_copy(update={"included": found})
        text.append(page_markdown(found, run_id, include))
    return result("\n\n".join(text), full, is_error=report.status == "failed")
