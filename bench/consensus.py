"""The table of docs/benchmarks.md: strategies on recorded answers of real models, and baselines.

    python -m bench.consensus

Every row but the baselines is also what the command beside it prints. The baselines are strategies
of this script, run by the same engine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio

from consortium_mcp.core.confidence.agreement import group_by_answer
from consortium_mcp.core.evaluation.replay import replay
from consortium_mcp.core.judging.voting import counted
from consortium_mcp.core.strategies import register
from consortium_mcp.core.strategies.synthesis import Synthesis
from consortium_mcp.core.strategies.vote import Vote
from consortium_mcp.frontends.cli.measuring.replay import ReplayOptions, configuration, read
from consortium_mcp.frontends.cli.measuring.suggest import REST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict
    from consortium_mcp.core.evaluation.recordings import Recording
    from consortium_mcp.core.evaluation.replay import Measures

RECORDED = Path(__file__).parent.parent.parent / "shared/replay"

S6 = (
    "gpt-4.1",
    "claude-3-7-sonnet-20250219",
    "deepseek-chat",
    "Llama-4-Maverick-17B-128E-Instruct-FP8",
    "grok-3-beta",
    "gemini-2.0-flash",
)
M7 = (
    "gpt-4o-mini-2024-07-18",
    "claude-3-5-haiku-20241022",
    "gemini-1.5-flash",
    "Meta-Llama-3.1-70B-Instruct-Turbo",
    "Qwen2.5-32B-Instruct",
    "gemma-3-27b-it",
    "Mistral-Small-24B-Instruct-2501",
)
X5 = (
    "gpt-4.1",
    "gpt-4o-mini-2024-07-18",
    "claude-3-5-haiku-20241022",
    "Qwen2.5-7B-Instruct",
    "gemma-2-9b-it",
)
MATHS = (
    "gemini-1.5-pro-exp-0827",
    "grok-2-1212",
    "Qwen2.5-72B-Instruct",
    "claude-3-5-sonnet-20241022",
    "gpt-4o-2024-08-06",
    "Mistral-Large-2",
    "Llama-3.1-405B-Inst@sambanova",
)
"""The largest model without hidden reasoning of each of seven houses; not chosen by its score."""


class OriginalLoop(Synthesis):
    """The seed's rule: the arbiter's word for its own confidence is the confidence."""

    description = "An arbiter's synthesis, believed as far as it believes itself."

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The arbiter's verdict with its own confidence."""
        verdict = await super().judge(run, responses, ask)
        own = verdict.parts.arbiter_confidence
        return verdict.model_copy(update={"confidence": own or 0.0})


class VoteByPanelOrder(Vote):
    """A vote whose ties go to the first by panel order, as in the plain script's figures."""

    description = "Ties go to the first by panel order."

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:  # noqa: ARG002
        """The first of the largest groups that gave an answer."""
        groups = group_by_answer(run, responses)
        voted = {r.label for r in responses if r.final_answer is not None}
        first = next((group for group in groups if voted.issuperset(group)), groups[0])
        return counted(run, responses, first, groups)


class Row(NamedTuple):
    """A line of the table."""

    name: str
    options: ReplayOptions
    iterations: int = 1


def _rows() -> list[Row]:
    light = (("gpt-4.1", "strong"), (REST, "light"))
    original = ReplayOptions(S6, strategy="original-loop", arbiter="gpt-4.1")
    return [
        Row("S6 `vote`", ReplayOptions(S6)),
        Row(
            "S6 `vote`, ties by panel order (baseline)", ReplayOptions(S6, strategy="vote-by-order")
        ),
        Row("S6 `vote`, `adaptive`", ReplayOptions(S6, sampling="adaptive")),
        Row("S6 `vote`, `thrifty`", ReplayOptions(S6, sampling="thrifty")),
        Row("S6 `auto`, arbiter gpt-4.1 *", ReplayOptions(S6, strategy="auto")),
        Row("S6 `synthesis`, arbiter gpt-4.1 *", ReplayOptions(S6, strategy="synthesis")),
        Row("S6, the original's loop, arbiter gpt-4.1 * (baseline)", original, 3),
        Row("R7 `vote`, escalating", ReplayOptions(S6[:3], escalate_to="deepseek-reasoner")),
        Row("X5 `vote`, tiers", ReplayOptions(X5, tiers=light)),
        Row("X5 equal vote (baseline)", ReplayOptions(X5)),
        Row("M7 `vote`", ReplayOptions(M7)),
        Row(
            "M7 `vote`, ties by panel order (baseline)", ReplayOptions(M7, strategy="vote-by-order")
        ),
    ]


HEAD = (
    "| what | right (95 %) | calls | rounds | ECE | Brier | AUROC | right at 80 % coverage "
    "| coverage at 95 % right |\n|---|---|---|---|---|---|---|---|---|"
)


def _line(name: str, m: Measures, rounds: float) -> str:
    low, high = m.accuracy_interval
    auroc = "–" if m.auroc is None else f"{m.auroc:.3f}"
    return (
        f"| {name} | **{m.accuracy:.1%}** ({low:.1%}–{high:.1%}) | {m.calls:.2f} | {rounds:.2f} "
        f"| {m.ece:.3f} | {m.brier:.3f} | {auroc} | {m.accuracy_at_80_coverage:.1%} "
        f"| {m.coverage_at_95_accuracy:.1%} |"
    )


async def _print(rows: Sequence[Row], recordings: Sequence[Recording]) -> None:
    singles: dict[str, Measures] = {}
    for row in rows:
        config = configuration(row.options)
        config = config.model_copy(update={"max_iterations": row.iterations})
        summary, _ = await replay(recordings, config)
        print(_line(row.name, summary.measured, summary.rounds), flush=True)
        singles |= {
            f"{model} alone (baseline)": summary.singles[model]
            for model in (summary.best_single, row.options.escalate_to)
            if model
        }
    for name, measures in singles.items():
        print(_line(name, measures, 1), flush=True)


def main() -> None:
    """Print the table, in Markdown."""
    if not RECORDED.exists():
        sys.exit(f"No recordings at {RECORDED}.")
    register("original-loop", OriginalLoop())
    register("vote-by-order", VoteByPanelOrder())
    print(HEAD)
    anyio.run(_print, _rows(), read(RECORDED / "mmlu_pro_dev.jsonl.gz"))
    print(f"\n{HEAD}")
    free_form = read(RECORDED / "free_form_dev.jsonl.gz")
    maths = [each for each in free_form if (each.model_extra or {}).get("task") == "math-l5"]
    anyio.run(_print, [Row("`math-l5`, seven models, `vote`", ReplayOptions(MATHS))], maths)


if __name__ == "__main__":
    main()
