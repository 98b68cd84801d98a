"""Makes the data of a run's page from its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.frontends.page.equation import equation_of
from consortium_mcp.frontends.page.groups import groups_of, without_answer
from consortium_mcp.frontends.page.model import (
    PageCall,
    PageIteration,
    PageMember,
    PageResponse,
    PageToolUse,
    RunPage,
)
from consortium_mcp.frontends.text.confidence import confidence_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Verdict
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
    from consortium_mcp.core.reports.report import MemberReport, RunReport


def run_page(record: RunRecord, others: Sequence[RunRecord] = ()) -> RunPage:
    """The data of a run's page, with every text in full; see `texts.set_apart`.

    Args:
        record: the run in any status.
        others: the records of the runs that are nested in it, at any depth.
    """
    run, report = record.run(), record.report
    iterations = _iterations(record, run)
    members = _members(record, iterations)
    best = run.best
    reported = next((it for it in iterations if it.number == report.reported_iteration), None)
    if reported is not None:
        reported.synthesis = None
    answered = reported.groups if reported else iterations[-1].groups if iterations else []
    return RunPage.model_validate(
        _of_report(report)
        | {
            "equation": equation_of(report),
            "reason": None if report.confidence is None else confidence_sentence(report),
            "degraded": best is not None and best.verdict.degraded,
            "groups": [*answered, *without_answer(members)],
            "open_dissent": [side.argument for side in report.dissent if not side.labels],
            "members": [_member(member, record, reported) for member in members],
            "answered": sum(member.status == "answered" for member in members),
            "iterations": iterations,
            "calls": _calls(record),
            "nested": [
                run_page(other, others)
                for other in others
                if other.parent is not None and other.parent.run_id == report.run_id
            ],
            "parent_call": record.parent.call if record.parent else None,
            "history": list(record.history),
            "client": record.client,
        }
    )


def plan_page(report: RunReport) -> RunPage:
    """The data of the page of a plan, which has no record."""
    members = [PageMember(**_shared(member)) for member in report.members]
    groups = without_answer(report.members)
    return RunPage.model_validate(_of_report(report) | {"members": members, "groups": groups})


def _of_report(report: RunReport) -> dict[str, Any]:
    """The fields that the page has from the report, as they are."""
    names = RunPage.model_fields.keys() - {"members", "iterations", "answered"}
    values = {name: getattr(report, name) for name in names if hasattr(report, name)}
    return values | {"parts": report.confidence_parts, "answered": report.answered}


def _iterations(record: RunRecord, run: Run) -> list[PageIteration]:
    """Every iteration, and the one that is not heard out yet as far as it has come."""
    found = [_iteration(each, record, run) for each in record.iterations]
    number = len(found) + 1
    begun = [e for e in record.exchanges if e.role == "member" and e.iteration == number]
    if begun:
        responses = [_response_to(exchange) for exchange in begun]
        groups = groups_of(run, responses, None)
        shown = [_shown(response, record, number) for response in responses]
        found.append(PageIteration(number=number, groups=groups, responses=shown))
    return found


def _response_to(exchange: Exchange) -> Response:
    """What a call came to whose iteration is not recorded yet."""
    read = read_reply(exchange.reply) if exchange.reply is not None else None
    return Response(
        label=exchange.label,
        model=exchange.model,
        status="failed" if read is None else "answered",
        text=exchange.reply,
        final_answer=read.final_answer if read else None,
        stated_confidence=read.stated_confidence if read else None,
        error=exchange.error,
        seconds=exchange.seconds,
        input_tokens=exchange.input_tokens,
        output_tokens=exchange.output_tokens,
        cost_usd=exchange.cost_usd,
        warnings=exchange.warnings,
        nested_run_id=exchange.nested_run_id,
    )


def _iteration(it: IterationRecord, record: RunRecord, run: Run) -> PageIteration:
    responses = it.responses
    if responses is None:  # recorded in an early form
        asked = [e for e in record.exchanges if e.role == "member" and e.iteration == it.number]
        responses = tuple(_response_to(exchange) for exchange in asked)
    page = PageIteration(
        number=it.number,
        cut=it.cut,
        groups=groups_of(run, responses, it.verdict),
        responses=[_shown(response, record, it.number) for response in responses],
    )
    return page if it.verdict is None else page.model_copy(update=_judged(it.verdict))


def _judged(verdict: Verdict) -> dict[str, Any]:
    return {
        "confidence": verdict.confidence,
        "agreement": verdict.parts.agreement,
        "synthesis": verdict.synthesis,
        "final_answer": verdict.final_answer,
        "arbiter": verdict.arbiter,
        "degraded": verdict.degraded,
        "refinements": list(verdict.refinements),
        "warnings": list(verdict.warnings),
    }


def _shown(response: Response, record: RunRecord, number: int) -> PageResponse:
    text = None if response.text is None else read_reply(response.text).prose or response.text
    names = PageResponse.model_fields.keys() - {"text", "tries"}
    return PageResponse(
        **response.model_dump(include=set(names)),
        text=text,
        tries=_tries(record, response.label, number),
    )


def _tries(record: RunRecord, label: str, number: int) -> int | None:
    calls = [
        e.tries
        for e in record.exchanges
        if e.role == "member" and e.label == label and e.iteration == number
    ]
    return sum(calls) if calls else None


def _members(record: RunRecord, iterations: Sequence[PageIteration]) -> list[MemberReport]:
    """The report's members; in the first iteration, those that have answered by now as well."""
    members = record.report.members
    if record.report.reported_iteration is not None or not iterations:
        return members
    heard = {response.label: response for response in iterations[-1].responses}
    names = PageResponse.model_fields.keys() & type(members[0]).model_fields.keys() - {"label"}
    return [
        member.model_copy(update=heard[member.label].model_dump(include=names))
        if member.label in heard
        else member
        for member in members
    ]


def _member(member: MemberReport, record: RunRecord, reported: PageIteration | None) -> PageMember:
    number = reported.number if reported else len(record.iterations) or 1
    asked = next((each for each in record.members if each.label == member.label), None)
    return PageMember(
        **_shared(member),
        role=asked.role if asked else None,
        tries=_tries(record, member.label, number),
    )


def _shared(member: MemberReport) -> dict[str, Any]:
    return member.model_dump(include=set(PageMember.model_fields))


def _calls(record: RunRecord) -> list[PageCall]:
    return [_call(exchange, record) for exchange in record.exchanges]


def _call(exchange: Exchange, record: RunRecord) -> PageCall:
    uses = [
        PageToolUse(name=use.name, arguments=use.arguments, result=use.result, seconds=use.seconds)
        for use in record.tool_uses
        if (use.iteration, use.role, use.label, use.attempt) == exchange.key
    ]
    reply = exchange.reply
    if reply is not None and exchange.role == "member" and read_reply(reply).prose == reply:
        reply = None
    values = exchange.model_dump(include=set(PageCall.model_fields) - {"reply", "tools"})
    return PageCall(**values, reply=reply, tools=uses)
