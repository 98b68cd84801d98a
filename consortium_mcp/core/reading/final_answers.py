"""Finds the short final answer in a reply: in our tag, or in the forms that models use by habit."""

from __future__ import annotations

import re

from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.reading.markup import tag_content, without_thinking

MAX_FINAL_ANSWER = 200
"""The most characters of a short final answer."""


def final_answer(text: str) -> str | None:
    r"""The short final answer of a reply, or `None` where it gives none.

    It is taken from our tag if there is one. Otherwise, in this order: from the last JSON field
    `answer`, or, near the reply's end, from `\boxed{}` or a last line such as `The answer is …`.
    """
    tagged = tag_content(text, "final_answer")
    return final_answer_text(_untagged(text) if tagged is None else tagged)


_END_LENGTH = 400
"""Length of the reply's end, in characters, where an untagged answer must stand."""
_JSON_FIELD = re.compile(
    r'"(?:final_?)?answer"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"{}\[\],]+))',
    re.IGNORECASE,
)
_ANSWER_LINE = re.compile(
    r"^(?:\W*(?:so|thus|therefore|hence)\b\W*)?[\s*#]*(?:the\s+)?(?:(?:final|correct)\s+)?answer"
    r"(?:\s+is)?[\s*]*(?::|\bis\b|(?<=is))[\s*:]*(\S.*)$|^\s*#{4}\s*(\S.*)$",
    re.IGNORECASE,
)


def _untagged(text: str) -> str | None:
    shown = without_thinking(text)
    fields = list(_JSON_FIELD.finditer(shown))
    end = shown[-_END_LENGTH:]
    if fields:
        field = fields[-1]
        return field[2] or field[1].replace("\\\\", "\\").replace('\\"', '"')
    if (boxed := _last_box(end)) is not None:
        return boxed
    last = next((line for line in reversed(end.splitlines()) if line.strip(" `}")), "")
    stated = _ANSWER_LINE.match(last.strip())
    return None if stated is None else (stated[1] or stated[2]).strip(" *")


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
    """A final answer on one line, or `None` where it is empty, only punctuation, or too long."""
    answer = " ".join((content or "").split())
    if len(answer) > MAX_FINAL_ANSWER or read(answer) is None:
        return None
    return answer
