"""Tells the parts of a reply apart: thinking, code, our tags, and the rest.

The input is text that a model wrote, so nothing here may raise, and all of it takes linear time.

A CommonMark parser (markdown-it-py) was tried and not taken. It reads a block that a model forgot
to close as code to the end of the reply, and closes a README's outer fence at its first inner one,
which loses the answer in both cases; it does not say where inline code stands; and a megabyte of
list markers takes it 7 s.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "\ufffc"
"""Stands for each character of code in `Markup.bare`."""


class Code(NamedTuple):
    """A fenced block or an inline code span."""

    start: int
    end: int
    inner_start: int
    inner_end: int
    language: str | None
    """The word after the opening fence, in lower case, perhaps empty; `None` for inline code."""
    closed: bool = True

    @property
    def is_block(self) -> bool:
        """Whether it is a fenced block."""
        return self.language is not None


class Markup(NamedTuple):
    """A reply without its thinking, and where its code stands."""

    text: str
    bare: str
    """The text with each character of code, but no line break, replaced by `HIDDEN`."""
    code: tuple[Code, ...]


@lru_cache(maxsize=8)
def markup_of(text: str) -> Markup:
    """The parts of a text that may hold code, but no thinking."""
    code = tuple(_code(text))
    return Markup(text, hide(text, code), code)


def hide(text: str, parts: Iterable[Code]) -> str:
    """The text with each character of these parts, but no line break, replaced by `HIDDEN`."""
    pieces, done = [], 0
    for part in parts:
        hidden = "\n".join(HIDDEN * len(line) for line in text[part.start : part.end].split("\n"))
        pieces += [text[done : part.start], hidden]
        done = part.end
    return "".join(pieces) + text[done:]


# Thinking
_NAMES = r"(?:think(?:ing)?|thoughts?|reasoning|scratchpad)"
_FORMS = (
    (rf"<{_NAMES}(?:\s+[\w-]+\s*=[^<>]{{0,200}})?>", rf"</{_NAMES}\s*>"),
    (r"\[THINK\]", r"\[/THINK\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|channel>thought", r"<channel\|>"),
    (
        r"(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)[^<\n]{0,100}<\|message\|>",
        r"<\|(?:end|call)\|>|(?=<\|start\|>|<\|channel\|>)",
    ),
)
"""The opening and closing of thinking, as models write them: DeepSeek, Qwen and others; Magistral;
Kimi; Command A; Gemma; gpt-oss."""
_OPENINGS = [re.compile(rf"\s*{opening}", re.IGNORECASE) for opening, _ in _FORMS]
_ANSWER_BEGINS = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>final[^<\n]*<\|message\|>")
_CLOSING = rf"(?:</{_NAMES}\s*>|\[/THINK\]|◁/think▷)"
_LONE = re.compile(
    rf"^[^\S\n]*{_CLOSING}[^\S\n]*$|{_CLOSING}[^\S\n]*\n(?=[^\S\n]*$)"
    rf"|(?<=[.!?…:)\]。！？])[^\S\n]?{_CLOSING}",
    re.IGNORECASE | re.MULTILINE,
)
_OPENED = re.compile(rf"<{_NAMES}\b|\[THINK\]|◁think▷", re.IGNORECASE)
_END_TOKENS = re.compile(r"(?:\s|<\|(?:return|end|im_end|eot_id|endoftext|end_of_text)\|>)+$")


def without_thinking(text: str) -> str:
    """The text without the thinking at its beginning; further on, it is text about such tags.

    Thinking whose opening tag is missing ends at a closing tag on a line of its own, or before a
    blank line. Thinking that is never closed ends as `end_of_unclosed` says.
    """
    start = len(text) - len(text.lstrip("\ufeff\u200b\u200c\u200d\u2060 \t\r\n"))
    first = start
    while (found := _thinking_at(text, start)) is not None:
        start = found
    if start == first and (lone := _lone_closing(text)) is not None:
        start = lone
    if answer := _ANSWER_BEGINS.match(text, start):
        start = answer.end()
    shown = text[start:]
    if "|>" in shown[-20:]:
        shown = shown[: len(shown) - len(tail[0])] if (tail := _END_TOKENS.search(shown)) else shown
    return shown.strip()


def _thinking_at(text: str, start: int) -> int | None:
    """Where the thinking that begins here ends; `None` where none begins."""
    for opening, (_, closing) in zip(_OPENINGS, _FORMS, strict=True):
        if begun := opening.match(text, start):
            in_code, hidden = False, None
            pattern = re.compile(rf"(?P<closing>{closing})|[`\n]", re.IGNORECASE)
            for found in pattern.finditer(text, begun.end()):
                if found["closing"] is None:
                    in_code = found[0] == "`" and not in_code
                elif not in_code:
                    return found.end()
                else:
                    hidden = hidden or found.end()  # or behind a stray backtick
            return hidden or end_of_unclosed(text, begun.end())
    return None


def _lone_closing(text: str) -> int | None:
    """The end of the closing tag of thinking whose opening tag the provider has cut off."""
    found = _LONE.search(text)
    if found is None or _OPENED.search(text, 0, found.start()):
        return None
    in_code = any(part.start <= found.start() < part.end for part in _code(text))
    return None if in_code else found.end()


# Code
_FENCE = re.compile(r"`{3,}|~{3,}")
_BEFORE_FENCE = re.compile(r"\s*(?:[>*+-]\s*|[0-9]{1,9}[.)]\s+)*")
_INFO = re.compile(r"[^\S\n]*\{?\.?([\w+#.-]*)[^`\n]*")
_HOLDS_FENCES = {"markdown", "md", "mdx"}


def _code(text: str) -> list[Code]:
    """Every fenced block and inline code span, in order."""
    if "`" not in text and "~~~" not in text:
        return []
    blocks = _blocks(text)
    found: list[Code] = []
    done = 0
    for block in blocks:
        found += [*_spans(text, done, block.start), block]
        done = block.end
    return found + _spans(text, done, len(text))


def _blocks(text: str) -> list[Code]:
    """The outermost fenced blocks.

    A block begins at a fence that ends a line, even after words ("B says: ```xml"), and ends at a
    line that begins with a fence at least as long (CommonMark 4.5). In a block of Markdown, a fence
    with a language opens an inner block. A block that is never closed ends as `end_of_unclosed`
    says.
    """
    found: list[Code] = []
    open_fences: list[str] = []
    start = inner = place = 0
    language = ""
    for line in text.split("\n"):
        if "```" in line or "~~~" in line:
            if open_fences and (end := _closing_end(line, open_fences[-1])):
                open_fences.pop()
                if not open_fences:
                    code_end = max(inner, place - 1)
                    found.append(Code(start, place + end, inner, code_end, language))
            elif opening := _opening(line):
                name = _INFO.match(line, opening.end())
                if not open_fences:
                    start, inner = place + opening.start(), place + len(line) + 1
                    language = name[1].lower() if name else ""
                    open_fences.append(opening[0])
                elif language in _HOLDS_FENCES and name and name[1]:
                    open_fences.append(opening[0])
        place += len(line) + 1
    if open_fences:
        inner = min(inner, len(text))
        end = end_of_unclosed(text, inner)
        found.append(Code(start, end, inner, end, language, closed=False))
    return found


def _closing_end(line: str, fence: str) -> int | None:
    """Where the closing fence on this line ends; models write "```</synthesis>" too."""
    rest = line.lstrip(" \t>")
    after = rest.lstrip(fence[0])
    closes = len(rest) - len(after) >= len(fence) and (not after.strip() or after[:2] == "</")
    return len(line) - len(after) if closes else None


def _opening(line: str) -> re.Match[str] | None:
    """The fence that opens a block on this line; paired backtick fences are inline code."""
    fences = list(_FENCE.finditer(line))
    at_start = _BEFORE_FENCE.fullmatch(line, 0, fences[0].start())
    if fences[0][0][0] == "~":
        return fences[0] if at_start else None
    return None if len(fences) % 2 == 0 else fences[-1]


_RUN = re.compile(r"`+|\n[^\S\n]*(?=\n)")


def _spans(text: str, start: int, end: int) -> list[Code]:
    """The inline code between two places.

    It goes from a run of backticks to the next run as long in its paragraph (CommonMark 6.1).
    """
    if text.find("`", start, end) < 0:
        return []
    runs = list(_RUN.finditer(text, start, end))
    partner: dict[int, int] = {}
    following: dict[int, int] = {}  # length -> the next run of that length
    for place in reversed(range(len(runs))):
        if runs[place][0][0] == "\n":
            following = {}
            continue
        size = len(runs[place][0])
        if size in following:
            partner[place] = following[size]
        following[size] = place
    found: list[Code] = []
    place = 0
    while place < len(runs):
        if (closing := partner.get(place)) is None:
            place += 1
            continue
        one, other = runs[place], runs[closing]
        found.append(Code(one.start(), other.end(), one.end(), other.start(), None))
        place = closing + 1
    return found


# The end of a reply
_TAIL = 2_000
"""Characters at a reply's end in which the tags that end it are looked for."""
_ENDING = re.compile(
    r"(?:\s*<(final[_ -]?answer|answer|confidence)(?:\s[^<>]{0,80})?>[^<]{0,400}"
    r"(?:</\1\s*>|(?=\s*<confidence)))+\s*$",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"\s*")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def ending_tags(text: str) -> int:
    """Where the final answer and the confidence that end a text begin; its length without them."""
    offset = max(0, len(text) - _TAIL)
    found = _ENDING.search(text, offset)
    return len(text) if found is None else _BLANKS.match(text, found.start()).end()  # type: ignore[union-attr]  # it matches nothing too


def end_of_unclosed(text: str, start: int) -> int:
    """Where a block or thinking that begins here and is never closed ends.

    It ends before the paragraph of the tags that end the reply. Tags without a blank line before
    them count only where the confidence, which we ask for last, is one of them.
    """
    tags = ending_tags(text)
    if tags < start or tags == len(text):
        return len(text)
    blank = [found.end() for found in _BLANK_LINE.finditer(text, max(start, tags - _TAIL), tags)]
    if blank:
        return blank[-1]
    return tags if "<confidence" in text[tags:].lower() else len(text)
