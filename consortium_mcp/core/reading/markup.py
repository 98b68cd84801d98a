"""Finds our tags in a reply, and removes the reasoning that some models show.

The input is text that a model wrote, so nothing here may raise: what is not found is `None`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_THINKING = re.compile(r"<(/?)(think|thinking|reasoning|scratchpad)>", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}|^ {0,3}~{3,}")
_CLOSING_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")


def without_thinking(text: str) -> str:
    """The text without a reasoning model's thinking; see `_thinking` for unclosed tags."""
    return _thinking_as(text, "").strip()


def _thinking_as(text: str, filling: str) -> str:
    """The text with each character of its thinking replaced by `filling`."""
    pieces, done = [], 0
    for start, end in _thinking(text):
        pieces += [text[done:start], filling * (end - start)]
        done = end
    return "".join(pieces) + text[done:]


def _thinking(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each stretch of thinking: from an opening tag to its next closing tag.

    A tag that is never closed counts only at the start of the reply, where the model was cut off;
    further on, it is text about such tags. Takes one pass over any text.
    """
    opening: tuple[str, int] | None = None
    for tag in _THINKING.finditer(text):
        closing, name = tag[1], tag[2].lower()
        if opening is None and not closing:
            opening = name, tag.start()
        elif opening is not None and closing and name == opening[0]:
            yield opening[1], tag.end()
            opening = None
    if opening is not None and not text[: opening[1]].strip():
        yield opening[1], len(text)


def tag_content(text: str, tag: str) -> str | None:
    """The content of the last complete `<tag>…</tag>` outside thinking and code fences.

    Returns:
        The content, stripped but otherwise verbatim; `None` where there is no such tag.
    """
    found = tags(text, tag)
    last = next((i for i in reversed(range(len(found))) if found[i].closing), -1)
    opening = next((t for t in reversed(found[: last + 1]) if not t.closing), None)
    return None if opening is None else text[opening.end : found[last].start].strip()


class Tag(NamedTuple):
    """An opening or closing tag, and its place in the text."""

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
    """Replace thinking and fenced code by blanks of the same length, so that offsets stay valid.

    A block begins at a fence that ends a line, even after words ("B says: ```xml"), and ends at a
    line that begins with a fence at least as long (CommonMark 4.5); an unclosed block runs to the
    end of the text.
    """
    text = _thinking_as(text, " ")
    if "```" not in text and "~~~" not in text:
        return text
    pieces: list[str] = []
    done, fence, start, place = 0, "", 0, 0
    for line in text.splitlines(keepends=True):
        if fence:
            closing = _CLOSING_FENCE.match(line)
            if closing and closing[1].startswith(fence) and _is_blank_or_tag(closing[2]):
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
    """The fence that opens a block on this line; paired backtick fences are inline code."""
    fences = list(_FENCE.finditer(line))
    if not fences or (fences[0][0][0] == "`" and len(fences) % 2 == 0):
        return None
    return fences[0] if fences[0][0][0] == "~" else fences[-1]


def _is_blank_or_tag(rest: str) -> bool:
    """Whether only blanks or our tags follow a closing fence: models write "```</synthesis>"."""
    return not rest.strip() or rest.lstrip().startswith("</")
