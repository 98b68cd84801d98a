"""What reading costs: a megabyte of any filling, a usual reply, and importing the core.

python -m bench.reading
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from statistics import median

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.judgements.quotations import Source
from consortium_mcp.core.judgements.verdicts import parse_verdict
from consortium_mcp.core.reading.replies import read_reply

FILLINGS = (
    "word ", " ", "\n", "<", "< ", "</", "`", "`x ", "` `` ", "``` ", "```\n", "~~~\n", "```md\n",
    "> ", "- a\n", "<think>", "</think>\n", "`</think>", "[THINK]", "<final_answer>", "(A) ", "{",
    "}", '{"a":', "<confidence>1</confidence>", "<verdict>", "<verdict><synthesis>", "</synthesis>",
    '"synthesis": ', '"answer": "', "\\boxed{", "Answer: x\n", "A;", "一", "x_",
)  # fmt: skip
SIZE = 1_000_000
USUAL = (
    "Multiply `6` by `7`:\n\n```python\nprint(6 * 7)\n```\n\n"
    + "So it is, as **this** shows. " * 60
) + "\n<final_answer>42</final_answer>\n<confidence>0.9</confidence>"
TRIES = 15


def seconds(text: str) -> tuple[float, float]:
    """CPU seconds to read a text as a member's reply, and as an arbiter's."""
    began = time.process_time()
    read_reply.__wrapped__(text)
    between = time.process_time()
    with suppress(VerdictError):
        parse_verdict(text, ("A", "B"), Source("c0de", (text,)))
    return between - began, time.process_time() - between


def importing() -> float:
    """Milliseconds to import what the core's entry imports, the median of fresh processes."""
    code = (
        "import time, pydantic; began = time.perf_counter();"
        "import consortium_mcp.core.engine.consultation, consortium_mcp.core.strategies;"
        "print(time.perf_counter() - began)"
    )
    took = []
    for _ in range(TRIES):
        shown = subprocess.run(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-c", code], check=True, capture_output=True
        )
        took.append(float(shown.stdout))
    return 1000 * median(took)


def main() -> None:
    """Print the slowest fillings, a usual reply, and the import."""
    taken = {filling: seconds("So:\n" + filling * (SIZE // len(filling))) for filling in FILLINGS}
    for which, name in enumerate(("reply", "verdict")):
        slowest = sorted(taken, key=lambda filling: -taken[filling][which])[:3]
        shown = ", ".join(f"{taken[filling][which]:.2f} s of {filling!r}" for filling in slowest)
        print(f"1 MB as a {name}: at most {shown}")
    usual = sorted(seconds(USUAL)[0] for _ in range(TRIES))[TRIES // 2]
    print(f"a usual reply of {len(USUAL)} characters: {1e6 * usual:.0f} µs")
    print(f"importing the engine and the strategies: {importing():.0f} ms")


if __name__ == "__main__":
    main()
