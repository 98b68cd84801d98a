"""What labels bring: the second table of docs/benchmarks.md, by five-fold cross-validation.

    python -m bench.learning [--draws 2] [--sampling] [PANEL…]

Each question is answered by a vote through the product's own engine, with what was learned from
labels of other questions: of the four fifths it is not in, as many are drawn as the row says. Rows
are means over the draws.
"""

from __future__ import annotations

import argparse
import random
import sys
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import anyio

from bench.consensus import M7, RECORDED, S6, X5
from consortium_mcp.core.confidence import calibration
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.learned import Learned
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.replay import consult
from consortium_mcp.core.learning.learn import learn
from consortium_mcp.core.learning.lessons import lesson_of
from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.frontends.cli.measuring.replay import ReplayOptions, configuration, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.evaluation.recordings import Recording
    from consortium_mcp.core.evaluation.replay import Outcome

FOLDS = 5
LABELS = (50, 100, 200, 500)
SAMPLED = 200
W8 = (
    "gpt-4.1",
    "gemini-2.0-flash",
    "gpt-4o-2024-08-06",
    "gemma-3-27b-it",
    "gpt-4o-mini-2024-07-18",
    "claude-3-5-haiku-20241022",
    "Qwen2.5-7B-Instruct",
    "gemma-2-9b-it",
)
PANELS = {
    "S6": S6,
    "M7": M7,
    "X5": X5,
    "R7": (*S6, "deepseek-reasoner"),
    "W8": W8,
    "A13": (
        *S6,
        "deepseek-reasoner",
        "o4-mini-2025-04-16",
        "o3-mini-2025-01-31",
        "gpt-4.1-mini",
        "gpt-4o-2024-08-06",
        "Qwen2.5-32B-Instruct",
        "gemma-3-27b-it",
    ),
}


class Drawn(NamedTuple):
    """The figures of one draw of labels."""

    accuracy: float
    ece: float
    auroc: float
    kept: float
    """In how many of the folds weights were kept, as a share."""


def _learned(labelled: Sequence[tuple[Recording, Outcome]]) -> Learned:
    ratings = [(o, Rating(answer=r.gold, at="")) for r, o in labelled]
    lessons = [lesson for o, rating in ratings if (lesson := lesson_of(o.run, rating))]
    points = [(o.confidence, o.right) for _, o in labelled]
    try:
        return learn(lessons, points, len(labelled), "")
    except ConfigError:  # too few for a calibration
        return Learned()


async def _sampled(
    panel: Sequence[str], asked: Sequence[tuple[Recording, Outcome]], sampling: str
) -> tuple[float, float, float]:
    """Accuracy, calls and ECE with the weights of `SAMPLED` labels, by cross-validation."""
    config = configuration(ReplayOptions(panel, sampling=sampling))
    draw = random.Random(0)
    order = draw.sample(range(len(asked)), len(asked))
    found = []
    for fold in range(FOLDS):
        others = [asked[place] for n, place in enumerate(order) if n % FOLDS != fold]
        learned = _learned(draw.sample(others, SAMPLED))
        found += [
            await consult(asked[place][0], config, learned=learned) for place in order[fold::FOLDS]
        ]
    points = [(o.confidence, o.right) for o in found]
    calls = fmean(o.calls for o in found)
    return metrics.accuracy(points), calls, metrics.calibration_error(points)


async def _print_sampling(names: Sequence[str], recordings: Sequence[Recording]) -> None:
    for name in names:
        config = configuration(ReplayOptions(PANELS[name]))
        asked = [(each, await consult(each, config)) for each in recordings]
        for sampling in ("full", "adaptive", "thrifty", "smart"):
            right, calls, ece = await _sampled(PANELS[name], asked, sampling)
            print(
                f"| {name} | `{sampling}` | **{right:.1%}** | {calls:.2f} | {ece:.3f} |", flush=True
            )


async def _draw(
    panel: Sequence[str], asked: Sequence[tuple[Recording, Outcome]], labels: int, seed: int
) -> Drawn:
    config = configuration(ReplayOptions(panel))
    draw = random.Random(seed)
    order = draw.sample(range(len(asked)), len(asked))
    points: list[metrics.Point] = []
    kept = 0
    for fold in range(FOLDS):
        others = [asked[place] for n, place in enumerate(order) if n % FOLDS != fold]
        learned = _learned(draw.sample(others, labels))
        kept += any(each.weights for each in learned.panels)
        for place in order[fold::FOLDS]:
            outcome = await consult(asked[place][0], config, learned=learned)
            points.append((outcome.confidence, outcome.right))
    return _figures(points, kept / FOLDS)


def _figures(points: Sequence[metrics.Point], kept: float) -> Drawn:
    auroc = metrics.auroc(points) or 0.0
    return Drawn(metrics.accuracy(points), metrics.calibration_error(points), auroc, kept)


def _row(name: str, labels: int, drawn: Sequence[Drawn], base: Drawn) -> str:
    right, ece, auroc, kept = (fmean(column) for column in zip(*drawn, strict=True))
    return (
        f"| {name} | {labels} | **{right:.1%}** ({right - base.accuracy:+.1%}) | {ece:.3f} | "
        f"{auroc:.3f} | {kept:.0%} |"
    )


async def _print(names: Sequence[str], recordings: Sequence[Recording], draws: int) -> None:
    for name in names:
        config = configuration(ReplayOptions(PANELS[name]))
        asked = [(each, await consult(each, config)) for each in recordings]
        base = _figures([(o.confidence, o.right) for _, o in asked], 0.0)
        print(_row(name, 0, [base], base), flush=True)
        for labels in LABELS:
            drawn = [await _draw(PANELS[name], asked, labels, seed) for seed in range(draws)]
            print(_row(name, labels, drawn, base), flush=True)


def main() -> None:
    """Print the table, in Markdown."""
    options = argparse.ArgumentParser()
    options.add_argument("panels", nargs="*", default=[*PANELS])
    options.add_argument("--draws", type=int, default=2)
    options.add_argument("--sampling", action="store_true", help="the table of `sampling` instead")
    given = options.parse_args()
    if not RECORDED.exists():
        sys.exit(f"No recordings at {RECORDED}.")
    recordings = read(RECORDED / "mmlu_pro_dev.jsonl.gz")
    if given.sampling:
        print("| panel | `sampling` | right | calls | ECE |\n|---|---|---|---|---|")
        anyio.run(_print_sampling, given.panels, recordings)
        return
    print("| panel | labels | right | ECE | AUROC | weights kept |\n|---|---|---|---|---|---|")
    anyio.run(_print, given.panels, recordings, given.draws)
    print(f"\nA calibration without weights needs {calibration.LEAST_LABELLED} labels.")


if __name__ == "__main__":
    main()
