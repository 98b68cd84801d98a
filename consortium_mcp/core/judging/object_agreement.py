"""From members' objects to a verdict: agreed field by field, contested fields arbitrated."""

from __future__ import annotations

import json
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from consortium_mcp.core.confidence.agreement import weight
from consortium_mcp.core.confidence.scoring import is_alone
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
from consortium_mcp.core.structured.contested import contested, revote, settle
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.core.structured.values import ABSENT, canonical, pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response
    from consortium_mcp.core.structured.fields import Agreed, Field, FieldVote
    from consortium_mcp.core.structured.schema import Schema
    from consortium_mcp.core.structured.values import Path

MOST_FIELDS = 100
"""Contested fields that one question asks about, the least certain first."""
MOST_DISSENT = 10
"""Contested fields that the dissent names."""


def open_fields(agreed: Agreed) -> tuple[Field, ...]:
    """The contested fields that members and arbiters are asked about."""
    return contested(agreed)[:MOST_FIELDS]


def agreement_of(run: Run, responses: Sequence[Response]) -> Agreed:
    """The object that the members agree on, before any arbiter.

    Their objects come from the first iteration; in later ones they vote on what was contested.

    Args:
        run: the run, with the iterations before.
        responses: of the iteration that is judged, or of the last one.
    """
    schema = read_schema(run.config.json_schema)
    rounds = [iteration.responses for iteration in run.iterations]
    if not rounds or rounds[-1] != tuple(responses):
        rounds.append(tuple(responses))
    weights = weights_of(run)
    ballots = [
        Ballot(response.label, held, weights[response.label])
        for response in rounds[0]
        if response.answered and (held := read_object(response.text or "", schema).votes)
    ]
    agreed = agree(ballots, schema)
    for later in rounds[1:]:
        fields = open_fields(agreed)
        read = {r.label: read_votes(r.text or "", fields) or {} for r in later if r.answered}
        votes: dict[Path, dict[str, Any]] = {}
        for label, given in read.items():
            for path, value in given.items():
                votes.setdefault(path, {})[label] = value
        agreed = revote(agreed, votes, weights, schema)
    return agreed


async def object_verdict(
    run: Run, responses: Sequence[Response], ask: Ask, *, arbitrated: bool
) -> Verdict:
    """The verdict on objects.

    Args:
        run: the run.
        responses: the iteration's responses.
        ask: puts a question to a model.
        arbitrated: whether an arbiter is asked about contested fields.

    Raises:
        BudgetExceeded: the arbiter's call would exceed the run's budget.
    """
    # In a thread: thousands of fields take seconds, and this loop keeps time for others.
    agreed = await anyio.to_thread.run_sync(agreement_of, run, responses, abandon_on_cancel=True)
    arbiter: str | None = None
    notes: tuple[str, ...] = ()
    failed = False
    fields = open_fields(agreed)
    if arbitrated and fields:
        code = verdict_code(run)
        task = ArbiterTask(
            prompt_for_arbiter(run, fields),
            json_schema(code),
            partial(read_decisions, fields=fields, code=code),
        )
        result = await ask_arbiters(run, task, ask)
        notes, arbiter = result.notes, result.arbiter
        failed = result.found is None
        if result.found is not None:
            schema = read_schema(run.config.json_schema)
            agreed = await anyio.to_thread.run_sync(settle, agreed, result.found, schema)
    verdict = _verdict(run, responses, agreed)
    return verdict.model_copy(
        update={"arbiter": arbiter, "warnings": (*verdict.warnings, *notes), "degraded": failed}
    )


def _verdict(run: Run, responses: Sequence[Response], agreed: Agreed) -> Verdict:
    answered = [r.label for r in responses if r.answered]
    confidence = agreed.confidence
    share = weight(run, answered) / weight(run, [r.label for r in responses])
    alone = is_alone(responses)
    sides = [f for f in contested(agreed) if not f.prose][:MOST_DISSENT]
    breaches = tuple(f"{pointer(b.path) or 'the object'}: {b.message}" for b in agreed.breaches)
    supporters = _supporters(agreed)
    return Verdict(
        synthesis=json.dumps(agreed.data, ensure_ascii=False, indent=2),
        confidence=confidence * share if alone else confidence,
        parts=ConfidenceParts(
            agreement=None if alone else _mean_agreement(agreed),
            margin=None,
            mean_stated=None,
            votes=len(answered),
            distinct_answers=_distinct(agreed),
            arbiter_confidence=None,
            method="the mean of the fields' confidences, each from the share of members behind it",
        ),
        supporters=tuple(label for label in answered if label in supporters),
        dissent=tuple(_side(field) for field in sides),
        data=agreed.data,
        fields=tuple(map(_outcome, agreed.fields)),
        breaches=breaches,
        warnings=tuple(f"The object breaks the schema at {each}" for each in breaches),
    )


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
    labels = {label for f in agreed.fields for vote in f.votes for label in vote.labels}
    given = {
        label: tuple(
            next((i for i, vote in enumerate(f.votes) if label in vote.labels), -1)
            for f in agreed.fields
        )
        for label in labels
    }
    return len(set(given.values()))


def _side(field: Field) -> Dissent:
    others = "; ".join(f"{_written(vote)} ({', '.join(vote.labels)})" for vote in field.votes[1:])
    labels = tuple(label for vote in field.votes[1:] for label in vote.labels)
    return Dissent(labels=labels, argument=f"{pointer(field.path)}: {others}")


def _written(vote: FieldVote) -> str:
    text = "nothing" if vote.value is ABSENT else canonical(vote.value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 100


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
    schema: Schema = read_schema(run.config.json_schema)
    if not run.iterations:
        return read_object(text, schema).complaint
    fields = open_fields(agreement_of(run, run.iterations[-1].responses))
    if read_votes(text, fields) is None:
        return 'It has no "fields", a list of {"field": "F1", "choice": "2"}.'
    return None
