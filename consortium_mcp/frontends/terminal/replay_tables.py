"""The figures of a replay as tables, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.evaluation.object_replay import object_remarks, object_ways
from consortium_mcp.core.evaluation.replay import Summary, remarks, ways, what_was_asked
from consortium_mcp.frontends.terminal.columns import Cell, Column

if TYPE_CHECKING:
    from consortium_mcp.core.evaluation.object_replay import ObjectMeasures, ObjectSummary
    from consortium_mcp.core.evaluation.replay import Measures
    from consortium_mcp.frontends.terminal.columns import Row
    from consortium_mcp.frontends.terminal.screen import Screen


def show_summary(screen: Screen, summary: Summary | ObjectSummary) -> None:
    """Draw the figures."""
    if isinstance(summary, Summary):
        titles = ["accuracy", "95 %", "calls", "ECE", "Brier", "AUROC", "acc@80", "cov@95"]
        asked, lines = what_was_asked(summary), remarks(summary)
        rows = [_row(name, each) for name, each in ways(summary).items()]
    else:
        titles = ["EM", "F1", f"95 % of {summary.metric.upper()}", "AUROC", "ECE", "valid"]
        asked = f"{summary.questions} objects; {', '.join(summary.panel)}"
        lines = object_remarks(summary)
        rows = [_object_row(name, each) for name, each in object_ways(summary).items()]
    spare = {"ECE", "Brier", "acc@80", "cov@95"}
    numbers = [Column(title, right=True, spare=title in spare) for title in titles]
    screen.line(asked)
    screen.line()
    screen.table([Column("", folds=True), *numbers], _first_stands_out(rows))
    screen.line()
    for line in lines:
        screen.line(line, "dim")


def _first_stands_out(rows: list[tuple[str, ...]]) -> list[Row]:
    return [
        tuple(Cell(each, "bold" if n == 0 else "") for each in row) for n, row in enumerate(rows)
    ]


def _row(name: str, m: Measures) -> tuple[str, ...]:
    low, high = m.accuracy_interval
    return (
        name,
        f"{m.accuracy:.1%}",
        f"{low:.1%}–{high:.1%}",
        f"{m.calls:.2f}",
        f"{m.ece:.3f}",
        f"{m.brier:.3f}",
        "–" if m.auroc is None else f"{m.auroc:.3f}",
        f"{m.accuracy_at_80_coverage:.1%}",
        f"{m.coverage_at_95_accuracy:.1%}",
    )


def _object_row(name: str, m: ObjectMeasures) -> tuple[str, ...]:
    low, high = m.interval
    return (
        name,
        f"{m.em:.1%}",
        f"{m.f1:.1%}",
        f"{low:.1%}–{high:.1%}",
        "–" if m.auroc is None else f"{m.auroc:.3f}",
        f"{m.ece:.3f}",
        f"{m.valid:.1%}",
    )
