"""Say what labelled runs have taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.learned import Learned, PanelFit


def learned_text(learned: Learned) -> str:
    """One paragraph for each panel, and one for what they have in common."""
    told = [_panel(panel) for panel in learned.panels]
    together = learned.together
    if together is not None and together not in learned.panels:
        told.append(
            f"All {together.labelled} labelled runs together: {_weights(together)}. New panels of "
            "these models begin with that."
        )
    return "\n".join(told)


def _panel(panel: PanelFit) -> str:
    found = (
        f"{', '.join(panel.models)} ({panel.labelled} labelled runs): "
        f"{_judged(panel)}, on questions that the weights had not seen"
    )
    if panel.weights is None:
        return f"{found}. That is no more than chance would give: their votes stay equal."
    return f"{found}. From now on {_weights(panel)}."


def _judged(panel: PanelFit) -> str:
    gain = f"{panel.gain:+.4f} ± {panel.gain_error:.4f} nats a question"
    if panel.right_before is None or panel.right_after is None:
        return f"weights were worth {gain} beside equal votes"
    return (
        f"weighted votes were right in {panel.right_after:.1%}, equal ones in "
        f"{panel.right_before:.1%}, and the right answers were likelier by {gain}"
    )


def _weights(panel: PanelFit) -> str:
    of = panel.weights.of if panel.weights else {}
    ordered = sorted(of.items(), key=lambda each: -each[1])
    return "votes weigh " + ", ".join(f"{model} {weight:.2f}" for model, weight in ordered)
