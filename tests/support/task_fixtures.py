"""The fixture tools of the conformance suite's `tasks-*` scenarios; see `fixture_server`.

Their tasks do what runs never do, such as asking their client for input, so they have a source of
their own; what is tested is the extension between that source and the wire.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import Context, require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    ElicitRequest,
    ElicitRequestFormParams,
    ErrorData,
    InputRequiredResult,
)

from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
from consortium_mcp.frontends.mcp.protocol.tasks import IDENTIFIER, Task, hand_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from mcp.server.mcpserver import MCPServer


def now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass
class Job:
    """A piece of work that goes on after the call that began it."""

    task: Task
    answers: dict[str, Any] = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Task[None] | None = None

    def become(self, **changes: Any) -> None:  # noqa: ANN401
        self.task = replace(self.task, updated_at=now(), **changes)

    async def ask(self, requests: dict[str, ElicitRequest]) -> dict[str, Any]:
        wanted = {
            key: request.model_dump(by_alias=True, mode="json", exclude_none=True)
            for key, request in requests.items()
        }
        self.become(status="input_required", input_requests=wanted)
        await self.answered.wait()
        self.become(status="working", input_requests={})
        return self.answers


class Jobs:
    """Where the extension finds them; a `TaskSource`."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def begin(self, work: Callable[[Job], Coroutine[Any, Any, str]]) -> bool:
        """Begin this as a task; False where the client knows of none."""
        task_id = f"job-{len(self._jobs) + 1}"
        job = Job(Task(task_id, "working", now(), now()))
        self._jobs[task_id] = job
        if not hand_over(task_id):
            del self._jobs[task_id]
            return False
        job.work = asyncio.create_task(self._run(job, work))
        return True

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[str]]) -> None:
        try:
            job.become(status="completed", result=_content(await work(job)))
        except MCPError as error:
            job.become(status="failed", error=ErrorData(code=error.code, message=error.message))
        except RuntimeError as error:  # what a tool's own error is
            job.become(status="completed", result=_content(str(error), is_error=True))
        except asyncio.CancelledError:
            job.become(status="cancelled")

    async def find(self, task_id: str) -> Task | None:
        job = self._jobs.get(task_id)
        return None if job is None else job.task

    async def answer(self, task_id: str, responses: dict[str, Any]) -> None:
        job = self._jobs[task_id]
        left = dict(job.task.input_requests)
        for key in responses.keys() & left.keys():
            job.answers[key] = responses[key]
            del left[key]
        if job.task.status == "input_required":
            job.become(input_requests=left)
            if not left:
                job.answered.set()

    async def cancel(self, task_id: str) -> None:
        if work := self._jobs[task_id].work:
            work.cancel()


def _content(text: str, *, is_error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def elicitation(message: str, **fields: str) -> ElicitRequest:
    """Ask the user for these fields, each of a type of JSON schema."""
    properties = {name: {"type": kind} for name, kind in fields.items()}
    schema = {"type": "object", "properties": properties, "required": list(fields)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def add_to(server: MCPServer[ServerLifespan], jobs: Jobs) -> None:
    """Register the tools."""
    _add_working(server, jobs)
    _add_asking(server, jobs)


def _add_working(server: MCPServer[ServerLifespan], jobs: Jobs) -> None:
    @server.tool()
    async def greet(name: str) -> str:
        """Answer at once."""
        return f"Hello, {name}!"

    @server.tool()
    async def slow_compute(seconds: float = 0, label: str = "") -> str:
        """Take so many seconds, as a task."""

        async def work(_job: Job) -> str:
            await asyncio.sleep(seconds)
            return f"{label}: done after {seconds} s"

        if seconds and jobs.begin(work):
            return ""
        return await work(Job(Task("", "working", "", "")))

    @server.tool()
    async def failing_job(ctx: Context[ServerLifespan]) -> str:
        """Fail, as a task that must be one."""
        require_client_extension(ctx.request_context, IDENTIFIER)

        async def work(_job: Job) -> str:
            await asyncio.sleep(1)
            raise RuntimeError("this job always fails")

        jobs.begin(work)
        return ""

    @server.tool()
    async def protocol_error_job() -> str:
        """Fail with an error of the protocol."""

        async def work(_job: Job) -> str:
            raise MCPError(INTERNAL_ERROR, "the job broke")

        jobs.begin(work)
        return ""


def _add_asking(server: MCPServer[ServerLifespan], jobs: Jobs) -> None:
    @server.tool()
    async def confirm_delete(filename: str) -> str:
        """Ask for a confirmation within the task."""

        async def work(job: Job) -> str:
            said = await job.ask({"confirm": elicitation(f"Delete {filename}?", confirm="boolean")})
            return f"{filename}: {said['confirm']}"

        jobs.begin(work)
        return ""

    @server.tool()
    async def multi_input() -> str:
        """Ask for two things within the task."""

        async def work(job: Job) -> str:
            return str(await job.ask({key: elicitation(f"{key}?", name="string") for key in "ab"}))

        jobs.begin(work)
        return ""

    @server.tool()
    async def test_tool_with_task(ctx: Context[ServerLifespan]) -> str | InputRequiredResult:
        """Ask first, and then begin the task."""
        if not ctx.input_responses:
            return InputRequiredResult(
                input_requests={"user_name": elicitation("Who?", name="string")}
            )
        require_client_extension(ctx.request_context, IDENTIFIER)
        content = getattr(ctx.input_responses["user_name"], "content", None) or {}

        async def work(_job: Job) -> str:
            return f"Hello, {content.get('name')}!"

        jobs.begin(work)
        return ""
