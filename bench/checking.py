"""The simulation of docs/strategies.md: `verify` on recorded answers, with simulated checkers.

    python -m bench.checking

The answers are real, the checks are not: a simulated checker is right about each answer, right or
wrong, with a given probability, independently of everything. Real checkers make the mistakes of
those they check, so they need a higher accuracy than this says.
"""

from __future__ import annotations

import sys

import anyio

from bench.consensus import M7, RECORDED, S6, X5
from consortium_mcp.core.evaluation.metrics import interval
from consortium_mcp.core.evaluation.replay import consult
from consortium_mcp.frontends.cli.measuring.replay import ReplayOptions, configuration, read

ACCURACIES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)


async def _print() -> None:
    recordings = read(RECORDED / "mmlu_pro_dev.jsonl.gz")
    print("| panel | checkers right | `verify` right | against the vote (95 %) | checks |")
    print("|---|---|---|---|---|")
    for name, panel in (("S6", S6), ("M7", M7), ("X5", X5)):
        config = configuration(ReplayOptions(panel, strategy="vote"))
        votes = [(await consult(each, config)).right for each in recordings]
        print(f"| {name} | (`vote`) | {sum(votes) / len(votes):.1%} | | 0 |", flush=True)
        for accuracy in ACCURACIES:
            config = configuration(ReplayOptions(panel, strategy="verify"))
            outcomes = [await consult(each, config, accuracy) for each in recordings]
            gains = [o.right - vote for o, vote in zip(outcomes, votes, strict=True)]
            low, high = interval([float(gain) for gain in gains])
            count = len(outcomes)
            print(
                f"| {name} | {accuracy:.0%} | {sum(o.right for o in outcomes) / count:.1%} "
                f"| {100 * sum(gains) / count:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) "
                f"| {sum(o.calls for o in outcomes) / count - len(panel):.1f} |",
                flush=True,
            )


def main() -> None:
    """Print the table, in Markdown."""
    if not RECORDED.exists():
        sys.exit(f"No recordings at {RECORDED}.")
    anyio.run(_print)


if __name__ == "__main__":
    main()
