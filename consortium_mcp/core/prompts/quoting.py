"""Quotes foreign text in a prompt: fences it by an unpredictable boundary, and cuts it to size."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consortium_mcp.core.domain.run import Run

MAX_QUOTED = 120_000
"""The most characters of members' text in one arbiter prompt, shared equally by the responses;
about 30,000 tokens, which fit every current model's context."""
_OUR_TAGS = re.compile(
    r"<(?=\s{0,8}/?\s{0,8}(?:verdict|synthesis|final_answer|support|groups|dissent|refinements"
    r"|needs_iteration|confidence|ranking|finding|reasons|first_errors)\b)",
    re.IGNORECASE,
)

_LASTING = {
    "conversation", "question", "attachments for member", "attachments for arbiter",
}  # fmt: skip


def boundary(run: Run, reader: str) -> str:
    """The mark that fences quoted text for this reader in the run's next iteration.

    No model can predict it, and members and arbiters see different marks.
    """
    # What is the same in every iteration keeps its mark, so that providers' prompt caches hit. No
    # model answers with what it never saw: the arbiter's marks are not the members'.
    count = 0 if reader in _LASTING else len(run.iterations)
    purpose = f"{run.seed} {reader} {count}"
    return hashlib.sha256(purpose.encode()).hexdigest()[:16]


def verdict_code(run: Run) -> str:
    """The code that the arbiter of the run's next iteration repeats in its verdict."""
    return boundary(run, "verdict")


def quote(text: str, mark: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """Fence foreign text, and disarm whatever looks like one of our tags.

    Args:
        text: what a model or a user wrote.
        mark: the run's boundary.
        limit: characters to keep; a longer text is cut in its middle, and the cut is marked.

    Returns:
        The fenced text, and how many characters were cut.
    """
    text, cut = shorten(text.replace(mark, f"{mark[:8]} {mark[8:]}"), limit)
    return f"[{mark}\n{_OUR_TAGS.sub('‹', text)}\n{mark}]", cut


def shorten(text: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """Cut the middle of a text that is too long; returns the text and the number of characters cut.

    The end is kept because conclusions and final answers stand there.
    """
    cut = max(0, len(text) - limit)
    if not cut:
        return text, 0
    head = limit * 2 // 3
    return f"{text[:head]}\n[… {cut} characters cut here …]\n{text[head + cut :]}", cut
