"""What a reply says: its final answer, its stated confidence, and its prose.

Everything here takes text that a model wrote, so nothing here may raise or invent a number: what
cannot be read is `None`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from consortium_mcp.core.equivalence import read

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FINAL_ANSWER = 200
"""Characters. What is longer is an essay, not a short definite answer."""

_THINKING = re.compile(r"<(/?)(think|thinking|reasoning|scratchpad)>", re.IGNORECASE)
_OUR_TAGS = re.compile(r"<(confidence|final_answer)>[^<]{0,400}</\1>", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}|^ {0,3}~{3,}")
_CLOSING_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")


def without_thinking(text: str) -> str:
    """The text less what a reasoning model thought aloud. If that is never closed, all is."""
    return _thinking_as(text, "").strip()


def _thinking_as(text: str, filling: str) -> str:
    """The text with each character of its thinking replaced."""
    pieces, done = [], 0
    for start, end in _thinking(text):
        pieces += [text[done:start], filling * (end - start)]
        done = end
    return "".join(pieces) + text[done:]


def _thinking(text: str) -> Iterator[tuple[int, int]]:
    """Where thinking stands: from an opening tag to the next closing one of its name.

    What is never closed counts only where it opens the reply, as when a model is cut off; further
    on it is somebody writing about such tags. One pass, whatever the text.
    """
    opened: tuple[str, int] | None = None
    for tag in _THINKING.finditer(text):
        closing, name = tag[1], tag[2].lower()
        if opened is None and not closing:
            opened = name, tag.start()
        elif opened is not None and closing and name == opened[0]:
            yield opened[1], tag.end()
            opened = None
    if opened is not None and not text[: opened[1]].strip():
        yield opened[1], len(text)


def prose(text: str) -> str:
    """The text as a person would read it: no thinking, no tags of ours.

    A reply that is nothing but its tagged final answer reads as that answer.
    """
    shown = without_thinking(text)
    return _OUR_TAGS.sub("", shown).strip() or final_answer(shown) or ""


def tag_content(text: str, tag: str) -> str | None:
    """The content of the last complete `<tag>…</tag>` outside thinking and code fences.

    Returns:
        The content, stripped, as it stands in the text; `None` where there is no such tag.
    """
    found = tags(text, tag)
    last = next((i for i in reversed(range(len(found))) if found[i].closing), -1)
    opening = next((t for t in reversed(found[: last + 1]) if not t.closing), None)
    return None if opening is None else text[opening.end : found[last].start].strip()


class Tag(NamedTuple):
    """An opening or closing tag, and where it stands."""

    start: int
    end: int
    closing: bool


def tags(text: str, tag: str) -> list[Tag]:
    """Every `<tag>` and `</tag>` outside thinking and code fences, in order."""
    pattern = re.compile(rf"<(/?)\s{{0,8}}{tag}\s{{0,8}}>|<\s{{1,8}}{tag}\s{{0,8}}>", re.IGNORECASE)
    return [
        Tag(match.start(), match.end(), closing=bool(match[1]))
        for match in pattern.finditer(_blank_quoted(text))
    ]


def _blank_quoted(text: str) -> str:
    """Thinking and fenced code as blanks of the same length, so that offsets stay true.

    A block begins where a line ends in an opening fence, also after words ("B says: ```xml"), and
    ends at a line that begins with as long a fence (CommonMark 4.5); one never closed runs to the
    end.
    """
    text = _thinking_as(text, " ")
    if "```" not in text and "~~~" not in text:
        return text
    pieces: list[str] = []
    done, fence, start, place = 0, "", 0, 0
    for line in text.splitlines(keepends=True):
        if fence:
            closing = _CLOSING_FENCE.match(line)
            if closing and closing[1].startswith(fence) and _nothing_but_tags(closing[2]):
                end = place + closing.end(1)
                pieces += [text[done:start], " " * (end - start)]
                done, fence = end, ""
        elif opening := _opening_fence(line):
            fence, start = opening[0], place + opening.start()
        place += len(line)
    if fence:
        pieces += [text[done:start], " " * (len(text) - start)]
        done = len(text)
    return "".join(pieces) + text[done:]


def _opening_fence(line: str) -> re.Match[str] | None:
    """The fence that opens a block on this line; paired ones are code within the line."""
    fences = list(_FENCE.finditer(line))
    if not fences or (fences[0][0][0] == "`" and len(fences) % 2 == 0):
        return None
    return fences[0] if fences[0][0][0] == "~" else fences[-1]


def _nothing_but_tags(rest: str) -> bool:
    """Whether a fence followed by this closes its block: models write "```</synthesis>"."""
    return not rest.strip() or rest.lstrip().startswith("</")


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


def stated_confidence(text: str) -> float | None:
    """What a reply says of its own confidence, from 0 to 1, or `None`."""
    content = tag_content(text, "confidence")
    return None if content is None else read_confidence(content)


# Midpoints of the ranges of US Intelligence Community Directive 203, "Analytic Standards" (2015),
# for the words it defines; high, medium and low are taken as very likely, even and unlikely.
_IN_WORDS = {
    "almost certain": 0.97,
    "very high": 0.97,
    "very likely": 0.875,
    "high": 0.875,
    "likely": 0.675,
    "even": 0.5,
    "medium": 0.5,
    "moderate": 0.5,
    "unlikely": 0.325,
    "low": 0.325,
    "very unlikely": 0.125,
    "very low": 0.125,
    "almost no chance": 0.03,
}
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
_SHARE = re.compile(rf"{_NUMBER}\s*(?:(%|percent\b|per cent\b)|(?:/|out of|of)\s*{_NUMBER})?")
_LEAST_BARE_PERCENT = 10


def read_confidence(text: str) -> float | None:
    """Read a confidence: `0.85`, `.85`, `0,85`, `85%`, `85 percent`, `85`, `17/20`, `high`.

    A bare number from 10 to 100 is a percentage; one between 1 and 10 could be out of ten or a slip
    and is not read. More than one number, a sign, or a result outside 0–1 is nonsense: `None`.
    """
    if len(text) > MAX_FINAL_ANSWER:
        return None
    words = " ".join(text.casefold().replace("confidence", " ").split()).strip(" .!*`\"'")
    if words in _IN_WORDS:
        return _IN_WORDS[words]
    matches = list(_SHARE.finditer(words))
    if len(matches) != 1:
        return None
    match = matches[0]
    before, after = words[: match.start()], words[match.end() :]
    # A sign, an exponent, a thousands separator or a name such as "gpt4" is no share.
    if re.search(r"[-−+]\s*$|[^\s(~≈=:*]$", before) or re.match(r"[^\s(),.;:!*]", after):
        return None
    value = _number(match[1])
    if match[2] or (not match[3] and value >= _LEAST_BARE_PERCENT):
        value /= 100
    elif match[3]:
        value = value / whole if (whole := _number(match[3])) else -1
    return value if 0 <= value <= 1 else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
