"""A confidence as an equation of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.text.confidence import few_votes

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import RunReport

_ROUNDING = 1e-6


def equation_of(report: RunReport) -> str | None:
    """`48 % = 60 % agreement (3 of 5) × 80 % stated`; `None` where there is no confidence.

    Where the product of the parts is not the confidence, the text says what changed it.
    """
    parts = report.confidence_parts
    if report.confidence is None or parts is None:
        return None
    supporters = sum(bool(member.supports) for member in report.members)
    if parts.agreement is None:
        factor, factors = None, [f"one answer of {report.asked} asked"]
    elif report.fields:
        factor = parts.agreement
        factors = [f"{_percent(factor)} agreement over {len(report.fields)} fields"]
    else:
        factor = parts.agreement
        weighted = "by weight, " if parts.weighted else ""
        factors = [f"{_percent(factor)} agreement ({weighted}{supporters} of {parts.votes})"]
    if parts.mean_stated is not None:
        factors.append(f"{_percent(parts.mean_stated)} stated")
    product = None if factor is None else factor * (parts.mean_stated or 1.0)
    computed = report.confidence if parts.uncalibrated is None else parts.uncalibrated
    few = few_votes(parts)
    if few and product and computed < product - _ROUNDING and computed != parts.arbiter_confidence:
        factors.append(f"{_percent(computed / product)} as {few}")
        product = computed
    text = " × ".join(factors)
    lowered = product is not None and computed < product - _ROUNDING
    if lowered and computed == parts.arbiter_confidence:
        text = f"the arbiter's own {_percent(computed)}, which is lower than {text}"
    elif product is not None and abs(computed - product) > _ROUNDING:
        text = f"{_percent(computed)} from {text}"
    if parts.uncalibrated is not None:
        calibrated = f"{_percent(report.confidence)} calibrated"
        return f"{calibrated} ← {_percent(computed)} = {text}".replace(
            f"= {_percent(computed)} from ", "from "
        )
    return f"{_percent(report.confidence)} = {text}".replace(
        f"= {_percent(computed)} from ", "from "
    )


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
