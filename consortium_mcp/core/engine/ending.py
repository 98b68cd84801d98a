"""Ends a run: completed, degraded, or failed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from consortium_mcp.core.panel.known_models import reason_to_favour
from consortium_mcp.core.panel.showing import judging_blind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from consortium_mcp.core.domain.run import Run, StopReason
    from consortium_mcp.core.domain.verdict import Response

K = TypeVar("K", bound="Hashable")


def ended_without_answers(run: Run, responses: Sequence[Response], *, late: bool) -> Run:
    """The ended run where no member answered: it failed, unless it has an earlier verdict."""
    reasons = "; ".join(_reasons(responses)) or "nobody is left to ask"
    run = run.model_copy(update={"unjudged": tuple(responses)})
    reason: StopReason = "deadline" if late else "members_failed"
    if any(r.error_kind == "budget" for r in responses):
        reason = "budget"
    if run.iterations:
        warning = f"Iteration {len(run.iterations) + 1} got no answer ({reasons})."
        return ended(run.model_copy(update={"warnings": (*run.warnings, warning)}), reason)
    return run.model_copy(
        update={
            "status": "failed",
            "stop_reason": reason,
            "error": f"No member answered. {reasons}",
        }
    )


def ended(run: Run, reason: StopReason) -> Run:
    """The ended run, with a warning for everything that went wrong."""
    warnings = [*run.warnings]
    if len(run.iterations) < run.config.min_iterations:
        warnings.append(
            f"Only {len(run.iterations)} of at least {run.config.min_iterations} iterations were "
            f"made ({reason})."
        )
    warnings += [warning for it in run.iterations for warning in it.verdict.warnings]
    warnings += _of_arbiters(run)
    warnings += _of_members(run)
    best = run.best
    if best is not None and best.verdict.parts.agreement is None:
        warnings.append(
            f"One of {len(best.responses)} members answered in iteration {best.number}: its answer "
            "stands alone, and no agreement supports it."
        )
    return run.model_copy(
        update={
            "status": "degraded" if _fell_short(run, reason) else "completed",
            "stop_reason": reason,
            "warnings": tuple(dict.fromkeys(warnings)),
        }
    )


def _of_arbiters(run: Run) -> list[str]:
    """What makes the word of an arbiter that judged weigh less."""
    judged = dict.fromkeys(it.verdict.arbiter for it in run.iterations)
    responses = [r for it in run.iterations for r in it.responses]
    models = {r.model for r in responses if r.nested_run_id is None}
    arbiters = [arbiter for arbiter in judged if arbiter is not None]
    found = [reason_to_favour(arbiter, models) for arbiter in arbiters]
    found += [judging_blind(arbiter, run.attachments) for arbiter in arbiters]
    return [warning for warning in found if warning is not None]


def _of_members(run: Run) -> list[str]:
    """What went wrong with members: one warning for all to whom the same happened."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for iteration in run.iterations:
        remarks = [
            ((" did not answer", str(r.error)), r) for r in iteration.responses if not r.answered
        ]
        remarks += [(("", warning), r) for r in iteration.responses for warning in r.warnings]
        for (what, remark), who in _by_remark(remarks).items():
            told.setdefault((who, what, remark), []).append(str(iteration.number))
    return [
        f"{who}{what} in iteration{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}: {remark}"
        for (who, what, remark), numbers in told.items()
    ]


def _reasons(responses: Sequence[Response]) -> list[str]:
    """Why nobody answered, each reason once."""
    models: dict[str, list[str]] = {}
    for r in responses:
        models.setdefault(str(r.error), []).append(r.model)
    counts = {why: Counter(found).items() for why, found in models.items()}
    return [
        f"{', '.join(model if n == 1 else f'{model} ({n} times)' for model, n in found)}: {why}"
        for why, found in counts.items()
    ]


def _by_remark(remarks: Iterable[tuple[K, Response]]) -> dict[K, str]:
    """Each remark once, with the members that it is about: `gpt-4o (A, B), o3 (C)`."""
    labels: dict[K, dict[str, list[str]]] = {}
    for remark, response in remarks:
        of_model = labels.setdefault(remark, {}).setdefault(response.model, [])
        of_model += [response.label] if response.label not in of_model else []
    return {
        remark: ", ".join(
            f"{model} ({', '.join(sorted(names, key=lambda name: (len(name), name)))})"
            for model, names in by_model.items()
        )
        for remark, by_model in labels.items()
    }


def _fell_short(run: Run, reason: StopReason) -> bool:
    """Whether the run did less than its configuration asked for."""
    unanswered = any(not r.answered for it in run.iterations for r in it.responses)
    best = run.best
    return (
        unanswered
        or len(run.iterations) < run.config.min_iterations
        or reason in {"deadline", "quorum", "members_failed", "arbiter_failed"}
        or (best is not None and (best.verdict.degraded or bool(best.verdict.breaches)))
        or any(it.verdict.review and it.verdict.review.missing for it in run.iterations)
    )
