"""The tasks extension (SEP-2663): a tool's answer is a handle, the result is asked for later.

Only for clients that declare the extension on the very request, which only the 2026 wire can; all
others never see it. A tool that has started something durable calls `hand_over`; what it started
is then reached by `tasks/get`, `tasks/update` and `tasks/cancel` through a `TaskSource`. Nothing is
kept here: our own source is the journal, so a task outlives this process as its run does.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import HEADER_MISMATCH, INVALID_PARAMS, ErrorData, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp_types import CallToolRequestParams

    Ctx = ServerRequestContext[Any, Any]

IDENTIFIER = "io.modelcontextprotocol/tasks"
POLL_MILLISECONDS = 1000


@dataclass(frozen=True)
class Task:
    """A task as its client sees it."""

    task_id: str
    status: Literal["working", "input_required", "completed", "failed", "cancelled"]
    created_at: str
    """ISO 8601, UTC."""
    updated_at: str
    message: str | None = None
    result: dict[str, Any] | None = None
    """The tool's result, once it has completed; a tool's error is a result as well."""
    error: ErrorData | None = None
    """The protocol's error, where it failed."""
    input_requests: dict[str, Any] = field(default_factory=dict)
    """What the client is asked for, by key."""


class TaskSource(Protocol):
    """Where tasks are found."""

    async def find(self, task_id: str) -> Task | None:
        """The task as it stands; `None` where there is none of this id."""
        ...

    async def answer(self, task_id: str, responses: dict[str, Any]) -> None:
        """Take what the client was asked for; keys that nobody asked for are ignored."""
        ...

    async def cancel(self, task_id: str) -> None:
        """End the task; one that has ended stays as it is."""
        ...


@dataclass
class _Call:
    """One `tools/call`, which may be answered with a task."""

    ctx: Ctx
    task_id: str | None = None


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


def hand_over(task_id: str) -> bool:
    """Called in a tool: answer with this task, where the client knows of tasks.

    What the tool returns then is not sent: it need not wait for anything.
    """
    call = _call.get()
    if call is None or not _declared(call.ctx):
        return False
    call.task_id = task_id
    return True


def _declared(ctx: Ctx) -> bool:
    capabilities = ctx.session.client_capabilities
    declared = capabilities is not None and IDENTIFIER in (capabilities.extensions or {})
    return declared and ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


class TaskParams(RequestParams):
    """Of `tasks/get` and `tasks/cancel`."""

    task_id: str


class UpdateTaskParams(TaskParams):
    """Of `tasks/update`. Keys that nobody asked for may hold anything."""

    input_responses: dict[str, Any]


class Tasks(Extension):
    """The extension's methods, and task handles as results of `tools/call`.

    Args:
        source: where tasks are found.
    """

    identifier = IDENTIFIER

    def __init__(self, source: TaskSource) -> None:
        self._source = source

    def methods(self) -> list[MethodBinding]:
        """Not found on older wires, which cannot declare the extension."""
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", TaskParams, self._get, modern),
            MethodBinding("tasks/update", UpdateTaskParams, self._update, modern),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, modern),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext
    ) -> HandlerResult:
        """The tool's own result, or the task that it handed over to."""
        del params
        call = _Call(ctx)
        token = _call.set(call)
        try:
            result = await call_next(ctx)
        finally:
            _call.reset(token)
        task = None if call.task_id is None else await self._source.find(call.task_id)
        if task is None:
            return result
        handle = _wire(task)
        for outcome in ("result", "error", "inputRequests"):  # these are for tasks/get alone
            handle.pop(outcome, None)
        return {"resultType": "task", **handle}

    async def _get(self, ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        return _wire(await self._find(ctx, params))

    async def _update(self, ctx: Ctx, params: UpdateTaskParams) -> dict[str, Any]:
        task = await self._find(ctx, params)
        await self._source.answer(task.task_id, params.input_responses)
        return {}

    async def _cancel(self, ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        task = await self._find(ctx, params)
        await self._source.cancel(task.task_id)
        return {}

    async def _find(self, ctx: Ctx, params: TaskParams) -> Task:
        """The task that is named, by a client that declared the extension.

        Raises:
            MCPError: the header names another one, the extension is not declared, or no such task.
        """
        headers = getattr(ctx.request, "headers", None)  # there are none on stdio
        if headers is not None:
            named = decode_header_value(headers.get(MCP_NAME_HEADER))
            if named != params.task_id:  # the SDK compares it for the core's methods only
                raise MCPError(HEADER_MISMATCH, f"{MCP_NAME_HEADER} does not name the taskId")
        require_client_extension(ctx, IDENTIFIER)
        task = await self._source.find(params.task_id)
        if task is None:
            raise MCPError(INVALID_PARAMS, f"There is no task {params.task_id!r}.")
        return task


def _wire(task: Task) -> dict[str, Any]:
    """A dict, for the SDK leaves out what is null in a model and `ttlMs` has to be there."""
    told: dict[str, Any] = {
        "taskId": task.task_id,
        "status": task.status,
        "createdAt": task.created_at,
        "lastUpdatedAt": task.updated_at,
        "ttlMs": None,  # kept until it is pruned
        "pollIntervalMs": POLL_MILLISECONDS,
    }
    if task.message is not None:
        told["statusMessage"] = task.message
    if task.status == "completed":
        told["result"] = task.result
    elif task.status == "failed" and task.error is not None:
        told["error"] = task.error.model_dump(by_alias=True, mode="json", exclude_none=True)
    elif task.status == "input_required":
        told["inputRequests"] = task.input_requests
    return told
