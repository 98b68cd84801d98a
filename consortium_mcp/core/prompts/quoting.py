"""Foreign text inside a prompt: fenced by a boundary that nobody could foresee, and cut to size."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Run

MAX_QUOTED = 120_000
"""Characters of members' text in one arbiter prompt, shared by the responses: about 30,000 tokens,
which every current model's context holds."""
_OUR_TAGS = re.compile(
    r"<(?=\s{0,8}/?\s{0,8}(?:verdict|synthesis|final_answer|support|groups|dissent|refinements"
    r"|needs_iteration|confidence|ranking)\b)",
    re.IGNORECASE,
)


def boundary(run: Run, reader: str) -> str:
    """The mark that fences quoted text for this reader in the run's next iteration.

    No model can foresee it, and what a member was shown never fences what the arbiter reads.
    """
    # The conversation does not change from one iteration to the next, and so neither does its mark.
    count = 0 if reader == "conversation" else len(run.iterations)
    purpose = f"{run.seed} {reader} {count}"
    return hashlib.sha256(purpose.encode()).hexdigest()[:16]


def quote(text: str, mark: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """Fence foreign text.

    Args:
        text: what a model or a user wrote.
        mark: the run's boundary.
        limit: characters to keep; the middle of a longer text is cut, and the cut is shown.

    Returns:
        The fenced text, and how many characters were cut.
    """
    text, cut = shorten(text.replace(mark, f"{mark[:8]} {mark[8:]}"), limit)
    return f"[{mark}\n{_OUR_TAGS.sub('‹', text)}\n{mark}]", cut


def shorten(text: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """The text with its middle cut where it is too long, and how many characters that cost.

    The end is kept too: that is where a conclusion and a final answer stand.
    """
    cut = max(0, len(text) - limit)
    if not cut:
        return text, 0
    head = limit * 2 // 3
    return f"{text[:head]}\n[… {cut} characters cut here …]\n{text[head + cut :]}", cut
