"""A reply as a person reads it."""

from __future__ import annotations

import re

from consortium_mcp.core.reading.final_answers import final_answer
from consortium_mcp.core.reading.markup import without_thinking

_OUR_TAGS = re.compile(r"<(confidence|final_answer)>[^<]{0,400}</\1>", re.IGNORECASE)


def prose(text: str) -> str:
    """The text as a person reads it: without thinking and without our tags.

    A reply that consists only of a tagged final answer becomes that answer.
    """
    shown = without_thinking(text)
    return _OUR_TAGS.sub("", shown).strip() or final_answer(shown) or ""
