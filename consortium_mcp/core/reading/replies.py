"""Reads a member's reply once, into the one value that everything else uses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from consortium_mcp.core.reading.final_answers import (
    final_answer_text,
    is_shrug,
    untagged_answer,
)
from consortium_mcp.core.reading.markup import Markup, ending_tags, markup_of, without_thinking
from consortium_mcp.core.reading.stated_confidence import confidence_line, read_confidence
from consortium_mcp.core.reading.tags import Element, elements, last


class ReadReply(NamedTuple):
    """What a reply says."""

    shown: str
    """Without thinking, as the model wrote it: for the arbiter, who weighs it."""
    prose: str
    """As a person reads it: without thinking and our tags, but with the final answer; empty where
    the reply holds no answer."""
    final_answer: str | None
    stated_confidence: float | None


@lru_cache(maxsize=64)
def read_reply(text: str) -> ReadReply:
    """Read a reply.

    The last complete tag counts, found outside thinking and code. Without one, the final answer is
    read from the forms that models use by habit; see `final_answers.untagged_answer`. Nothing
    raises, and what is not there is `None`.
    """
    markup = _unwrapped(markup_of(without_thinking(text)))
    found = elements(markup.bare)
    answer, confidence = last(found, "final_answer"), last(found, "confidence")
    prose = _prose(markup, found)
    return ReadReply(
        shown=markup.text,
        prose=prose,
        final_answer=final_answer_text(
            untagged_answer(_without_confidence(markup))
            if answer is None
            else _content(markup.text, answer)
        ),
        stated_confidence=(
            confidence_line(markup.bare)
            if confidence is None
            else read_confidence(_content(markup.text, confidence))
        ),
    )


def _content(text: str, element: Element) -> str:
    content = text[element.inner_start : element.inner_end].strip()
    return content.removeprefix("<![CDATA[").removesuffix("]]>").strip()


def _without_confidence(markup: Markup) -> Markup:
    """The reply without the confidence that ends it."""
    end = markup.text.lower().find("<confidence", ending_tags(markup.text))
    text = markup.text.rstrip() if end < 0 else markup.text[:end].rstrip()
    code = tuple(part for part in markup.code if part.end <= len(text))
    return Markup(text, markup.bare[: len(text)], code)


_TEXT_LANGUAGES = {"", "text", "txt", "plaintext", "markdown", "md", "xml", "html", "json"}


def _unwrapped(markup: Markup) -> Markup:
    """The reply without the code marks around all of it, or around the tags that end it.

    A reply in one block of a programming language keeps its fence, as the code is the answer.
    """
    text = markup.text
    if not markup.code:
        return markup
    first, final = markup.code[0], markup.code[-1]
    whole = (
        first.start == 0
        and first.closed
        and text[final.end :].strip() == text[ending_tags(text) :].strip()
    )
    if first == final and whole and first.language is not None:
        inner = text[first.inner_start : first.inner_end]
        if first.language in _TEXT_LANGUAGES or ending_tags(inner) < len(inner):
            return markup_of(f"{inner}\n{text[first.end :]}".strip())
    inner = text[final.inner_start : final.inner_end].strip()
    outside = {element.name for element in elements(markup.bare)}
    inside = {element.name for element in elements(inner)}
    ends = not text[final.end : ending_tags(text)].strip()
    if ends and inner and not ending_tags(inner) and inside and not inside & outside:
        return markup_of(f"{text[: final.start]}{inner}\n{text[final.end :]}".strip())
    return markup


def _prose(markup: Markup, found: list[Element]) -> str:
    """The text without our tags. The final answer stays where its tag stood."""
    text = markup.text
    pieces: list[str] = []
    done = 0
    for element in found:
        before = text[done : element.start]
        content = _content(text, element) if element.name == "final_answer" else ""
        text_before, _, line_start = before.rpartition("\n")
        if is_shrug(content) or _says(text_before.rstrip().rpartition("\n")[2], content):
            content = ""  # nothing, or what the line above says already
        pieces += [before, content]
        done = element.end
        if not content and not line_start.strip() and (after := _LINE_END.match(text, done)):
            done = after.end()
    prose = ("".join(pieces) + text[done:]).strip()
    return prose or " ".join(_content(text, each) for each in found if each.name == "final_answer")


def _says(line: str, answer: str) -> bool:
    """Whether a line says the answer: it is the answer, or ends in `is ANSWER` and denies nothing.

    Read aloud, "The capital is Tokyo. Tokyo" stutters. In doubt the answer is said again.
    """
    said = line.rstrip(" .!*_`。").removesuffix(answer)
    if line.strip() == answer or len(said) == len(line.rstrip(" .!*_`。")):
        return line.strip() == answer
    return _IS.search(said) is not None and _DENIES.search(said) is None


_IS = re.compile(
    r"(?:\b(?:is|are|was|equals|ist|sind|est|es|son|è|é)|[=:：是为])[ *_`$]*$", re.IGNORECASE
)
_DENIES = re.compile(
    r"\b(?:not|no|never|neither|nor|nobody|hardly|nicht|kein\w*|nie|pas|ne|jamais|nunca|non|não)\b"
    r"|n['’]t\b|[不没非]",
    re.IGNORECASE,
)
_LINE_END = re.compile(r"[^\S\n]{0,200}\n")
