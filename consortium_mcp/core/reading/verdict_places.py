"""Finds the verdict in an arbiter's reply, and takes its fields apart.

A verdict is a `<verdict>` element, or a JSON object with the same fields. The arbiter is asked to
repeat the run's code in it, which no member knows: a verdict with the code counts wherever it
stands. One without the code counts only

1. as a JSON object that the reply begins with,
2. as the last complete element outside code,
3. as the only verdict in a code block that the reply begins or ends with.

What stands word for word in a member's answer, the conversation or the prompt is a quotation and
never counts without the code. Anything ambiguous is a `VerdictError`, so that the arbiter is asked
again: a guess never becomes a number.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.reading.markup import Code, Markup, hide, markup_of, without_thinking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIELDS = (
    "synthesis",
    "final_answer",
    "support",
    "groups",
    "dissent",
    "refinements",
    "needs_iteration",
    "confidence",
    "ranking",
)
Fields = dict[str, Any]
_NONE_FOUND = "there is no complete <verdict>…</verdict> (outside code blocks), nor a JSON object."


@dataclass(frozen=True)
class Source:
    """What tells the arbiter's own verdict from a quoted one."""

    code: str = ""
    """The run's code, which the arbiter was asked to repeat; empty where it was given none."""
    material: tuple[str, ...] = ()
    """The texts that the arbiter read: answers, conversation, prompt."""

    def quotes(self, text: str) -> bool:
        """Whether a text stands word for word in the material; blanks and case do not count."""
        flat = _flat(text)
        return any(flat in each for each in self._flat_material)

    @cached_property
    def _flat_material(self) -> tuple[str, ...]:
        return tuple(_flat(each) for each in self.material)


def _flat(text: str) -> str:
    """The text without what a quotation changes: case, blanks, `>` before lines, escapes."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("‹", "<")
    plain = _LINE_MARK.sub("", plain.replace("\\n", "\n").replace("\\t", " "))
    return "".join(plain.replace("\\", "").split())


_LINE_MARK = re.compile(r"^[^\S\n]*(?:>[^\S\n]?)+", re.MULTILINE)


def verdict_fields(text: str, source: Source) -> Fields:
    """The fields of the verdict that counts, as the arbiter wrote them.

    Raises:
        VerdictError: there is none, or it is unclear which one counts or where a field ends.
    """
    found = _with_code(text, source) if source.code and source.code in text else None
    if found is None:
        found = _without_code(_shown(text), source)
    if found is None:
        raise VerdictError(_NONE_FOUND)
    return found


def _shown(text: str) -> str:
    """The reply without its thinking.

    Raises:
        VerdictError: a verdict stands before a closing tag that nothing opens: it may be the
            arbiter's own, and what follows a quotation.
    """
    if text.lstrip("\ufeff \n").startswith("{"):
        return text.lstrip("\ufeff \n")
    shown = without_thinking(text)
    before = text[: text.rfind(shown)] if shown else text
    holds_one = "</verdict" in before.lower() or _KEY.search(before)
    if holds_one and shown and before.lstrip()[:1] not in {"<", "[", "◁"}:
        raise VerdictError("there is a verdict before a closing tag of thinking; write one alone")
    return shown


def _with_code(text: str, source: Source) -> Fields | None:
    """The last verdict with the code, inside or outside code blocks and thinking."""
    code = re.compile(rf"<verdict\s[^<>]*\b{re.escape(source.code)}\b[^<>]*>", re.IGNORECASE)
    if openings := list(code.finditer(text)):
        begin = openings[-1].start()
        blocks = (part for part in markup_of(text).code if part.start <= begin < part.inner_end)
        end = next((block.inner_end for block in blocks), len(text))
        ways = (markup_of, _only_closed_blocks, _nothing)
        return _first_readable(text[begin:end], source, ways) or _first_readable(
            text[begin:], source, ways
        )
    coded = [
        each.fields
        for each in _objects(markup_of(text), everywhere=True)
        if each.fields.get("code") == source.code
    ]
    if not coded and re.search(rf"""["']code["']\s*:\s*["']{re.escape(source.code)}""", text):
        raise VerdictError("the JSON object with the code cannot be read; write it again.")
    return coded[-1] if coded else None


def _without_code(shown: str, source: Source) -> Fields | None:
    if (found := _in_one_block(shown, source)) is not None:
        return found
    markup = markup_of(shown)
    objects = [
        each
        for each in _objects(markup, everywhere=False)
        if not source.quotes(shown[each.start : each.end])
    ]
    begins_with_one = len(objects) == 1 and objects[0].start == 0
    if begins_with_one and "<verdict" not in shown[objects[0].end :].lower():
        return objects[0].fields
    found = _first_readable(shown, source, ways=(markup_of, _only_closed_blocks))
    if found is not None and objects:
        raise VerdictError("there are several verdicts; write one, quote none")
    return found or _only_one(markup, source, objects)


def _in_one_block(shown: str, source: Source) -> Fields | None:
    """The only verdict of a reply that is one block, whose inner blocks end it too early."""
    whole = _ONE_BLOCK.fullmatch(shown)
    if whole is None or len(_VERDICT_OPENS.findall(shown)) > 1:
        return None
    inner = whole[1].strip()
    if inner.startswith("{"):
        decoded = _decoded(inner)
        return decoded[0] if decoded and not source.quotes(inner) else None
    return _first_readable(inner, source, ways=(markup_of, _only_closed_blocks))


_ONE_BLOCK = re.compile(r"(?:```|~~~)[^\n]*\n(.*)\n[^\S\n]*(?:```|~~~)", re.DOTALL)
_VERDICT_OPENS = re.compile(r"<verdict\b", re.IGNORECASE)


def _only_one(markup: Markup, source: Source, objects: list[_Object]) -> Fields | None:
    """The verdict in an object or in a block at the reply's edge, if it is the only one."""
    found = [each.fields for each in objects]
    for block in _edge_blocks(markup):
        inner = markup.text[block.inner_start : block.inner_end]
        if "<verdict" in inner.lower():
            fields = _first_readable(inner, source, ways=(markup_of,))
            found += [fields] if fields else []
    keys = _KEY.findall(markup.text)
    if len(found) > 1 or (found and len(set(keys)) < len(keys)):
        raise VerdictError("there are several verdicts; write one, quote none")
    return found[0] if found else None


