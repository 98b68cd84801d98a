"""From a configuration of llm-consortium to one of ours.

Its forms are those of llm-consortium 0.3 to 0.8 as published: `models` is a list of ids or a
mapping of ids to counts, and some fields were called something else before.
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
"""Its strategies -> ours. Its default always has the arbiter write."""
_UNUSED = {
    "strategy_params": "the parameters of its strategy",
    "embedding_backend": "embeddings, which cannot tell 41 from 42,",
    "manual_context": "manual context",
}


def settings_from(original: Mapping[str, Any]) -> tuple[ConsortiumSettings, list[str]]:
    """What a saved configuration of llm-consortium asks for, in our terms.

    Args:
        original: the configuration as it stands in its database.

    Returns:
        What is wanted, and in words what has no counterpart here.

    Raises:
        ConfigError: it is no such configuration.
    """
    strategy, notes = _strategy(original)
    notes += [
        f"{what} of llm-consortium has no counterpart here and was left out"
        for name, what in _UNUSED.items()
        if original.get(name)
    ]
    threshold = _typed(original, "confidence_threshold", (int, float))
    if threshold is not None and threshold > 1:  # it took percentages as well
        threshold /= 100
    least = "minimum_iterations" if "minimum_iterations" in original else "min_iterations"
    return ConsortiumSettings(
        models=_members(original.get("models")),
        arbiter=_typed(original, "arbiter", str) or None,
        strategy=strategy,
        system=_typed(original, "system_prompt", str) or None,
        confidence_threshold=threshold,
        max_iterations=_typed(original, "max_iterations", int),
        min_iterations=_typed(original, least, int),
    ), notes


def _members(models: object) -> list[str]:
    if isinstance(models, Mapping):
        return [f"{model}:{count}" for model, count in models.items()]
    if isinstance(models, list):
        return [str(model) for model in models]
    raise ConfigError("it has no `models`")


def _strategy(original: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Our strategy for its own, and what is to be said of that."""
    strategy = str(original.get("strategy") or "default").lower()
    judging = str(original.get("judging_method") or "default").lower()
    if strategy == "default" and judging in {"rank", "pick-one"}:
        return "rank", []
    if strategy == "semantic":
        note = "its strategy `semantic` became `auto`: answers are compared as values here"
        return "auto", [note]
    return STRATEGIES.get(strategy, strategy), []


def _typed(original: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 (of that kind, or `None`)
    value = original.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
        raise ConfigError(f"its `{name}` is {value!r}")
    return value
