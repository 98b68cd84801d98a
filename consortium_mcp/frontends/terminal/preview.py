"""A preview of the synthesis while an arbiter writes it: dim lines below the live rows.

It is no answer yet, so it is never printed: it goes with the rows when the run ends, and the answer
takes its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.reading.markup import without_thinking

if TYPE_CHECKING:
    from collections.abc import Callable

    from consortium_mcp.core.domain.ask import Question

_FORM = re.compile(r'<verdict code="([^"]+)">')
"""How an arbiter is told to begin its verdict; see `core/prompts/templates/arbiter.md`."""
_UNENDED = re.compile(r"</?[a-z_]{0,20}$", re.IGNORECASE)
"""Perhaps the beginning of a tag."""
_THINKS = re.compile(
    r"\s*(?:<(think(?:ing)?|thought|reasoning)\b|\[THINK\]|◁think▷)", re.IGNORECASE
)
_HAS_THOUGHT = re.compile(
    r"</(?:think(?:ing)?|thought|reasoning)>|\[/THINK\]|◁/think▷", re.IGNORECASE
)
_MOST = 8_000
"""Characters that are kept: only the end is shown."""


class Preview:
    """What the arbiter has written of its synthesis so far."""

    def __init__(self) -> None:
        self._heard = ""
        self._code: str | None = None

    def listen(self, question: Question) -> Callable[[str], None] | None:
        """Begin anew with an arbiter that is asked for a verdict in tags; see `Listener`."""
        if question.role != "arbiter":
            return None
        codes = _FORM.findall(question.prompt)  # members are quoted before, ours is the last
        self._heard, self._code = "", codes[-1] if codes else None
        return self._hear if codes else None

    def _hear(self, piece: str) -> None:
        self._heard += piece

    def text(self) -> str:
        """The end of the synthesis so far; empty before it has begun."""
        if self._code is None or self._code not in self._heard:
            return ""
        return synthesis_so_far(self._heard, self._code)[-_MOST:]


def synthesis_so_far(reply: str, code: str) -> str:
    """What stands in the `<synthesis>` of the verdict with this code, as far as it is written.

    Empty while the model thinks, and where there is no such verdict.
    """
    if _THINKS.match(reply) and not _HAS_THOUGHT.search(reply):
        return ""
    said = without_thinking(reply)
    begins = re.search(rf'<verdict\s+code="{re.escape(code)}"\s*>\s*<synthesis>', said)
    if begins is None:
        return ""
    inside = said[begins.end() :].split("</synthesis>")[0]
    return _UNENDED.sub("", inside).strip().replace(code, "…")
