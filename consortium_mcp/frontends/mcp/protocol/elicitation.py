"""Ask the user before a run that may make more calls than `CONSORTIUM_CONFIRM_CALLS`.

Clients with elicitation show the question; the two eras of the protocol carry it differently. Other
clients get the plan, and the model confirms it by calling again with `max_calls`, which also limits
the run. `max_calls` confirms only a plan that was shown before, since models also set it unasked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mcp.server.elicitation import AcceptedElicitation, render_elicitation_schema
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, Field

from consortium_mcp.frontends.mcp.protocol.lifespan import lifespan_of
from consortium_mcp.frontends.mcp.protocol.results import report_result, with_note
from consortium_mcp.frontends.text.phrases import cost_range

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context
    from mcp_types import CallToolResult

    from consortium_mcp.core.domain.request import ConsultRequest
    from consortium_mcp.frontends.mcp.protocol.lifespan import ServerLifespan
    from consortium_mcp.services.service import Service

_IN_THE_RESULT = "2026-07-28"
"""The first protocol version that sends the question as an `InputRequiredResult`."""
_KEY = "confirm"


class Confirmation(BaseModel):
    """What the user is asked."""

    proceed: bool = Field(default=True, description="Make these calls?")


async def not_confirmed(
    ctx: Context[ServerLifespan], service: Service, request: ConsultRequest
) -> CallToolResult | InputRequiredResult | None:
    """The result to return instead of starting the run; `None` if the run may start."""
    limit = lifespan_of(ctx).settings.confirm_calls
    if limit is None:
        return None
    planned = await service.dry_run(request)
    plan = planned.plan
    if plan is None or plan.most_calls <= limit:
        return None
    most_calls = plan.most_calls
    price = f", at {range_}" if (range_ := cost_range(plan)) else ""
    if not _offers_elicitation(ctx):
        if await _is_confirmation(ctx, request):
            return None
        how = (
            f"Nothing was called: this may take up to {most_calls} calls{price}, and the user "
            f"wants to be asked above {limit} (CONSORTIUM_CONFIRM_CALLS). Ask them, then call "
            f"again with max_calls={most_calls}, or with a smaller limit."
        )
        return report_result(with_note(planned, how))
    question = (
        f"This consultation may make up to {most_calls} model calls{price}; you want to be asked "
        f"above {limit}. Proceed?"
    )
    answer = await _ask(ctx, question)
    if isinstance(answer, InputRequiredResult):
        return answer
    declined = report_result(with_note(planned, "Nothing was called: the user did not confirm."))
    return None if answer else declined


async def _is_confirmation(ctx: Context[ServerLifespan], request: ConsultRequest) -> bool:
    """Whether this request's plan was shown before and `max_calls` confirms it now."""
    state = lifespan_of(ctx)
    unlimited = repr(replace(request, settings=replace(request.settings, max_calls=None)))
    was_shown = await state.shown_plans.show(state.caller, unlimited)
    return was_shown and request.settings.max_calls is not None


async def _ask(ctx: Context[ServerLifespan], question: str) -> bool | InputRequiredResult:
    """Whether the user confirmed, or the result that asks them."""
    if not asks_in_the_result(ctx):
        waiting = lifespan_of(ctx).waiting_calls
        with waiting.asks(ctx.request_context.request, ctx.request_id):
            outcome = await ctx.elicit(question, Confirmation)
        return isinstance(outcome, AcceptedElicitation) and outcome.data.proceed
    answer = (ctx.input_responses or {}).get(_KEY)
    if not isinstance(answer, ElicitResult):
        return _input_required(question)
    return answer.action == "accept" and (answer.content or {}).get("proceed", True) is True


def _offers_elicitation(ctx: Context[ServerLifespan]) -> bool:
    capabilities = ctx.client_capabilities
    offered = capabilities.elicitation if capabilities is not None else None
    return offered is not None and (offered.form is not None or offered.url is None)


def asks_in_the_result(ctx: Context[ServerLifespan]) -> bool:
    """Whether the client is asked in the result of its call, instead of by a request."""
    version = ctx.protocol_version
    return version is not None and is_version_at_least(version, _IN_THE_RESULT)


def _input_required(question: str) -> InputRequiredResult:
    schema = render_elicitation_schema(Confirmation)
    params = ElicitRequestFormParams(message=question, requested_schema=schema)
    return InputRequiredResult(input_requests={_KEY: ElicitRequest(params=params)})
