"""Finds verdicts that are `<verdict>` elements, and takes their fields apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.judgements.verdict_json import FIELDS, MAX_OBJECTS, Fields, decoded_verdict
from consortium_mcp.core.reading.markup import Code, Markup, hide, markup_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.core.judgements.quotations import Source

_VERDICT = re.compile(r"<\s{0,8}(/?)\s{0,8}verdict(?:\s[^<>]{0,200})?\s{0,8}>", re.IGNORECASE)
_NAMES = "|".join(FIELDS).replace("_", r"\\?_")  # Markdown escapes an underscore
_FIELD = re.compile(rf"<({_NAMES})(?:\s[^<>]{{0,200}})?(/?)>", re.IGNORECASE)
_MAX_BETWEEN = 5_000
"""The most characters between two fields in which other elements are looked for."""
_NO_FIELD = re.compile(
    rf"<!--.{{0,2000}}?-->|<(\w+)(?:\s[^<>]*)?>(?:(?!</?(?:{_NAMES}|verdict)).){{0,2000}}?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)


def only_closed_blocks(text: str) -> Markup:
    """The text with only closed blocks hidden, for a stray backtick or a forgotten fence."""
    code = tuple(each for each in markup_of(text).code if each.closed and each.is_block)
    return Markup(text, hide(text, code), code)


def hide_nothing(text: str) -> Markup:
    """The text as it is, for a verdict with the code, which may stand in code."""
    return Markup(text, text, ())


def first_readable(
    text: str, source: Source, ways: Sequence[Callable[[str], Markup]]
) -> Fields | None:
    """The fields of the last complete element, with the first way of hiding code that finds one.

    Raises:
        VerdictError: there is one, but what it says is ambiguous.
    """
    problem: VerdictError | None = None
    if "<" not in text:
        return None
    for way in ways:
        try:
            found = _last_element(text, way(text).bare, source)
        except VerdictError as error:
            problem = problem or error
        else:
            if found is not None:
                return found
    if problem is not None:
        raise problem
    return None


def _last_element(text: str, bare: str, source: Source) -> Fields | None:
    """The fields of the last complete element, or of the one with the code."""
    found: tuple[int, int] | None = None
    is_coded = False
    openings: list[re.Match[str]] = []
    if len(_VERDICT.findall(bare)) > 2 * MAX_OBJECTS:
        raise VerdictError("there are too many <verdict> tags; write one verdict, quote none")
    for tag in _VERDICT.finditer(bare):
        if not tag[1]:
            if openings and not _FIELD.search(bare, openings[-1].end(), tag.start()):
                openings.pop()  # "I will write a <verdict>."
            openings.append(tag)
        elif not openings:
            raise VerdictError("there is a </verdict> too many; write one verdict, quote none")
        else:
            opening = openings.pop()
            has_code = bool(source.code) and source.code in opening[0]
            if not has_code and source.quotes(text[opening.start() : tag.end()]):
                bare = hide(bare, [Code(opening.start(), tag.end(), 0, 0, None)])
            elif openings:
                raise VerdictError("there is a <verdict> inside a verdict; write one, quote none")
            elif is_coded:
                # The arbiter's own may have been ended early by what it quotes.
                raise VerdictError("there is another verdict after yours; write one, quote none")
            else:
                found, is_coded = (opening.end(), tag.start()), has_code
    if found is None:
        return None
    return _element_fields(text[slice(*found)], bare[slice(*found)], source)


def _element_fields(text: str, bare: str, source: Source) -> Fields:
    """The fields of an element; each may occur once.

    Raises:
        VerdictError: a field occurs twice or is not closed, another field begins or ends alone
            within it, something that looks like a tag stands between two fields, or all that
            follows the first field stands word for word in what the arbiter read. A verdict quoted
            inside a field leads to any of these.
    """
    if text.lstrip().startswith("{"):  # <verdict>{"synthesis": …}</verdict>
        content = text.strip()
        decoded = None if source.quotes(content) else decoded_verdict(content)
        if decoded is not None and decoded[1] == len(content):
            return decoded[0]
    found: Fields = {}
    position = 0
    while opening := _FIELD.search(bare, position):
        field = opening[1].lower().replace("\\", "")
        start, end = opening.end(), opening.end()
        if not opening[2]:
            name = field.replace("_", r"\\?_")
            closing = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(bare, start)
            if closing is None:
                raise VerdictError(f"the field <{field}> is not closed")
            start, end = closing.start(), closing.end()
        if field in found:
            raise VerdictError(f"the field <{field}> stands twice; quote no tags")
        _check_between(bare[position : opening.start()])
        _check_inside(field, bare[opening.end() : start])
        if not found and "<" in (rest := text[start:].strip())[1:] and source.quotes(rest):
            raise VerdictError("its fields stand in an answer too; quote no tags")
        found[field] = _plain(text[opening.end() : start])
        position = end
    _check_between(bare[position:])
    return found


_FIELD_TAG = re.compile(rf"<(/?)({'|'.join(FIELDS)})(?:\s[^<>]{{0,200}})?>", re.IGNORECASE)


def _check_inside(field: str, content: str) -> None:
    """Refuse a field within which another one begins or ends alone: it may not end there."""
    open_field: str | None = None
    for tag in _FIELD_TAG.finditer(content):
        name = tag[2].lower()
        if bool(tag[1]) != (open_field == name) or (open_field and not tag[1]):
            raise VerdictError(f"the field <{field}> holds a part of <{name}>; quote no tags")
        open_field = None if tag[1] else name
    if open_field:
        raise VerdictError(f"the field <{field}> holds a part of <{open_field}>; quote no tags")


def _plain(content: str) -> str:
    """The content without the CDATA marks that XML-minded models put around it."""
    content = content.strip()
    if content.startswith("<![CDATA[") and content.endswith("]]>"):
        return content[len("<![CDATA[") : -len("]]>")].strip()
    return content


def _check_between(text: str) -> None:
    if "<" not in text:
        return
    if "<" in (rest := _NO_FIELD.sub(" ", text) if len(text) < _MAX_BETWEEN else text):
        shown = " ".join(rest.split())[:60]
        raise VerdictError(f"there is {shown!r} between the fields; quote no tags")
