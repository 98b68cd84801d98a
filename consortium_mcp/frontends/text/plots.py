"""Two SVG plots, drawn by hand: a plotting library would be forty times as big as this package."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.evaluation.metrics import Bin

SIZE, MARGIN = 480, 60
_INK, _FAINT, _MARK = "#222", "#bbb", "#1f6fb2"


@dataclass(frozen=True)
class PlotPoint:
    """A point of a plot: a strategy or a single model."""

    name: str
    calls: float
    accuracy: float
    interval: tuple[float, float]
    named: bool = False
    stands_out: bool = False


def reliability_diagram(bins: Sequence[Bin], title: str) -> str:
    """Accuracy over confidence, one dot per bin; the diagonal is perfect calibration."""
    plot = _Plot((0, 1), (0, 1))
    body = [plot.line((0, 0), (1, 1), _FAINT)]
    body += [plot.dot(b.confidence, b.accuracy, f"{b.size} questions") for b in bins]
    return plot.document(title, "confidence", "share right", body)


def accuracy_against_calls(marks: Sequence[PlotPoint], title: str) -> str:
    """Accuracy over calls per question, with 95 % intervals."""
    low = min(mark.interval[0] for mark in marks)
    high = max(mark.interval[1] for mark in marks)
    room = (high - low or 0.1) / 10
    most = max(mark.calls for mark in marks)
    plot = _Plot((0, most * 1.15), (max(0, low - room), min(1, high + room)))
    body = []
    for mark in marks:
        colour = _MARK if mark.stands_out else _INK
        low, high = mark.interval
        body.append(plot.line((mark.calls, low), (mark.calls, high), _FAINT))
        body.append(plot.dot(mark.calls, mark.accuracy, mark.name, colour))
        if mark.named:
            body.append(plot.text(mark.calls, mark.accuracy, mark.name))
    return plot.document(title, "calls a question", "share right", body)


class _Plot:
    """A square with two axes.

    Args:
        x: smallest and largest value of the horizontal axis.
        y: smallest and largest value of the vertical axis.
    """

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._x, self._y = x, y

    def _place(self, x: float, y: float) -> tuple[str, str]:
        inner = SIZE - 2 * MARGIN
        across = MARGIN + inner * (x - self._x[0]) / (self._x[1] - self._x[0])
        down = SIZE - MARGIN - inner * (y - self._y[0]) / (self._y[1] - self._y[0])
        return f"{across:.1f}", f"{down:.1f}"

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
        (x1, y1), (x2, y2) = self._place(*start), self._place(*end)
        return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'

    def dot(self, x: float, y: float, name: str, colour: str = _MARK) -> str:
        across, down = self._place(x, y)
        title = f"<title>{escape(name)}: {x:.3f}, {y:.3f}</title>"
        return f'<circle cx="{across}" cy="{down}" r="4" fill="{colour}">{title}</circle>'

    def text(self, x: float, y: float, words: str) -> str:
        across, down = self._place(x, y)
        return f'<text x="{across}" y="{down}" dx="7" dy="4">{escape(words)}</text>'

    def document(self, title: str, across: str, upwards: str, body: Sequence[str]) -> str:
        middle, low, high = SIZE / 2, SIZE - MARGIN, MARGIN
        ticks = []
        for share in (0, 0.25, 0.5, 0.75, 1):
            x = self._x[0] + share * (self._x[1] - self._x[0])
            y = self._y[0] + share * (self._y[1] - self._y[0])
            left, down = self._place(x, y)
            ticks.append(f'<text x="{left}" y="{low + 18}" text-anchor="middle">{x:.2f}</text>')
            ticks.append(f'<text x="{high - 8}" y="{down}" dy="4" text-anchor="end">{y:.2f}</text>')
        axes = f"M{high} {high}V{low}H{low}"
        turned = f'transform="rotate(-90 14 {middle})"'
        font = 'font-family="sans-serif" font-size="12"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" {font}>',
                '<rect width="100%" height="100%" fill="white"/>',
                f'<text x="{middle}" y="28" text-anchor="middle">{escape(title)}</text>',
                f'<path d="{axes}" fill="none" stroke="{_INK}"/>',
                f'<text x="{middle}" y="{SIZE - 14}" text-anchor="middle">{across}</text>',
                f'<text x="14" y="{middle}" text-anchor="middle" {turned}>{upwards}</text>',
                *ticks,
                *body,
                "</svg>\n",
            )
        )
