"""From members' objects to a verdict: agreed field by field, contested fields arbitrated."""

from __future__ import annotations

import json
from functools import lru_cache, partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread

from consortium_mcp.core.confidence.agreement import weight
from consortium_mcp.core.confidence.weights import weights_of
from consortium_mcp.core.domain.verdict import (
    ConfidenceParts,
    Dissent,
    FieldOutcome,
    ValueVote,
    Verdict,
)
from consortium_mcp.core.judging.arbitration import ArbiterTask, ask_arbiters
from consortium_mcp.core.judging.field_choices import json_schema, read_decisions, read_votes
from consortium_mcp.core.prompts.for_objects import prompt_for_arbiter
from consortium_mcp.core.prompts.quoting import verdict_code
from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.confidence import of_field, of_whole
from consortium_mcp.core.structured.contested import contested, revote, settle
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, canonical, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response
    from consortium_mcp.core.structured.fields import Agreed, Field, FieldVote
    from consortium_mcp.core.structured.values import Path

T = TypeVar("T")
MOST_FIELDS = 100
"""Contested fields that one question asks about, the least certain first."""
MOST_DISSENT = 10
"""Contested fields that the dissent names."""


def open_fields(agreed: Agreed) -> tuple[Field, ...]:
    """The contested fields that members and arbiters are asked about."""
    return contested(agreed)[:MOST_FIELDS]


def agreement_of(run: Run, responses: Sequence[Response] = ()) -> Agreed:
    """The object that the members agree on, before any arbiter.

    In an iteration after which something was contested, members vote on that alone. Otherwise they
    are asked for the object, and each one's latest counts. Thousands of fields take seconds, so
    this belongs in a thread; what was computed for the same responses is remembered.

    Args:
        run: the run, with the iterations before.
        responses: of an iteration that has no verdict yet.
    """
    rounds = [*(iteration.responses for iteration in run.iterations), *filter(None, [responses])]
    texts = tuple(tuple((r.label, r.text or "") for r in heard if r.answered) for heard in rounds)
    return _agreed(json.dumps(run.config.json_schema), texts, tuple(weights_of(run).items()))


_Texts = tuple[tuple[str, str], ...]


@lru_cache(maxsize=4)
def _agreed(
    schema_text: str, rounds: tuple[_Texts, ...], weights: tuple[tuple[str, float], ...]
) -> Agreed:
    schema = read_schema(json.loads(schema_text))
    weight_of = dict(weights)
    ballots: dict[str, Ballot] = {}
    agreed = agree((), schema)
    for texts in rounds:
        fields = open_fields(agreed)
        if fields:
            agreed = revote(agreed, _votes(texts, fields), weight_of, schema)
            continue
        for label, text in texts:
            read = read_object(text, schema)
            if read.votes is not None and read.complaint is None:
                ballots[label] = Ballot(label, read.votes, weight_of[label])
        agreed = agree([*ballots.values()], schema)
    return agreed


def _votes(texts: _Texts, fields: Sequence[Field]) -> dict[Path, dict[str, Any]]:
    votes: dict[Path, dict[str, Any]] = {}
    for label, text in texts:
        for path, value in (read_votes(text, fields) or {}).items():
            votes.setdefault(path, {})[label] = value
    return votes


