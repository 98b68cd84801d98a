"""Which of several open answers to show where nobody judges them: the most central one?

    python -m bench.central

On 317 recorded tasks with a score for each answer. The judge who gave the scores likes length, so
a rule that only picks long answers gains by that alone: `same lengths` is what a choice of equally
long answers would score, that is, of answers of the same rank by length, as often as the rule
chooses that rank.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter, defaultdict
from statistics import fmean
from typing import TYPE_CHECKING

from bench.consensus import RECORDED
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.panel.labels import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Answers = Mapping[str, tuple[float, str]]

O3 = ("Qwen1.5-72B-Chat-greedy", "gpt-3.5-turbo-0125", "reka-core-20240501")
PANELS = {
    "O3": O3,
    "O5": (
        "gpt-3.5-turbo-0125",
        "Phi-3-mini-128k-instruct",
        "reka-edge",
        "gemma-7b-it",
        "gemma-2b-it",
    ),
    "O6": (*O3, "reka-flash-20240226", "Phi-3-mini-128k-instruct", "reka-edge"),
}


def _chosen(panel: Sequence[str], answers: Answers) -> str:
    """The model whose answer a vote lets stand."""
    members = tuple(Member(label=label(n), model=model) for n, model in enumerate(panel))
    config = ConsortiumConfig(members=members, arbiter=panel[0], strategy="vote")
    run = Run(run_id="x", prompt="?", config=config, members=members, seed="x")
    responses = [
        Response(label=m.label, model=m.model, status="answered", text=answers[m.model][1])
        for m in members
    ]
    [winner] = plurality(run, responses).supporters
    return next(member.model for member in members if member.label == winner)


def _row(name: str, panel: Sequence[str], tasks: Sequence[Answers]) -> str:
    ranks: Counter[int] = Counter()
    by_rank: defaultdict[int, float] = defaultdict(float)
    scores = []
    for answers in tasks:
        chosen = _chosen(panel, answers)
        by_length = sorted(panel, key=lambda model: len(answers[model][1]))
        ranks[by_length.index(chosen)] += 1
        for rank, model in enumerate(by_length):
            by_rank[rank] += answers[model][0]
        scores.append(answers[chosen][0])
    count, last = len(tasks), len(panel) - 1
    same_lengths = sum(ranks[rank] * by_rank[rank] for rank in ranks) / count**2
    members = {model: fmean(answers[model][0] for answers in tasks) for model in panel}
    return (
        f"| {name} | **{fmean(scores):.2f}** | {fmean(members.values()):.2f} "
        f"| {max(members.values()):.2f} | {same_lengths:.2f} | {by_rank[last] / count:.2f} "
        f"| {ranks[last] / count:.0%} | {1 / len(panel):.0%} |"
    )


def main() -> None:
    """Print the table, in Markdown."""
    file = RECORDED / "open_ended_dev.jsonl.gz"
    if not file.exists():
        sys.exit(f"No recordings at {RECORDED}.")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        tasks = [json.loads(line)["answers"] for line in lines]
    print(
        "| panel | most central | mean member | best member | same lengths | longest | chose the "
        "longest | by chance |\n|---|---|---|---|---|---|---|---|"
    )
    for name, panel in PANELS.items():
        print(_row(name, panel, tasks), flush=True)


if __name__ == "__main__":
    main()
