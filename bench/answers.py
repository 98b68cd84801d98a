"""How often a recorded reply's final answer is read, and matched rightly against the right one.

    uv run --with 'math-verify[antlr4_13_2]' python -m bench.answers

Whether a match is right is judged by a second reader, math-verify, which shares no code with ours.
Where the two differ, the pairs are printed with what we said, for a person to judge.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from pathlib import Path

from consortium_mcp.core.reading.replies import read_reply
from consortium_mcp.frontends.cli.measuring.replay import read

DATA = Path(__file__).parent.parent.parent / "shared/replay/free_form_dev.jsonl.gz"


@cache
def second_reader(gold: str, answer: str) -> bool:
    """Whether math-verify holds the two to be the same."""
    from math_verify import parse, verify  # noqa: PLC0415

    one, other = parse(f"${gold}$"), parse(f"${answer.replace('$', '')}$")
    return bool(verify(one, other))


def main() -> None:
    """Print the counts and every pair on which the readers differ."""
    if not DATA.exists():
        sys.exit(f"No recordings at {DATA}.")
    agreed: Counter[str] = Counter()
    differ: Counter[tuple[bool, str, str]] = Counter()
    for recording in read(DATA):
        task = str((recording.model_extra or {}).get("task"))
        for text in recording.texts.values():
            answer = read_reply(text).final_answer
            if answer is None:
                agreed[f"{task}: no answer to read"] += 1
                continue
            ours = recording.is_right(answer)
            if ours == second_reader(recording.gold, answer):
                agreed[f"{task}: {'same as' if ours else 'not'} the right one, both say"] += 1
            else:
                differ[ours, recording.gold, answer] += 1
    for what, count in sorted(agreed.items()):
        print(f"{count:6} {what}")
    print(f"{differ.total():6} on which the readers differ:")
    for (ours, gold, answer), count in differ.most_common():
        print(f"{count:10} we say {'same' if ours else 'not'}: {gold!r} and {answer!r}")


if __name__ == "__main__":
    main()
