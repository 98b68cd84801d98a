"""The tasks extension (SEP-2663): a tool returns a task handle, and the client polls for results.

It applies only to requests that declare the extension, which needs the 2026 protocol; other clients
never see it. A tool that has started durable work calls `hand_over`. `tasks/get`, `tasks/update`
and `tasks/cancel` then reach that work through a `TaskSource`. This module keeps no state: our
source is the journal, so a task outlives this process, as its run does.
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
    """The tool's result, if completed; a tool error is a result too."""
    error: ErrorData | None = None
    """The protocol error, if failed."""
    input_requests: dict[str, Any] = field(default_factory=dict)
    """Requests to the client for input, by key."""


class TaskSource(Protocol):
    """Finds, answers and cancels tasks."""

    async def find(self, task_id: str) -> Task | None:
        """The current state of the task; `None` if there is none with this id."""
        ...

    async def answer(self, task_id: str, responses: dict[str, Any]) -> None:
        """Take the client's input, by key; unknown keys are ignored."""
        ...

    async def cancel(self, task_id: str) -> None:
        """End the task; no effect if it has ended."""
        ...


@dataclass
class _Call:
    """One `tools/call`, and the task to answer it with, if any."""

    ctx: Ctx
    task_id: str | None = None


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


def hand_over(task_id: str) -> bool:
    """Call this in a tool to answer with a task; `False` if the client does not support tasks.

    If `True`, the tool's own result is not sent, so the tool should return at once.
    """
    call = _call.get()
    if call is None or not _supports_tasks(call.ctx):
        return False
    call.task_id = task_id
    return True


def _supports_tasks(ctx: Ctx) -> bool:
    capabilities = ctx.session.client_capabilities
    declared = capabilities is not None and IDENTIFIER in (capabilities.extensions or {})
    return declared and ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


class TaskParams(RequestParams):
    """Parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str


class UpdateTaskParams(TaskParams):
    """Parameters of `tasks/update`. Unknown keys may hold any value."""

    input_responses: dict[str, Any]


class Tasks(Extension):
    """The extension: its methods, and task handles as results of `tools/call`.

    Args:
        source: finds, answers and cancels the tasks.
    """

    identifier = IDENTIFIER

    def __init__(self, source: TaskSource) -> None:
        self._source = source

    def methods(self) -> list[MethodBinding]:
        """The `tasks/*` methods; older protocol versions cannot declare the extension."""
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", TaskParams, self._get, modern),
            MethodBinding("tasks/update", UpdateTaskParams, self._update, modern),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, modern),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext
    ) -> HandlerResult:
        """The tool's own result, or a handle for the task that it handed over to."""
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
        handle = _as_json(task)
        for outcome in ("result", "error", "inputRequests"):  # only tasks/get returns these
            handle.pop(outcome, None)
        return {"resultType": "task", **handle}

    async def _get(self, ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        return _as_json(await self._find(ctx, params))

    async def _update(self, ctx: Ctx, params: UpdateTaskParams) -> dict[str, Any]:
        task = await self._find(ctx, params)
        await self._source.answer(task.task_id, params.input_responses)
        return {}

    async def _cancel(self, ctx: Ctx, params: TaskParams) -> dict[str, Any]:
        task = await self._find(ctx, params)
        await self._source.cancel(task.task_id)
        return {}

    async def _find(self, ctx: Ctx, params: TaskParams) -> Task:
        """The task that the request names.

        Raises:
            MCPError: the header names another task, the client did not declare the extension, or
                there is no such task.
        """
        headers = getattr(ctx.request, "headers", None)  # stdio has none
        if headers is not None:
            named = decode_header_value(headers.get(MCP_NAME_HEADER))
            if named != params.task_id:  # the SDK checks this for core methods only
                raise MCPError(HEADER_MISMATCH, f"{MCP_NAME_HEADER} does not name the taskId")
        require_client_extension(ctx, IDENTIFIER)
        task = await self._source.find(params.task_id)
        if task is None:
            raise MCPError(INVALID_PARAMS, f"There is no task {params.task_id!r}.")
        return task


def _as_json(task: Task) -> dict[str, Any]:
    """The task as JSON. Not a model: the SDK omits its nulls, and `ttlMs` must be sent."""
    fields: dict[str, Any] = {
        "taskId": task.task_id,
        "status": task.status,
        "createdAt": task.created_at,
        "lastUpdatedAt": task.updated_at,
        "ttlMs": None,  # kept until pruned
        "pollIntervalMs": POLL_MILLISECONDS,
    }
    if task.message is not None:
        fields["statusMessage"] = task.message
    if task.status == "completed":
        fields["result"] = task.result
    elif task.status == "failed" and task.error is not None:
        fields["error"] = task.error.model_dump(by_alias=True, mode="json", exclude_none=True)
    elif task.status == "input_required":
        fields["inputRequests"] = task.input_requests
    return fields
