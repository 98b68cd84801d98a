"""What labelled runs have taught: how far to trust a confidence, and whose votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection


class Calibration(Value):
    """Maps a computed confidence to the share of labelled runs that were right."""

    slope: float
    intercept: float
    """The mapped confidence is `sigmoid(slope * logit(confidence) + intercept)`."""
    labelled: int
    """Number of runs it was fitted on."""
    fitted_at: str
    """ISO 8601, UTC."""


class Weights(Value):
    """What the votes of models weigh; 1 is the mean of those they were learned with."""

    of: dict[str, float]
    """By model; all above 0."""
    labelled: int
    """Number of labelled runs they were fitted on."""
    fitted_at: str
    """ISO 8601, UTC."""


class PanelFit(Value):
    """What was learned about one panel, and how sure that is."""

    models: tuple[str, ...]
    """Its models, each once, in the order of their names."""
    labelled: int
    weights: Weights | None
    """`None` where equal weights are as good."""
    calibration: Calibration
    """Of the confidence with these weights, or with equal ones."""
    gain: float
    """By how much the best weights were better than equal ones on questions they had not seen:
    the mean difference in log likelihood, in nats a question."""
    gain_error: float
    """Its standard error."""
    right_before: float | None
    """Share of those questions that a vote of equals got right; `None` where it is not known."""
    right_after: float | None
    """The same with the learned weights."""


class Learned(Value):
    """All of it. The newest is in force."""

    calibration: Calibration | None = None
    """Of panels without one of their own."""
    panels: tuple[PanelFit, ...] = ()
    together: PanelFit | None = None
    """Learned from the runs of all panels, for panels that have too few of their own."""
    labelled: int = 0
    """Labelled runs there were."""
    automatic: bool = False
    """Whether to learn anew when enough new labels have come."""

    def of_panel(self, models: Collection[str]) -> PanelFit | None:
        """What is known about a panel of these models, from its own runs or those of others."""
        names = tuple(sorted(set(models)))
        for panel in self.panels:
            if panel.models == names:
                return panel
        if self.together is None or len({*names} & {*self.together.models}) < _FEWEST_KNOWN:
            return None
        return self.together


_FEWEST_KNOWN = 2
"""Members that must be known from elsewhere: of one alone, nothing is known beside the others."""
