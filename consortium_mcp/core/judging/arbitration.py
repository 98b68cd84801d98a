"""Has the arbiter weigh an iteration's responses, with a fallback if it fails.

An invalid verdict is repaired once: the arbiter sees its own reply and what is wrong with it. If
that fails too, the next configured arbiter is asked. After the last one, the best-supported
response stands, verbatim and marked as degraded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import contradict, same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence import agreement, scoring
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError, VerdictError
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judgements.quotations import Source
from consortium_mcp.core.judgements.verdicts import ArbiterVerdict, json_schema, parse_verdict
from consortium_mcp.core.judging import dissent
from consortium_mcp.core.judging.voting import counted, is_central, plurality
from consortium_mcp.core.prompts import for_arbiters, quoting, rendering

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.core.answers.context import Context
    from consortium_mcp.core.answers.equivalence import Answer
    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import PeerReview, Response

T = TypeVar("T")
_BEST_SUPPORTED = "the best-supported member's answer"
ARBITER = "arbiter"
"""The label of the first arbiter's exchanges."""


@dataclass(frozen=True)
class ArbiterTask(Generic[T]):
    """What to ask an arbiter, and how to parse its reply."""

    prompt: str
    json_schema: dict[str, Any]
    parse: Callable[[str], T]
    """Parses the reply; raises `VerdictError` where it cannot."""


@dataclass(frozen=True)
class ArbiterResult(Generic[T]):
    """The parsed reply and who gave it, or why no arbiter gave any."""

    found: T | None
    arbiter: str | None
    notes: tuple[str, ...]
    """Warnings; where `found` is `None`, the last one says why."""


async def ask_arbiters(run: Run, demand: ArbiterTask[T], ask: Ask) -> ArbiterResult[T]:
    """Ask the arbiters in turn until one gives a valid reply.

    Raises:
        BudgetExceeded: the call would exceed the run's budget.
    """
    notes: list[str] = []
    for turn, model in enumerate((run.config.arbiter, *run.config.arbiters)):
        question = Question(
            role="arbiter",
            label=ARBITER if turn == 0 else f"{ARBITER} {turn + 1}",
            model=model,
            prompt=demand.prompt,
            system=for_arbiters.system_for_arbiter(run),
            options=run.config.arbiter_options,
            json_schema=demand.json_schema,
            iteration=len(run.iterations) + 1,
            timeout=run.config.arbiter_timeout,
        )
        try:
            mark = quoting.boundary(run, "arbiter")
            found, remarks = await _ask_and_repair(question, demand.parse, ask, mark)
        except (MemberError, VerdictError) as error:
            notes.append(f"The arbiter {model} gave no verdict ({error})")
        else:
            notes += [f"The arbiter {model}: {remark}" for remark in remarks]
            return ArbiterResult(found, model, tuple(notes))
    return ArbiterResult(None, None, tuple(notes))


async def _ask_and_repair(
    question: Question, parse: Callable[[str], T], ask: Ask, mark: str
) -> tuple[T, tuple[str, ...]]:
    """The parsed reply, after one repair where it was invalid, and its warnings."""
    reply = await ask(question)
    try:
        return parse(reply.text), reply.warnings
    except VerdictError as error:
        quoted, _ = quoting.quote(reply.text, mark)
        repair = rendering.render("repair", prompt=question.prompt, reply=quoted, error=error)
        again = await ask(question.model_copy(update={"prompt": repair, "attempt": 2}))
        return parse(again.text), again.warnings


async def arbitrate(
    run: Run,
    responses: Sequence[Response],
    ask: Ask,
    also: Sequence[Response] = (),
    review: PeerReview | None = None,
) -> Verdict:
    """Ask the arbiters in turn for a verdict on these responses; at least one must be answered.

    Args:
        run: the run.
        responses: the responses that the arbiter reads.
        ask: puts a question to a model.
        also: votes of eliminated members, which count although the arbiter does not read them.
        review: what the members made of each other's answers. The arbiter reads it, and where no
            arbiter judges, the answer that it puts first stands.

    Raises:
        BudgetExceeded: the call would exceed the run's budget.
    """
    labels = tuple(r.label for r in responses if r.answered)
    prompt, cuts = for_arbiters.prompt_for_arbiter(run, responses, review=review)
    source = source_of(run, responses, review)
    demand = ArbiterTask(
        prompt,
        json_schema(labels, code=source.code),
        lambda text: parse_verdict(text, labels, source),
    )
    result = await ask_arbiters(run, demand, ask)
    votes = (*responses, *also)
    if result.found is None:
        return best_supported(run, votes, result.notes[-1], (*cuts, *result.notes[:-1]), review)
    notes = (*cuts, *result.notes, *of_arbiter(result.found.warnings))
    verdict = _verdict_from(run, result.found, votes, notes)
    return verdict.model_copy(update={"arbiter": result.arbiter})


def source_of(run: Run, responses: Sequence[Response], review: PeerReview | None = None) -> Source:
    """What tells the arbiter's own verdict on these responses from a quoted one."""
    objections = review.objections if review else ()
    return Source(
        quoting.verdict_code(run),
        (*material_of(run, responses), *(objection.text for objection in objections)),
    )


