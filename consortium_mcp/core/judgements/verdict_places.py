"""Finds the verdict in an arbiter's reply, with the code or without.

A verdict is a `<verdict>` element, or a JSON object with the same fields. The arbiter is asked to
repeat the run's code in it, which no member knows: a verdict with the code counts wherever it
stands. One without the code counts only

1. as a JSON object that the reply begins or ends with,
2. as the last complete element outside code,
3. as the only verdict in a code block that the reply begins or ends with.

What stands word for word in a member's answer, the conversation or the prompt is a quotation and
never counts without the code. Anything ambiguous is a `VerdictError`, so that the arbiter is asked
again: a guess never becomes a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.judgements.verdict_elements import (
    first_readable,
    hide_nothing,
    only_closed_blocks,
)
from consortium_mcp.core.judgements.verdict_json import (
    KEY,
    Fields,
    VerdictObject,
    decoded_verdict,
    edge_blocks,
    verdict_objects,
)
from consortium_mcp.core.reading.markup import markup_of, without_thinking

if TYPE_CHECKING:
    from consortium_mcp.core.judgements.quotations import Source
    from consortium_mcp.core.reading.markup import Markup

_NONE_FOUND = "there is no complete <verdict>…</verdict> (outside code blocks), nor a JSON object."


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
    holds_one = "</verdict" in before.lower() or KEY.search(before)
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
        ways = (markup_of, only_closed_blocks, hide_nothing)
        return first_readable(text[begin:end], source, ways) or first_readable(
            text[begin:], source, ways
        )
    coded = [
        each.fields
        for each in verdict_objects(markup_of(text), everywhere=True)
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
        for each in verdict_objects(markup, everywhere=False)
        if not source.quotes(shown[each.start : each.end])
    ]
    begins_with_one = len(objects) == 1 and objects[0].start == 0
    if begins_with_one and "<verdict" not in shown[objects[0].end :].lower():
        return objects[0].fields
    found = first_readable(shown, source, ways=(markup_of, only_closed_blocks))
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
        decoded = decoded_verdict(inner)
        return decoded[0] if decoded and not source.quotes(inner) else None
    return first_readable(inner, source, ways=(markup_of, only_closed_blocks))


_ONE_BLOCK = re.compile(r"(?:```|~~~)[^\n]*\n(.*)\n[^\S\n]*(?:```|~~~)", re.DOTALL)
_VERDICT_OPENS = re.compile(r"<verdict\b", re.IGNORECASE)


def _only_one(markup: Markup, source: Source, objects: list[VerdictObject]) -> Fields | None:
    """The verdict in an object or in a block at the reply's edge, if it is the only one."""
    found = [each.fields for each in objects]
    for block in edge_blocks(markup):
        inner = markup.text[block.inner_start : block.inner_end]
        if "<verdict" in inner.lower():
            fields = first_readable(inner, source, ways=(markup_of,))
            found += [fields] if fields else []
    keys = KEY.findall(markup.text)
    if len(found) > 1 or (found and len(set(keys)) < len(keys)):
        raise VerdictError("there are several verdicts; write one, quote none")
    return found[0] if found else None
