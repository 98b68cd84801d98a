"""Ask the user before a run that may make more calls than they said they want to be asked about.

Clients that offer elicitation show the question; the two eras of the protocol carry it differently.
Elsewhere the plan comes back with how to confirm it: the same call with `max_calls`, which is a
limit as well. That confirms only a plan that was told, for models name limits unasked, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.server.elicitation import AcceptedElicitation, render_elicitation_schema
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, Field

from consortium_mcp.frontends.mcp.protocol.results import noted, report_result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.mcpserver import Context
    from mcp_types import CallToolResult

    from consortium_mcp.core.domain.report import RunReport
    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan

_IN_THE_RESULT = "2026-07-28"
"""The protocol from which on a question travels as a result that requires input."""
_KEY = "confirm"


class Confirmation(BaseModel):
    """What the user is asked."""

    proceed: bool = Field(default=True, description="Make these calls?")


async def not_confirmed(
    ctx: Context[ServerLifespan],
    dry_run: Callable[[], Awaitable[RunReport]],
    limit: int | None,
    *,
    call: str,
    named_max_calls: bool,
) -> CallToolResult | InputRequiredResult | None:
    """What to answer instead of beginning the run; `None` where it may begin.

    Args:
        ctx: the call's.
        dry_run: what would be done.
        limit: calls up to which nobody is asked; nobody ever is where `None`.
        call: what is asked of whom, less `max_calls`: the same again may be a confirmation.
        named_max_calls: whether the caller named `max_calls`.
    """
    if limit is None:
        return None
    planned = await dry_run()
    plan = planned.plan
    if plan is None or plan.most_calls <= limit:
        return None
    question = (
        f"This consultation may make up to {plan.most_calls} model calls; you want to be asked "
        f"above {limit}. Proceed?"
    )
    if not _can_be_asked(ctx):
        told = ctx.request_context.lifespan_context.told
        if named_max_calls and call in told:
            return None
        told.add(call)
        how = (
            f"Nothing was called: up to {plan.most_calls} calls are more than the {limit} that "
            "the user wants to be asked about (CONSORTIUM_CONFIRM_CALLS). Ask them, then call "
            f"again with max_calls={plan.most_calls}, or with a smaller limit."
        )
        return report_result(noted(planned, how))
    answer = await _asked(ctx, question)
    if isinstance(answer, InputRequiredResult):
        return answer
    said_no = report_result(noted(planned, "Nothing was called: the user did not confirm."))
    return None if answer else said_no


async def _asked(ctx: Context[ServerLifespan], question: str) -> bool | InputRequiredResult:
    """Whether the user confirms, or the result that carries the question to them."""
    if not _carried_in_the_result(ctx):
        outcome = await ctx.elicit(question, Confirmation)
        return isinstance(outcome, AcceptedElicitation) and outcome.data.proceed
    answer = (ctx.input_responses or {}).get(_KEY)
    if not isinstance(answer, ElicitResult):
        return _input_required(question)
    return answer.action == "accept" and (answer.content or {}).get("proceed", True) is True


def _can_be_asked(ctx: Context[ServerLifespan]) -> bool:
    capabilities = ctx.client_capabilities
    offered = capabilities.elicitation if capabilities is not None else None
    return offered is not None and (offered.form is not None or offered.url is None)


def _carried_in_the_result(ctx: Context[ServerLifespan]) -> bool:
    version = ctx.protocol_version
    return version is not None and is_version_at_least(version, _IN_THE_RESULT)


def _input_required(question: str) -> InputRequiredResult:
    schema = render_elicitation_schema(Confirmation)
    params = ElicitRequestFormParams(message=question, requested_schema=schema)
    return InputRequiredResult(input_requests={_KEY: ElicitRequest(params=params)})
