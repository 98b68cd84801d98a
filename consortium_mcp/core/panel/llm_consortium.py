"""Converts a configuration of llm-consortium to ours.

It reads the formats of the published llm-consortium 0.3 to 0.8: `models` is a list of ids or a
mapping of ids to counts, and some fields had other names earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.request import ConsortiumSettings

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
    return ConsortiumSettings(
        models=_members(original.get("models")),
        arbiter=_typed(original, "arbiter", str) or None,
        strategy=strategy,
        system=_typed(original, "system_prompt", str) or None,
        confidence_threshold=threshold,
        max_iterations=_typed(original, "max_iterations", int),
        min_iterations=_typed(original, min_field, int),
    ), notes


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
