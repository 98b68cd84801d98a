"""Tells whether two runs ask the same, so that nothing is paid for twice."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consortium_mcp.core.domain.consortium import ConsortiumConfig
    from consortium_mcp.core.domain.run import Run

_SAYS_NOTHING_OF_THE_ANSWER = {"name", "description", "reuse"}


def fingerprint_of(run: Run, nested: Mapping[str, ConsortiumConfig]) -> str:
    """The same text for runs that ask the same question of the same models in the same way.

    Whatever of a run can change its answer belongs in here; what is random (its labels, its marks)
    does not.

    Args:
        run: a run that has not begun, with the models that were found for it.
        nested: the consortiums that it asks, by name, and those that they ask.

    Returns:
        A SHA-256 hash, in hexadecimal.
    """
    asked = {
        "prompt": run.prompt,
        "history": [turn.model_dump(mode="json") for turn in run.history],
        "attachments": [each.identity for each in run.attachments],
        "config": _asked(run.config),
        "nested": {name: _asked(config) for name, config in nested.items()},
        "calibration": run.calibration and run.calibration.model_dump(mode="json"),
    }
    if run.weights is not None:
        asked["weights"] = run.weights.model_dump(mode="json")
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _asked(config: ConsortiumConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", exclude=_SAYS_NOTHING_OF_THE_ANSWER, exclude_none=True)
