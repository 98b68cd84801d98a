"""Converts configurations and runs of llm-consortium to ours.

It reads the formats of the published llm-consortium 0.3 to 0.8: `models` is a list of ids or a
mapping of ids to counts, and some fields had other names earlier.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.consortium import MAX_ITERATIONS, ConsortiumConfig, Member
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.panel.labels import label
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.records.run_record import IterationRecord, RunRecord
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IMPORTED = "Imported from llm-consortium. Its confidence is its arbiter's own word."
"""The mark of an imported run, first among its warnings."""

STRATEGIES = {
    "default": "synthesis",
    "voting": "vote",
    "elimination": "elimination",
    "role": "roles",
    "semantic": "auto",
}
"""Its strategies -> ours. In its default strategy the arbiter always writes the answer."""
_UNUSED = {
    "strategy_params": "the parameters of its strategy",
    "embedding_backend": "embeddings, which cannot tell 41 from 42,",
    "manual_context": "manual context",
}


def settings_from(original: Mapping[str, Any]) -> tuple[ConsortiumSettings, list[str]]:
    """Convert a saved configuration of llm-consortium.

    Args:
        original: the configuration, as stored in its database.

    Returns:
        The settings, and notes on what changed or has no counterpart here.

    Raises:
        ConfigError: it is not such a configuration.
    """
    strategy, notes = _strategy(original)
    notes += [
        f"{what} of llm-consortium has no counterpart here and was left out"
        for name, what in _UNUSED.items()
        if original.get(name)
    ]
    threshold = _typed(original, "confidence_threshold", (int, float))
    if threshold is not None and threshold > 1:  # it also accepted percentages
        threshold /= 100
    min_field = "minimum_iterations" if "minimum_iterations" in original else "min_iterations"
    most = _typed(original, "max_iterations", int)
    least = _typed(original, min_field, int)
    if most is not None and most > MAX_ITERATIONS:
        notes.append(f"its `max_iterations` of {most} became {MAX_ITERATIONS}, the most here")
        most = MAX_ITERATIONS
    if least is not None and least > (most or least):
        notes.append(f"its `{min_field}` of {least} became {most}, its `max_iterations`")
        least = most
    return ConsortiumSettings(
        models=_members(original.get("models")),
        arbiter=_typed(original, "arbiter", str) or None,
        strategy=strategy,
        system=_typed(original, "system_prompt", str) or None,
        confidence_threshold=threshold,
        max_iterations=most,
        min_iterations=least,
    ), notes


def run_from(original: Mapping[str, Any]) -> RunRecord:
    """Convert a recorded run of llm-consortium.

    Its confidence is the arbiter's own word and stays that (`arbiter_confidence`): agreement was
    not measured, so there is no `confidence`.

    Args:
        original: `run`, a row of its table of runs; `members`, the calls with what llm logged of
            them; `decisions`, its arbiter's.

    Raises:
        ConfigError: no call of it is recorded, or its values are not what they should be.
    """
    row, calls = original["run"], original["members"]
    labels = _labels(calls)
    config = _config_of_run(row, calls, labels)
    created_at = _utc(row["created_at"])
    run = Run(
        run_id=str(row["id"]),
        prompt=row.get("user_prompt") or "",
        config=config,
        members=config.members,
        seed="llm-consortium",
        warnings=(IMPORTED,),
    )
    exchanges = tuple(_exchange(call, labels, created_at) for call in calls)
    iterations = tuple(
        IterationRecord.heard(number, _responses(exchanges, number))
        for number in sorted({each.iteration for each in exchanges})
    )
    usage = Usage(
        calls=len(calls),
        input_tokens=_sum(each.input_tokens for each in exchanges),
        output_tokens=_sum(each.output_tokens for each in exchanges),
        seconds=None,
    )
    last = run.model_copy(update={"unjudged": iterations[-1].responses})
    report = report_of(last, usage, created_at).model_copy(update=_outcome(original))
    return RunRecord(
        report=report.model_copy(update={"iterations": len(iterations), "next_step": None}),
        config=config,
        members=config.members,
        seed=run.seed,
        warnings=run.warnings,
        iterations=iterations,
        exchanges=exchanges,
    )


def _labels(calls: Sequence[Mapping[str, Any]]) -> dict[tuple[str, Any], str]:
    """Each member's model and number within the run -> its label here."""
    panel = [call for call in calls if call["role"] != "arbiter"]
    if not panel:
        raise ConfigError("no answer of it is recorded")
    places = dict.fromkeys((str(call["role"]), call["member_index"]) for call in panel)
    return {place: label(number) for number, place in enumerate(places)}


