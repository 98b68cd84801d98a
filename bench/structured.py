"""Agreement of recorded objects: `python -m bench.structured sob_image_dev.jsonl.gz [OTHER …]`.

Prints the table of docs/benchmarks.md for five panels, what the whole's confidence is worth, and
how long 5 members x 5,000 leaves x lists of 500 objects take. `OTHER` are files of what other
programs' own consolidation made of the same answers, which `bench.consolidated` writes: nothing of
them is a dependency.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.object_panels import PANELS
from consortium_mcp.core.evaluation import metrics
from consortium_mcp.core.evaluation.object_replay import ObjectOutcome, measured, outcome
from consortium_mcp.core.evaluation.objects import scores
from consortium_mcp.core.structured.agreeing import Ballot, agree
from consortium_mcp.core.structured.replies import read_object
from consortium_mcp.core.structured.schema import read_schema
from consortium_mcp.frontends.cli.measuring.replay import read_objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.evaluation.objects import ObjectRecording, Scores


def main(data: Path, others: Sequence[Path]) -> None:
    """Print the tables."""
    recordings = read_objects(data)
    for row in of_others(recordings, others):
        print(row)
    print("| panel | best member | agreed | AUROC | ECE | all agree: share, right | others right |")
    print("|---|---|---|---|---|---|---|")
    for name, models in PANELS.items():
        outcomes = [outcome(each, dict.fromkeys(models, 1.0)) for each in recordings]
        singles = [measured([outcome(e, {m: 1.0}) for e in recordings]) for m in models]
        best, ours = max(singles, key=lambda each: each.em), measured(outcomes)
        print(
            f"| {name} | {best.em:.3f} / {best.f1:.3f} | {ours.em:.3f} / {ours.f1:.3f} | "
            f"{ours.auroc:.3f} | {ours.ece:.3f} | {ours.unanimous:.2f}, {ours.unanimous_right:.3f} "
            f"| {ours.contested_right:.3f} |"
        )
        print(f"  {name}: {whole(outcomes)}", file=sys.stderr)
    print(f"5 members x 5,000 leaves x lists of 500: {seconds_of_large():.1f} s of CPU")


def of_others(recordings: Sequence[ObjectRecording], others: Sequence[Path]) -> list[str]:
    """A row for each way in these files: EM / F1 of each panel."""
    gold = {each.id: each.gold for each in recordings}
    found: dict[str, dict[str, list[Scores]]] = defaultdict(lambda: defaultdict(list))
    for file in others:
        for line in file.read_text(encoding="utf-8").splitlines():
            panel, task, way, answer = json.loads(line)
            found[way][panel].append(scores(answer, gold[task]))
    return [
        f"| {way} | "
        + " | ".join(
            f"{fmean(s.em for s in panels[name]):.3f} / {fmean(s.f1 for s in panels[name]):.3f}"
            for name in PANELS
        )
        + " |"
        for way, panels in found.items()
    ]


def whole(outcomes: list[ObjectOutcome]) -> str:
    """What the confidence of the whole says of the share of right leaves."""
    error = fmean(abs(each.confidence - each.scores.em) for each in outcomes)
    perfect = [(each.confidence, each.scores.em == 1) for each in outcomes]
    return (
        f"mean confidence {fmean(each.confidence for each in outcomes):.3f}, mean EM "
        f"{fmean(each.scores.em for each in outcomes):.3f}, mean difference {error:.3f}, "
        f"AUROC for all right {metrics.auroc(perfect):.3f}"
    )


def seconds_of_large() -> float:
    """CPU seconds for reading and agreeing five large objects, of which no two rows are equal."""
    names = [f"f{at}" for at in range(10)]
    row = {"type": "object", "properties": {name: {} for name in names}}
    schema = read_schema(
        {"type": "object", "properties": {"rows": {"type": "array", "items": row}}}
    )
    texts = [json.dumps({"rows": large(seed)}) for seed in range(5)]
    started = time.process_time()
    read = [read_object(text, schema).votes for text in texts]
    agree([Ballot(f"m{at}", each) for at, each in enumerate(read) if each], schema)
    return time.process_time() - started


def large(seed: int) -> list[dict[str, Any]]:
    """About 500 rows of ten fields, a seventh of them unlike the other members'."""
    draw, base = random.Random(seed), random.Random(0)

    def value(at: int, source: random.Random) -> object:
        words = " ".join(f"word{source.randrange(400)}" for _ in range(3))
        return words if at < 4 else source.randrange(500)

    rows = [{f"f{at}": value(at, base) for at in range(10)} for _ in range(500)]
    kept = [row for row in rows if draw.random() > 0.02]
    for row in kept:
        row |= {f"f{at}": value(at, draw) for at in range(10) if draw.random() < 0.15}
    if seed % 2:
        draw.shuffle(kept)
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
