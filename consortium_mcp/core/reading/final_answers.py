"""The short definite answer that a reply gives, from our tag or from what models do by habit."""

from __future__ import annotations

import re

from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.reading.markup import tag_content, without_thinking

MAX_FINAL_ANSWER = 200
"""Characters. What is longer is an essay, not a short definite answer."""


def final_answer(text: str) -> str | None:
    """The short definite answer a reply ends with, or `None` where it gives none.

    Our tag where there is one. Else what models do by habit: the last field `answer` of JSON, and
    at the reply's end a box, or a line that says what the answer is.
    """
    tagged = tag_content(text, "final_answer")
    return final_answer_text(_by_habit(text) if tagged is None else tagged)


_END = 400
"""Characters in which an untagged answer must stand to be at the end."""
_JSON_FIELD = re.compile(
    r'"(?:final_?)?answer"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"{}\[\],]+))',
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:\W*(?:so|thus|therefore|hence)\b\W*)?[\s*#]*(?:the\s+)?(?:(?:final|correct)\s+)?answer"
    r"(?:\s+is)?[\s*]*(?::|\bis\b|(?<=is))[\s*:]*(\S.*)$|^\s*#{4}\s*(\S.*)$",
    re.IGNORECASE,
)


def _by_habit(text: str) -> str | None:
    shown = without_thinking(text)
    fields = list(_JSON_FIELD.finditer(shown))
    end = shown[-_END:]
    if fields:
        field = fields[-1]
        return field[2] or field[1].replace("\\\\", "\\").replace('\\"', '"')
    if (boxed := _last_box(end)) is not None:
        return boxed
    last = next((line for line in reversed(end.splitlines()) if line.strip(" `}")), "")
    said = _SAID.match(last.strip())
    return None if said is None else (said[1] or said[2]).strip(" *")


def _last_box(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len("\\boxed")
    for place in range(begin, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return text[begin + 1 : place]
    return None


def final_answer_text(content: str | None) -> str | None:
    """A final answer on one line, or `None` where it is empty, punctuation, or no short answer."""
    answer = " ".join((content or "").split())
    if len(answer) > MAX_FINAL_ANSWER or read(answer) is None:
        return None
    return answer
