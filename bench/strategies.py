"""The table of docs/strategies.md: calls, tokens and waves of strategies, side by side.

    python -m bench.strategies

The calls are those that a dry run names, without repairs and retries; every row is also run, on
fakes that answer with about 300 tokens after a second of a clock that jumps, so that the seconds of
a run are its waves. A run that makes other calls than its dry run names ends the script. Tokens are
estimated from the prompts and replies, as for a budget.
"""

from __future__ import annotations

import re

import anyio
import trio.testing

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.text import estimated_tokens
from consortium_mcp.core.spending.estimate import estimate
from tests.support.fakes import consulted, reply, run_of, verdict
from tests.support.peers import check, code_in, ranking, shown_in

STRATEGIES = ("auto", "synthesis", "debate", "council", "verify")
SIZES = (3, 5, 8, 16)
ARGUMENT = "It follows from what is given, step by step. " * 27
"""About 300 tokens."""


class Fakes:
    """Members that all say the same, or all something else; reviewers that find fault.

    Args:
        agree: whether all say the same; then reviewers find it right.
    """

    def __init__(self, *, agree: bool) -> None:
        self._agree = agree
        self.calls = self.sent = self.received = 0

    async def __call__(self, question: Question, /) -> Reply:
        """What the fake of this question says."""
        await anyio.sleep(1)
        text = self._text(question)
        self.calls += 1
        self.sent += estimated_tokens(question.prompt, question.system)
        self.received += estimated_tokens(text)
        return Reply(text=text, seconds=1)

    def _text(self, question: Question) -> str:
        if question.role == "member":
            number = 42 if self._agree else int(re.sub(r"\D", "", question.model))
            return reply(str(number), 0.9, ARGUMENT)
        code = code_in(question.prompt)
        if question.role == "arbiter":
            return verdict(code=code, synthesis=ARGUMENT, support="A", groups="", ranking="")
        if shown := shown_in(question.prompt):
            return ranking(code, *shown, errors=dict.fromkeys(shown, ARGUMENT[:200]))
        return check(code, "right") if self._agree else check(code, "wrong", ARGUMENT[:200])


async def _row(strategy: str, members: int, *, agree: bool) -> str:
    models = [f"m{place}" for place in range(members)]
    iterations = 2 if strategy == "debate" else 1
    run = run_of(*models, strategy=strategy, max_iterations=iterations, prompt=ARGUMENT[:400])
    plan, _ = estimate(run, {})
    ask = Fakes(agree=agree)
    began = anyio.current_time()
    await consulted(run, ask)
    if not plan.fewest_calls <= ask.calls <= plan.most_calls:
        raise SystemExit(f"{strategy}, {members}: {ask.calls} calls, planned {plan}")
    return (
        f"{ask.calls} calls, {ask.sent / 1000:.1f} k in, {ask.received / 1000:.1f} k out, "
        f"{anyio.current_time() - began:.0f} waves"
    )


async def _print() -> None:
    print("| members | strategy | dry run: calls | all agree | all differ |\n|---|---|---|---|---|")
    for members in SIZES:
        for strategy in STRATEGIES:
            iterations = 2 if strategy == "debate" else 1
            models = [f"m{place}" for place in range(members)]
            plan, _ = estimate(run_of(*models, strategy=strategy, max_iterations=iterations), {})
            rows = [await _row(strategy, members, agree=agree) for agree in (True, False)]
            print(
                f"| {members} | `{strategy}` | {plan.fewest_calls} to {plan.most_calls} "
                f"| {rows[0]} | {rows[1]} |"
            )


def main() -> None:
    """Print the table, in Markdown."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    anyio.run(_print, backend="trio", backend_options={"clock": clock})


if __name__ == "__main__":
    main()
