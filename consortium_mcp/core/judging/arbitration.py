"""Have the arbiter weigh an iteration's responses, and never lose them when it cannot.

The chain: a valid verdict; one repair, which shows the arbiter its own reply and what is wrong with
it; the next arbiter, where more are configured; then the best-supported response, verbatim and
marked as degraded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from consortium_mcp.core.answers.equivalence import contradict, same
from consortium_mcp.core.answers.options import read_options
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.confidence import agreement, scoring
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError, VerdictError
from consortium_mcp.core.domain.verdict import Verdict
from consortium_mcp.core.judging import dissent
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.prompts import for_arbiters, quoting, rendering
from consortium_mcp.core.reading.verdicts import ArbiterVerdict, json_schema, parse_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.core.answers.answer import Answer
    from consortium_mcp.core.answers.options import Options
    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

T = TypeVar("T")
ARBITER = "arbiter"
"""The label of the arbiter's own exchanges."""


@dataclass(frozen=True)
class ArbiterTask(Generic[T]):
    """What is wanted of an arbiter."""

    prompt: str
    json_schema: dict[str, Any]
    parse: Callable[[str], T]
    """Reads the reply; raises `VerdictError` where it cannot."""


@dataclass(frozen=True)
class ArbiterResult(Generic[T]):
    """What an arbiter made of it, or why none of them did."""

    found: T | None
    arbiter: str | None
    notes: tuple[str, ...]
    """What is odd about it; where nothing was found, the last says why."""


async def ask_arbiters(run: Run, demand: ArbiterTask[T], ask: Ask) -> ArbiterResult[T]:
    """Ask the arbiters in turn until one says what can be read.

    Raises:
        BudgetExceeded: the call does not fit the run's budget.
    """
    notes: list[str] = []
    for turn, model in enumerate((run.config.arbiter, *run.config.arbiters)):
        question = Question(
            role="arbiter",
            label=ARBITER if turn == 0 else f"{ARBITER} {turn + 1}",
            model=model,
            prompt=demand.prompt,
            system=rendering.render("arbiter_system"),
            json_schema=demand.json_schema,
            iteration=len(run.iterations) + 1,
            timeout=run.config.arbiter_timeout,
        )
        try:
            mark = quoting.boundary(run, "arbiter")
            found, remarks = await _said_or_repaired(question, demand.parse, ask, mark)
        except (MemberError, VerdictError) as error:
            notes.append(f"The arbiter {model} gave no verdict ({error})")
        else:
            notes += [f"The arbiter {model}: {remark}" for remark in remarks]
            return ArbiterResult(found, model, tuple(notes))
    return ArbiterResult(None, None, tuple(notes))


async def _said_or_repaired(
    question: Question, parse: Callable[[str], T], ask: Ask, mark: str
) -> tuple[T, tuple[str, ...]]:
    """What the arbiter said, and what is odd about the reply it came in."""
    reply = await ask(question)
    try:
        return parse(reply.text), reply.warnings
    except VerdictError as error:
        said, _ = quoting.quote(reply.text, mark)
        repair = rendering.render("repair", prompt=question.prompt, reply=said, error=error)
        again = await ask(question.model_copy(update={"prompt": repair, "attempt": 2}))
        return parse(again.text), again.warnings


async def arbitrate(
    run: Run, responses: Sequence[Response], ask: Ask, also: Sequence[Response] = ()
) -> Verdict:
    """Ask the arbiters in turn for a verdict on these responses, of which one answered at least.

    Args:
        run: the run.
        responses: what the arbiter reads.
        ask: puts a question to a model.
        also: votes that the arbiter does not read but that count, of members that have left.

    Raises:
        BudgetExceeded: the call does not fit the run's budget.
    """
    labels = tuple(r.label for r in responses if r.answered)
    prompt, cuts = for_arbiters.prompt_for_arbiter(run, responses)
    demand = ArbiterTask(prompt, json_schema(labels), lambda text: parse_verdict(text, labels))
    said = await ask_arbiters(run, demand, ask)
    votes = (*responses, *also)
    if said.found is None:
        return best_supported(run, votes, said.notes[-1], (*cuts, *said.notes[:-1]))
    verdict = _computed(run, said.found, votes, (*cuts, *said.notes))
    return verdict.model_copy(update={"arbiter": said.arbiter})


def _computed(
    run: Run, said: ArbiterVerdict, responses: Sequence[Response], warnings: tuple[str, ...]
) -> Verdict:
    options = read_options(run.prompt)
    answered = {r.label: read(r.final_answer or "", options) for r in responses if r.answered}
    support = _credible(said, answered, options)
    if struck := [label for label in said.support if label not in support]:
        belied = (
            f"The arbiter counted {', '.join(struck)} as support, whose answer is a different one"
        )
        warnings += (f"{belied}; not counted.",)
    told = read(said.final_answer or "", options)
    support += tuple(
        label for label in answered if label not in support and same(answered[label], told)
    )
    groups = checked_groups(run, responses, said.groups)
    number, parts = scoring.weigh(
        run,
        responses,
        support,
        groups,
        arbiter_confidence=said.confidence,
        method="the arbiter names in support, or whose final answer is the same",
    )
    return Verdict(
        synthesis=said.synthesis,
        final_answer=said.final_answer,
        confidence=number,
        parts=parts,
        supporters=support,
        groups=groups,
        dissent=dissent.dissent_of(responses, support, groups, said.dissent),
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


def checked_groups(run: Run, responses: Sequence[Response], said: Groups) -> Groups:
    """Equal answers grouped, joined as the arbiter says, unless the answers themselves belie that.

    What reads as the same stays together whatever the arbiter leaves out.
    """
    options = read_options(run.prompt)
    answered = {r.label: read(r.final_answer or "", options) for r in responses if r.answered}
    ours = agreement.group_by_answer(run, responses)
    joined = _joined((*said, *ours))
    return ours if any(_mixed(group, answered) for group in joined) else joined


def _joined(groups: Groups) -> Groups:
    """The groups, those that share a label as one; in order of their first."""
    joined: list[tuple[str, ...]] = []
    for group in groups:
        touched = [each for each in joined if not set(each).isdisjoint(group)]
        one = tuple(dict.fromkeys(label for each in (*touched, group) for label in each))
        place = joined.index(touched[0]) if touched else len(joined)
        joined[place : place + 1] = [one]
        joined = [each for each in joined if each not in touched[1:]]
    return tuple(joined)


def _mixed(group: tuple[str, ...], answered: dict[str, Answer | None]) -> bool:
    return any(contradict(answered[a], answered[b]) for a in group for b in group)


def best_supported(
    run: Run, responses: Sequence[Response], why: str, warnings: tuple[str, ...] = ()
) -> Verdict:
    """The answer with the most votes, told verbatim by its most confident supporter.

    It is a count, not a judgement, so it is marked `degraded` and has no `arbiter_confidence`.
    """
    verdict = plurality(run, responses)
    note = f"{why}: this is the best-supported member's answer, word for word."
    return verdict.model_copy(
        update={"degraded": True, "warnings": (*warnings, note, *verdict.warnings)}
    )