def material_of(run: Run, responses: Sequence[Response]) -> tuple[str, ...]:
    """The texts that whoever judges these responses reads, none of them its own."""
    turns = [text for turn in run.history for text in (turn.prompt, turn.synthesis)]
    return (run.prompt, *turns, *(response.text for response in responses if response.text))


def of_arbiter(warnings: Sequence[str]) -> tuple[str, ...]:
    """What of a verdict could not be read, as warnings of the run."""
    return tuple(f"Of the arbiter's verdict: {warning}" for warning in warnings)


def _verdict_from(
    run: Run, verdict: ArbiterVerdict, responses: Sequence[Response], warnings: tuple[str, ...]
) -> Verdict:
    context, answered = _answers(run, responses, verdict.final_answer)
    support = _credible_support(verdict, answered, context)
    if refuted := [label for label in verdict.support if label not in support]:
        finding = (
            f"The arbiter counted {', '.join(refuted)} as support, whose answer is a different one"
        )
        warnings += (f"{finding}; not counted.",)
    answer = read(verdict.final_answer or "", context)
    support += tuple(
        label for label in answered if label not in support and same(answered[label], answer)
    )
    groups = checked_groups(run, responses, verdict.groups)
    number, parts = scoring.weigh(
        run,
        responses,
        support,
        groups,
        arbiter_confidence=verdict.confidence,
        method="the arbiter names in support, or whose final answer is the same",
    )
    return Verdict(
        synthesis=verdict.synthesis,
        final_answer=verdict.final_answer,
        confidence=number,
        parts=parts,
        supporters=support,
        groups=groups,
        dissent=dissent.dissent_of(responses, support, groups, verdict.dissent),
        refinements=verdict.refinements,
        needs_iteration=verdict.needs_iteration,
        ranking=verdict.ranking,
        warnings=warnings,
    )


def _answers(
    run: Run, responses: Sequence[Response], other: str | None = None
) -> tuple[Context, dict[str, Answer | None]]:
    """How to read this iteration's answers, and what each label that answered says."""
    final_answers = {r.label: r.final_answer for r in responses if r.answered}
    context = context_of(run.prompt, (*final_answers.values(), other))
    return context, {label: read(text or "", context) for label, text in final_answers.items()}


def _credible_support(
    verdict: ArbiterVerdict, answered: dict[str, Answer | None], context: Context
) -> tuple[str, ...]:
    """The supporters that the arbiter names, without those whose own answers contradict that.

    A member whose short answer contradicts the verdict's does not support it. Where the verdict has
    no short answer, members that contradict each other cannot all support it: the largest group
    that one of its members does not contradict stays.
    """
    if verdict.final_answer is not None:
        answer = read(verdict.final_answer, context)
        return tuple(label for label in verdict.support if not contradict(answered[label], answer))
    compatible = [
        tuple(o for o in verdict.support if not contradict(answered[label], answered[o]))
        for label in verdict.support
    ]
    return max(compatible, key=len, default=())


def checked_groups(run: Run, responses: Sequence[Response], said: Groups) -> Groups:
    """Join the groups of equal answers as the arbiter says, unless that joins a contradiction.

    In that case all of the arbiter's groups are ignored. Equal answers always stay together.
    """
    _, answered = _answers(run, responses)
    equal = agreement.group_by_answer(run, responses)
    joined = _merged((*said, *equal))
    return equal if any(_contradictory(group, answered) for group in joined) else joined


def _merged(groups: Groups) -> Groups:
    """Merge the groups that share a label; ordered by each group's first part."""
    joined: list[tuple[str, ...]] = []
    for group in groups:
        overlapping = [each for each in joined if not set(each).isdisjoint(group)]
        merged = tuple(dict.fromkeys(label for each in (*overlapping, group) for label in each))
        place = joined.index(overlapping[0]) if overlapping else len(joined)
        joined[place : place + 1] = [merged]
        joined = [each for each in joined if each not in overlapping[1:]]
    return tuple(joined)


def _contradictory(group: tuple[str, ...], answered: dict[str, Answer | None]) -> bool:
    return any(contradict(answered[a], answered[b]) for a in group for b in group)


def best_supported(
    run: Run,
    responses: Sequence[Response],
    why: str,
    warnings: tuple[str, ...] = (),
    review: PeerReview | None = None,
) -> Verdict:
    """The answer with the most votes, as its most confident supporter wrote it.

    Where the members ranked each other's answers, it is the one that they put first; of open
    answers, which nobody can count, the one most like the others. This is no judgement, so it is
    marked `degraded` and has no `arbiter_confidence`.
    """
    if review is not None and review.ranking:
        first = review.ranking[0].labels[0]
        groups = agreement.group_by_answer(run, responses)
        winners = next(group for group in groups if first in group)
        verdict = counted(run, responses, winners, groups, speaker=first)
        what = "the answer that the members rank first"
    else:
        verdict = plurality(run, responses)
        what = "the answer most like the others" if is_central(verdict) else _BEST_SUPPORTED
    note = f"{why}: this is {what}, word for word."
    return verdict.model_copy(
        update={"degraded": True, "warnings": (*warnings, note, *verdict.warnings)}
    )
