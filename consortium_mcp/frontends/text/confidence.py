"""Explain a confidence in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.verdict import ConfidenceParts
    from consortium_mcp.core.reports.report import RunReport

_BOTH = 2


def confidence_sentence(report: RunReport) -> str:
    """Who supports the synthesis, how sure they are, and what else changed the number."""
    parts = report.confidence_parts
    if report.confidence is None or parts is None:
        return "none could be computed."
    supporters = sum(bool(member.supports) for member in report.members)
    support = _support(report, parts, supporters)
    if parts.mean_stated is not None:
        plural = "their" if supporters > 1 else "its"
        support += f" and put {plural} confidence at {_percent(parts.mean_stated)}"
    elif supporters:
        support += " and stated no confidence"
    sentences = [f"{support}.", *_differences(parts), *_corrections(report, parts)]
    return " ".join(sentences)


def _support(report: RunReport, parts: ConfidenceParts, supporters: int) -> str:
    what = "gave this answer" if report.final_answer else "support this synthesis"
    if parts.grouped_by == "arbiter":
        what = "say this in the arbiter's view"
    if parts.agreement is None:
        what = what.replace("support ", "supports ").replace("say ", "says ")
        return f"only one of {report.asked} members answered, so nobody agrees with it; it {what}"
    if supporters == parts.votes:
        who = {1: "the only member that answered", _BOTH: "both members"}
        return f"{who.get(supporters, f'all {supporters} members')} {what}"
    share = f" ({_percent(parts.agreement)} by weight)" if parts.weighted else ""
    return f"{supporters or 'none'} of {parts.votes} members{share} {what}"


def _differences(parts: ConfidenceParts) -> list[str]:
    sentences = []
    if parts.distinct_answers > 1:
        sentences.append(f"There were {parts.distinct_answers} different answers.")
    if parts.abstentions:
        sentences.append(f"{parts.abstentions} gave no short answer.")
    if few := few_votes(parts):
        sentences.append(f"It is lower as {few}.")
    return sentences


def few_votes(parts: ConfidenceParts) -> str | None:
    """Why the votes are worth less than their number, in words; `None` where they are not."""
    reasons = []
    if parts.repeated:
        verb = "repeats" if parts.repeated == 1 else "repeat"
        reasons.append(f"{parts.repeated} of the votes {verb} a model")
    if parts.unheard:
        verb = "was" if parts.unheard == 1 else "were"
        reasons.append(f"{parts.unheard} {verb} not asked")
    return " and ".join(reasons) or None


def _corrections(report: RunReport, parts: ConfidenceParts) -> list[str]:
    sentences = []
    if parts.arbiter_confidence is not None:
        computed = parts.uncalibrated if parts.calibrated else report.confidence
        counts = ", which is lower and counts" if computed == parts.arbiter_confidence else ""
        sentences.append(f"The arbiter puts it at {_percent(parts.arbiter_confidence)}{counts}.")
    if parts.uncalibrated is not None:
        sentences.append(f"Calibrated on labelled runs, from {parts.uncalibrated:.2f}.")
    return sentences


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