async def object_verdict(run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
    """The verdict on objects; contested fields go to an arbiter.

    Raises:
        BudgetExceeded: the arbiter's call would exceed the run's budget.
    """
    agreed = await _in_thread(agreement_of, run, responses)
    fields = open_fields(agreed)
    if not fields:
        return await _in_thread(_verdict, run, responses, agreed)
    code = verdict_code(run)
    prompt, cuts = prompt_for_arbiter(run, fields)
    parse = partial(read_decisions, fields=fields, code=code)
    result = await ask_arbiters(run, ArbiterTask(prompt, json_schema(code), parse), ask)
    notes = (*cuts, *result.notes)
    if result.found is None:
        return await counted_objects(run, responses, notes[-1], notes[:-1])
    schema = read_schema(run.config.json_schema)
    settled = await _in_thread(settle, agreed, result.found, schema)
    verdict = await _in_thread(_verdict, run, responses, settled)
    return verdict.model_copy(
        update={"arbiter": result.arbiter, "warnings": (*verdict.warnings, *notes)}
    )


async def counted_objects(
    run: Run,
    responses: Sequence[Response],
    why: str | None = None,
    warnings: tuple[str, ...] = (),
) -> Verdict:
    """The verdict by the members' votes alone.

    Args:
        run: the run.
        responses: the iteration's responses.
        why: why no arbiter judges, where one should; the verdict is then `degraded`.
        warnings: what else to tell.
    """
    agreed = await _in_thread(agreement_of, run, responses)
    verdict = await _in_thread(_verdict, run, responses, agreed)
    if why is None:
        return verdict
    note = f"{why}: the fields stand as most members have them."
    return verdict.model_copy(
        update={"degraded": True, "warnings": (*warnings, note, *verdict.warnings)}
    )


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 (the work's)
    """In a thread: thousands of fields take seconds, and this loop keeps time for others."""
    return await anyio.to_thread.run_sync(work, *arguments, abandon_on_cancel=True)


def _verdict(run: Run, responses: Sequence[Response], agreed: Agreed) -> Verdict:
    answered = [r.label for r in responses if r.answered]
    alone = len(responses) > 1 and len(_voters(agreed)) == 1
    if alone:
        agreed = _doubted(run, responses, agreed)
    sides = [field for field in contested(agreed) if not field.prose][:MOST_DISSENT]
    breaches = tuple(f"{_place(b.path) or 'the object'}: {b.message}" for b in agreed.breaches)
    supporters = _supporters(agreed)
    return Verdict(
        synthesis=json.dumps(agreed.data, ensure_ascii=False, indent=2),
        confidence=agreed.confidence,
        parts=ConfidenceParts(
            agreement=None if alone else _mean_agreement(agreed),
            margin=None,
            mean_stated=None,
            votes=len(answered),
            distinct_answers=_distinct(agreed),
            arbiter_confidence=None,
            weighted=len({weights_of(run)[label] for label in answered}) > 1,
            method="the mean of the fields' confidences, each from the share of members behind it",
        ),
        supporters=tuple(label for label in answered if label in supporters),
        dissent=tuple(_side(field) for field in sides),
        data=agreed.data,
        fields=tuple(map(_outcome, agreed.fields)),
        breaches=breaches,
        warnings=tuple(f"The object breaks the schema at {each}" for each in breaches),
    )


def _doubted(run: Run, responses: Sequence[Response], agreed: Agreed) -> Agreed:
    """The only object, with those that gave none as if they disagreed with it.

    As in `scoring.is_alone`: a failure must not make a value look surer than a disagreement would.
    """
    share = weight(run, _voters(agreed)) / weight(run, [r.label for r in responses])
    fields = tuple(
        f._replace(confidence=of_field(f.agreement * share, len(responses))) for f in agreed.fields
    )
    return agreed._replace(fields=fields, confidence=of_whole(fields))


def _voters(agreed: Agreed) -> set[str]:
    """The members whose objects count."""
    return {label for field in agreed.fields for vote in field.votes for label in vote.labels}


def _mean_agreement(agreed: Agreed) -> float:
    """The mean share of the votes that stand behind a field's value."""
    return min(1.0, fmean(f.agreement for f in agreed.fields)) if agreed.fields else 0.0


def _supporters(agreed: Agreed) -> set[str]:
    """The members that stand behind most of the fields."""
    behind: dict[str, int] = {}
    for field in agreed.fields:
        for label in field.votes[0].labels if field.votes else ():
            behind[label] = behind.get(label, 0) + 1
    return {label for label, count in behind.items() if 2 * count >= len(agreed.fields)}


def _distinct(agreed: Agreed) -> int:
    """How many different objects were given, told by their values."""
    given = {
        label: tuple(
            next((i for i, vote in enumerate(f.votes) if label in vote.labels), -1)
            for f in agreed.fields
        )
        for label in _voters(agreed)
    }
    return len(set(given.values()))


def _side(field: Field) -> Dissent:
    others = "; ".join(f"{_written(vote)} ({', '.join(vote.labels)})" for vote in field.votes[1:])
    labels = tuple(label for vote in field.votes[1:] for label in vote.labels)
    return Dissent(labels=labels, argument=f"{_place(field.path)}: {others}")


_SHOWN = 100
"""Characters of a value or a path in words."""


def _written(vote: FieldVote) -> str:
    return "nothing" if vote.value is ABSENT else _short(canonical(vote.value))


def _place(path: Path) -> str:
    """The path in one line, whatever members have named its parts."""
    return _short(" ".join(pointer(path).split()))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _outcome(field: Field) -> FieldOutcome:
    return FieldOutcome(
        path=pointer(field.path),
        value=field.value if field.there else None,
        missing=not field.there,
        agreement=min(1.0, field.agreement),
        confidence=field.confidence,
        votes=tuple(
            ValueVote(
                value=None if vote.value is ABSENT else vote.value,
                labels=vote.labels,
                missing=vote.value is ABSENT,
            )
            for vote in field.votes
        ),
        settled_by=field.settled_by,
    )


def complaint_about(run: Run, text: str) -> str | None:
    """What is wrong with a member's reply, so that it is asked once more; `None` where nothing."""
    fields = open_fields(agreement_of(run))
    if not fields:
        return read_object(text, read_schema(run.config.json_schema)).complaint
    if read_votes(text, fields) is None:
        return 'It has no "fields", a list of {"field": "F1", "choice": "2"}.'
    return None
