"""Who agrees with whom: the groups that the votes were counted in, as the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import (
    group_by_answer,
    mean_stated,
    opposing_groups,
)
from consortium_mcp.core.judging.dissent import excerpt
from consortium_mcp.frontends.page.model import PageGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict
    from consortium_mcp.core.reports.report import MemberReport
    from consortium_mcp.frontends.page.model import GroupKind


def groups_of(run: Run, responses: Sequence[Response], verdict: Verdict | None) -> list[PageGroup]:
    """The groups of the members that answered: disagreement first, abstentions last.

    Args:
        run: the run.
        responses: of one iteration.
        verdict: its verdict, whose groups count; `None` where there is none yet.
    """
    answered = [response for response in responses if response.answered]
    if verdict is None:
        found = group_by_answer(run, answered)
        return _sorted([_group(run, answered, labels, "answered") for labels in found])
    groups = verdict.groups or group_by_answer(run, answered)
    supporting = tuple(r.label for r in answered if r.label in verdict.supporters)
    opposing = opposing_groups(answered, verdict.supporters, groups)
    by_label = {r.label: r for r in answered}
    shown = [_group(run, answered, supporting, "agrees")] if supporting else []
    counted = any(r.final_answer is not None for r in answered)
    silent: list[str] = []
    for labels in opposing:
        here = tuple(name for name in labels if name in by_label)
        argued = next((d for d in verdict.dissent if set(d.labels) & set(here)), None)
        speaker = by_label[here[0]] if here else None
        said = argued is not None and speaker and argued.argument != excerpt(speaker.text or "")
        if counted and not said and all(by_label[name].final_answer is None for name in here):
            silent += here
        elif here:
            group = _group(run, answered, here, "disagrees")
            if argued is not None:
                group.argument = argued.argument
                group.final_answer = group.final_answer or argued.final_answer
            shown.append(group)
    if silent:
        shown.append(PageGroup(kind="abstains", labels=silent))
    return _sorted(shown)


def without_answer(members: Sequence[MemberReport]) -> list[PageGroup]:
    """The groups of the members that gave no answer, by their reason."""
    kinds: dict[str, GroupKind] = {
        "failed": "failed", "cut": "failed", "waiting": "waiting", "spared": "spared",
    }  # fmt: skip
    found: dict[GroupKind, list[str]] = {}
    for member in members:
        if kind := kinds.get(member.status):
            found.setdefault(kind, []).append(member.label)
    return [PageGroup(kind=kind, labels=found[kind]) for kind in _ORDER if kind in found]


_ORDER: tuple[GroupKind, ...] = (
    "disagrees", "agrees", "answered", "abstains", "failed", "waiting", "spared",
)  # fmt: skip


def _sorted(groups: list[PageGroup]) -> list[PageGroup]:
    """By kind; of one kind, the largest first."""
    return sorted(groups, key=lambda group: (_ORDER.index(group.kind), -len(group.labels)))


def _group(
    run: Run, answered: Sequence[Response], labels: Sequence[str], kind: GroupKind
) -> PageGroup:
    answers = [r.final_answer for r in answered if r.label in labels and r.final_answer is not None]
    return PageGroup(
        kind=kind,
        labels=list(labels),
        final_answer=answers[0] if answers else None,
        stated_confidence=mean_stated(run, answered, labels),
    )
