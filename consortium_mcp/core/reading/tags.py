"""Finds the tags that we ask for, `<final_answer>` and `<confidence>`, outside code."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from consortium_mcp.core.reading.markup import HIDDEN

Name = Literal["final_answer", "confidence"]


class Element(NamedTuple):
    """An opening tag, its content, and its closing tag: places in the text."""

    name: Name
    start: int
    inner_start: int
    inner_end: int
    end: int


_TAG = re.compile(
    r"\\?<\s{0,8}(?P<closing>/?)\s{0,8}(?P<name>final\\?[ _-]?answer|confidence)"
    r"(?:\s[^<>]{0,200})?\s{0,8}(?P<empty>/?)\\?>",
    re.IGNORECASE,
)
_MAX_UNCLOSED_CONFIDENCE = 40


def elements(bare: str) -> list[Element]:
    """Every element, in order.

    A final answer that is not closed ends where the confidence begins, which we ask for after it. A
    confidence that is not closed counts where the text ends with it. Any other half is text.

    Args:
        bare: the text with its code hidden; see `markup.Markup`.
    """
    found: list[Element] = []
    opening: tuple[Name, int, int] | None = None
    for tag in _TAG.finditer(bare):
        name: Name = "confidence" if tag["name"].lower() == "confidence" else "final_answer"
        if tag["empty"]:
            continue
        if not tag["closing"]:
            if opening and opening[0] == "final_answer" and name == "confidence":
                # Up to what looks like a closing tag: </answer>, or one that is cut off.
                end = bare.find("</", opening[2], tag.start())
                end = tag.start() if end < 0 else end
                found.append(Element(*opening, end, tag.start()))
            opening = name, tag.start(), tag.end()
        elif opening and opening[0] == name:
            found.append(Element(*opening, tag.start(), tag.end()))
            opening = None
    # A confidence is taken out of the text, and nothing is ever taken out of code.
    found = [
        e
        for e in found
        if not (_is_quoted(bare, e) or (e.name == "confidence" and HIDDEN in bare[e.start : e.end]))
    ]
    if opening and opening[0] == "confidence":
        rest = bare[opening[2] :]
        if len(rest) <= _MAX_UNCLOSED_CONFIDENCE and not {"\n", HIDDEN} & set(rest.strip()):
            found.append(Element(*opening, len(bare), len(bare)))
    return found


def _is_quoted(bare: str, element: Element) -> bool:
    """Whether it stands in quotes, as in a line of code that is in no block."""
    before, after = bare[element.start - 1 : element.start], bare[element.end : element.end + 1]
    return before == after and before in {"'", '"'}


def last(found: list[Element], name: Name) -> Element | None:
    """The last element of this name."""
    return next((each for each in reversed(found) if each.name == name), None)