def _edge_blocks(markup: Markup) -> list[Code]:
    """The blocks that the reply begins or ends with."""
    ends = [part for part in markup.code[-1:] if not markup.text[part.end :].strip()]
    begins = [part for part in markup.code[:1] if part.start == 0 and part not in ends]
    return [part for part in (*begins, *ends) if part.is_block]


# JSON objects
_MAX_REPAIRED = 200_000
"""The most characters of invalid JSON that is repaired: a megabyte takes json-repair a second."""
_KEY = re.compile(rf"""["']({"|".join(FIELDS)})["']\s*:""", re.IGNORECASE)


class _Object(NamedTuple):
    start: int
    end: int
    fields: Fields


_LINE_WITH_BRACE = re.compile(r"^[^\S\n]{0,8}\{", re.MULTILINE)
_MAX_OBJECTS = 20


def _objects(markup: Markup, *, everywhere: bool) -> list[_Object]:
    """The JSON objects that look like a verdict, in order.

    Args:
        markup: the reply.
        everywhere: look at the first brace, and at each block; else only where the reply begins
            and ends.
    """
    text = markup.text
    if everywhere:  # only the outermost: another one may be quoted in it
        starts = {text.find("{"), markup.bare.find("{")}
    else:
        lines = [found.end() - 1 for found in _LINE_WITH_BRACE.finditer(markup.bare)]
        starts = {*(lines[:1] if text.startswith("{") else ()), *lines[-1:]}
    places = [(start, len(text)) for start in starts if start >= 0]
    for block in markup.code[-_MAX_OBJECTS:] if everywhere else _edge_blocks(markup):
        inner = text[block.inner_start : block.inner_end]
        places.append((block.inner_end - len(inner.lstrip()), block.inner_end))
    found = []
    for start, end in sorted(places)[-_MAX_OBJECTS:]:
        if text.startswith("{", start) and (decoded := _decoded(text[start:end])):
            found.append(_Object(start, start + decoded[1], decoded[0]))
    return found


def _decoded(text: str) -> tuple[Fields, int] | None:
    """The verdict that a text begins with, and where it ends; raw line breaks are allowed."""
    if len(keys := _KEY.findall(text[:_MAX_REPAIRED])) == 0:
        return None
    try:
        found, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        found, end = _repaired(text, keys)
    if isinstance(found, dict) and len(found) == 1:  # {"verdict": {…}}
        inner = next(iter(found.values()))
        found = inner if isinstance(inner, dict) else found
    if not isinstance(found, dict):
        return None
    fields = {str(key).lower(): value for key, value in found.items()}
    return (fields, end) if {"synthesis", "ranking"} & fields.keys() else None


def _without_repeated(pairs: list[tuple[str, Any]]) -> Fields:
    """The object; a key that it holds twice, as where one text is quoted, is refused."""
    found = dict(pairs)
    if len(found) < len(pairs) and any(key in FIELDS for key in found):
        raise VerdictError("a field of the JSON object stands twice; quote no fields")
    return found


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_without_repeated)


def _repaired(text: str, keys: list[str]) -> tuple[object, int]:
    """Nearly valid JSON, such as with a comma too many; `None` where it cannot be told."""
    end = text.rfind("}") + 1
    names = [key.lower() for key in keys]
    if not 0 < end <= _MAX_REPAIRED or len(set(names)) < len(names):
        return None, 0
    from json_repair import loads  # noqa: PLC0415 (rarely needed, and 40 ms to import)

    try:
        return loads(text[:end], skip_json_loads=True), end
    except (ValueError, RecursionError):
        return None, 0


# Elements
_VERDICT = re.compile(r"<\s{0,8}(/?)\s{0,8}verdict(?:\s[^<>]{0,200})?\s{0,8}>", re.IGNORECASE)
_NAMES = "|".join(FIELDS).replace("_", r"\\?_")  # Markdown escapes an underscore
_FIELD = re.compile(rf"<({_NAMES})(?:\s[^<>]{{0,200}})?(/?)>", re.IGNORECASE)
_MAX_BETWEEN = 5_000
"""The most characters between two fields in which other elements are looked for."""
_NO_FIELD = re.compile(
    rf"<!--.{{0,2000}}?-->|<(\w+)(?:\s[^<>]*)?>(?:(?!</?(?:{_NAMES}|verdict)).){{0,2000}}?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)


def _only_closed_blocks(text: str) -> Markup:
    """The text with only closed blocks hidden, for a stray backtick or a forgotten fence."""
    code = tuple(each for each in markup_of(text).code if each.closed and each.is_block)
    return Markup(text, hide(text, code), code)


def _nothing(text: str) -> Markup:
    return Markup(text, text, ())


def _first_readable(
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
    if len(_VERDICT.findall(bare)) > 2 * _MAX_OBJECTS:
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
        decoded = None if source.quotes(content) else _decoded(content)
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
