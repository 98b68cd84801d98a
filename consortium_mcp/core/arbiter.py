"""Have the arbiter weigh an iteration's responses, and never lose them when it cannot.

The chain: a valid verdict; one repair, which shows the arbiter its own reply and what is wrong with
it; the next arbiter, where more are configured; then the best-supported response, verbatim and
marked as degraded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core import confidence, prompts
from consortium_mcp.core.counting import counted
from consortium_mcp.core.equivalence import contradict, read, read_options
from consortium_mcp.core.errors import MemberError, VerdictError
from consortium_mcp.core.models import Question, Verdict
from consortium_mcp.core.verdicts import ArbiterVerdict, json_schema, parse_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.ask import Ask
    from consortium_mcp.core.equivalence import Answer, Options
    from consortium_mcp.core.models import Response, Run

ARBITER = "arbiter"
"""The label of the arbiter's own exchanges."""


async def arbitrate(run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
    """Ask the arbiters in turn for a verdict on these responses, of which one answered at least.

    Raises:
        BudgetExceeded: the call does not fit the run's budget.
    """
    labels = tuple(r.label for r in responses if r.answered)
    prompt, warnings = prompts.prompt_for_arbiter(run, responses)
    notes = list(warnings)
    for turn, model in enumerate((run.config.arbiter, *run.config.arbiters)):
        question = Question(
            role="arbiter",
            label=ARBITER if turn == 0 else f"{ARBITER} {turn + 1}",
            model=model,
            prompt=prompt,
            system=prompts.render("arbiter_system"),
            json_schema=json_schema(labels),
            iteration=len(run.iterations) + 1,
            timeout=run.config.arbiter_timeout,
        )
        try:
            mark = prompts.boundary(run, "arbiter")
            said, remarks = await _verdict_or_repair(question, labels, ask, mark)
        except (MemberError, VerdictError) as error:
            notes.append(f"The arbiter {model} gave no verdict ({error})")
        else:
            notes += [f"The arbiter {model}: {remark}" for remark in remarks]
            verdict = _computed(run, said, responses, tuple(notes))
            return verdict.model_copy(update={"arbiter": model})
    return best_supported(run, responses, notes.pop(), tuple(notes))


async def _verdict_or_repair(
    question: Question, labels: tuple[str, ...], ask: Ask, mark: str
) -> tuple[ArbiterVerdict, tuple[str, ...]]:
    """The verdict, and what is odd about the reply it came in."""
    reply = await ask(question)
    try:
        return parse_verdict(reply.text, labels), reply.warnings
    except VerdictError as error:
        said, _ = prompts.quote(reply.text, mark)
        repair = prompts.render("repair", prompt=question.prompt, reply=said, error=error)
        again = await ask(question.model_copy(update={"prompt": repair, "attempt": 2}))
        return parse_verdict(again.text, labels), again.warnings


def _computed(
    run: Run, said: ArbiterVerdict, responses: Sequence[Response], warnings: tuple[str, ...]
) -> Verdict:
    options = read_options(run.prompt)
    answered = {r.label: read(r.final_answer or "", options) for r in responses if r.answered}
    support = _credible(said, answered, options)
    if struck := [label for label in said.support if label not in support]:
        belied = f"The arbiter counted {', '.join(struck)} as support, whose answer is another one"
        warnings += (f"{belied}; not counted.",)
    groups = confidence.group_by_answer(responses, options)
    if said.groups and not any(_mixed(group, answered) for group in said.groups):
        groups = said.groups
    number, parts = confidence.weigh(
        responses,
        support,
        groups,
        arbiter_confidence=said.confidence,
        method="the arbiter's named support",
    )
    return Verdict(
        synthesis=said.synthesis,
        final_answer=said.final_answer,
        confidence=number,
        parts=parts,
        supporters=support,
        groups=groups,
        dissent=confidence.dissent_of(responses, support, groups, said.dissent),
        refinements=said.refinements,
        needs_iteration=said.needs_iteration,
        ranking=said.ranking,
        warnings=warnings,
    )


def _credible(
    said: ArbiterVerdict, answered: dict[str, Answer | None], options: Options
) -> tuple[str, ...]:
    """The support less what the members' own answers belie: it is not the arbiter's word alone.

    A member whose short answer contradicts the verdict's cannot stand behind it. Where the verdict
    has none, members that contradict each other cannot all: the largest party stays.
    """
    if said.final_answer is not None:
        told = read(said.final_answer, options)
        return tuple(label for label in said.support if not contradict(answered[label], told))
    parties = [
        tuple(o for o in said.support if not contradict(answered[label], answered[o]))
        for label in said.support
    ]
    return max(parties, key=len, default=())


def _mixed(group: tuple[str, ...], answered: dict[str, Answer | None]) -> bool:
    return any(contradict(answered[a], answered[b]) for a in group for b in group)


def best_supported(
    run: Run, responses: Sequence[Response], why: str, warnings: tuple[str, ...] = ()
) -> Verdict:
    """The answer most members gave, told verbatim by its most confident supporter.

    Equal groups: the one with the higher mean stated confidence, then the first by panel order. It
    is a count, not a judgement, so it is marked `degraded` and has no `arbiter_confidence`.
    """
    groups = confidence.group_by_answer(responses, read_options(run.prompt))
    stated = {r.label: r.stated_confidence or 0.0 for r in responses}
    winners = max(groups, key=lambda g: (len(g), sum(stated[name] for name in g) / len(g)))
    verdict = counted(responses, winners, groups, "counting equal final answers")
    note = f"{why}: this is the best-supported member's answer, word for word."
    return verdict.model_copy(update={"degraded": True, "warnings": (*warnings, note)})