def _config_of_run(
    row: Mapping[str, Any],
    calls: Sequence[Mapping[str, Any]],
    labels: Mapping[tuple[str, Any], str],
) -> ConsortiumConfig:
    judges = [str(call.get("model")) for call in calls if call["role"] == "arbiter"]
    return ConsortiumConfig(
        name=row.get("config_name") or None,
        members=tuple(Member(label=name, model=place[0]) for place, name in labels.items()),
        arbiter=judges[0] if judges else "arbiter",
        strategy=_strategy(row)[0],
        max_iterations=min(max(1, row.get("max_iterations") or 1), MAX_ITERATIONS),
    )


def _outcome(original: Mapping[str, Any]) -> dict[str, Any]:
    """What the report says of how the run ended."""
    said = {call["response_id"]: call.get("response") for call in original["members"]}
    for decision in reversed(original["decisions"]):
        synthesis = decision.get("synthesis") or said.get(decision.get("chosen_response_id"))
        if synthesis:
            break
    else:
        status = original["run"].get("status")
        error = f"llm-consortium recorded no synthesis of it (status: {status})."
        return {"status": "failed", "error": error}
    stated = decision.get("confidence")
    wanted = json.loads(decision.get("refinement_areas") or "[]")
    refinements = [str(each).removeprefix("- ") for each in wanted]
    return {
        "status": "completed",
        "synthesis": synthesis,
        "arbiter_confidence": stated if stated is not None and 0 <= stated <= 1 else None,
        "refinements": [each for each in refinements if each.strip(". ").lower() != "none"],
    }


def _exchange(
    call: Mapping[str, Any], labels: Mapping[tuple[str, int], str], created_at: str
) -> Exchange:
    arbiter = call["role"] == "arbiter"
    milliseconds, reply = call.get("duration_ms"), call.get("response")
    return Exchange(
        iteration=call["iteration"],
        role="arbiter" if arbiter else "member",
        label="arbiter" if arbiter else labels[str(call["role"]), call["member_index"]],
        attempt=1,
        model=str(call.get("model") or call["role"]),
        system=call.get("system"),
        prompt=call.get("prompt") or "",
        reply=reply,
        error="llm did not log this answer." if reply is None else None,
        seconds=None if milliseconds is None else milliseconds / 1000,
        input_tokens=call.get("input_tokens"),
        output_tokens=call.get("output_tokens"),
        created_at=_utc(call.get("datetime_utc") or created_at),
    )


def _responses(exchanges: Iterable[Exchange], iteration: int) -> tuple[Response, ...]:
    return tuple(
        Response(
            label=each.label,
            model=each.model,
            status="failed" if each.reply is None else "answered",
            text=each.reply,
            error=each.error,
            seconds=each.seconds,
            input_tokens=each.input_tokens,
            output_tokens=each.output_tokens,
        )
        for each in exchanges
        if each.role == "member" and each.iteration == iteration
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _utc(written: object) -> str:
    """A time as our reports write it; llm-consortium writes UTC without saying so."""
    try:
        time = datetime.fromisoformat(str(written))
    except ValueError as error:
        raise ConfigError(f"{written!r} is no time") from error
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat(timespec="milliseconds")


def _members(models: object) -> list[str]:
    if isinstance(models, Mapping):
        return [f"{model}:{count}" for model, count in models.items()]
    if isinstance(models, list):
        return [str(model) for model in models]
    raise ConfigError("it has no `models`")


def _strategy(original: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Our strategy for its own, and notes on the difference."""
    strategy = str(original.get("strategy") or "default").lower()
    judging = str(original.get("judging_method") or "default").lower()
    if strategy == "default" and judging in {"rank", "pick-one"}:
        return "rank", []
    if strategy == "semantic":
        note = "its strategy `semantic` became `auto`: answers are compared as values here"
        return "auto", [note]
    return STRATEGIES.get(strategy, strategy), []


def _typed(original: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 (that kind, or `None`)
    value = original.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        raise ConfigError(f"its `{name}` is {value!r}")
    return value
