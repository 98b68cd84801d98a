"""Parses an arbiter's reply to an `ArbiterVerdict`, or raises an error written for the arbiter.

A verdict is a `<verdict>` element, or a JSON object with the same fields. The last complete verdict
counts. Its fields follow one another, each at most once. A tag quoted inside a field is kept as
text where that is certain. Anything ambiguous is a `VerdictError`, so that the arbiter is asked
again: a guess never becomes a number.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Share, Value
from consortium_mcp.core.reading.final_answers import final_answer_text
from consortium_mcp.core.reading.markup import tags, without_thinking
from consortium_mcp.core.reading.stated_confidence import read_confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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
_EMPTY_WORDS = frozenset(
    {"", "-", "–", "none", "n/a", "nobody", "nothing", "empty", "(none)", "[]"}
)


class ArbiterVerdict(Value):
    """An arbiter's verdict, parsed and checked, before anything is computed from it."""

    synthesis: str
    final_answer: str | None
    support: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    dissent: tuple[tuple[tuple[str, ...], str], ...]
    """(labels, argument) for each line; no labels where the line names none."""
    refinements: tuple[str, ...]
    needs_iteration: bool
    confidence: Share | None
    ranking: tuple[str, ...]


class Ranking(Value):
    """An arbiter's ranking of the responses, parsed and checked."""

    ranking: tuple[str, ...]
    """Best first; never empty, perhaps incomplete."""
    groups: tuple[tuple[str, ...], ...]
    confidence: Share | None


def json_schema(labels: Collection[str], fields: Sequence[str] = FIELDS) -> dict[str, Any]:
    """The JSON schema of a verdict of these fields, in the strict subset that providers enforce."""
    label = {"type": "string", "enum": sorted(labels)}
    lines = {"type": "array", "items": {"type": "string"}}
    properties: dict[str, Any] = {
        "synthesis": {"type": "string"},
        "final_answer": {"type": "string"},
        "support": {"type": "array", "items": label},
        "groups": {"type": "array", "items": {"type": "array", "items": label}},
        "dissent": lines,
        "refinements": lines,
        "needs_iteration": {"type": "boolean"},
        "confidence": {"type": "number"},
        "ranking": {"type": "array", "items": label},
    }
    return {
        "type": "object",
        "properties": {field: properties[field] for field in fields},
        "required": list(fields),
        "additionalProperties": False,
    }


def parse_verdict(text: str, labels: Collection[str]) -> ArbiterVerdict:
    """Parse and check an arbiter's verdict.

    Args:
        text: the arbiter's whole reply.
        labels: the labels of the members that answered; the verdict may name no others.

    Raises:
        VerdictError: no complete verdict, no synthesis, no support, an unknown label, or one
            label in two groups. The message is written for the arbiter.
    """
    raw = _fields(text)
    problems: list[str] = []
    synthesis = _text(raw.get("synthesis"))
    if not synthesis:
        problems.append("the synthesis is missing or empty")
    if raw.get("support") is None:
        problems.append("support is missing: name the labels, or leave it empty if it is none")
    support = _labels(raw.get("support"), labels, "support", problems)
    groups = _groups(raw.get("groups"), labels, problems)
    ranking = _labels(raw.get("ranking"), labels, "ranking", problems)
    _check(problems, labels)
    return ArbiterVerdict(
        synthesis=synthesis,
        final_answer=final_answer_text(_text(raw.get("final_answer"))),
        support=support,
        groups=groups,
        dissent=tuple(_dissent_line(line, labels) for line in _lines(raw.get("dissent"))),
        refinements=tuple(_lines(raw.get("refinements"))),
        needs_iteration=_boolean(raw.get("needs_iteration")),
        confidence=_share(raw.get("confidence")),
        ranking=ranking,
    )


def parse_ranking(text: str, labels: Collection[str]) -> Ranking:
    """Parse and check an arbiter's ranking; arguments and errors as for `parse_verdict`."""
    raw = _fields(text)
    problems: list[str] = []
    ranking = _labels(raw.get("ranking"), labels, "ranking", problems)
    if not ranking:
        problems.append("the ranking is missing or empty: name the labels, best first")
    groups = _groups(raw.get("groups"), labels, problems)
    _check(problems, labels)
    return Ranking(ranking=ranking, groups=groups, confidence=_share(raw.get("confidence")))


def _fields(text: str) -> dict[str, Any]:
    raw = _from_json(text) or _from_tags(text)
    if raw is None:
        raise VerdictError(
            "there is no complete <verdict>…</verdict> (outside code blocks), nor a JSON object."
        )
    return raw


def _check(problems: list[str], labels: Collection[str]) -> None:
    if problems:
        raise VerdictError("; ".join(problems) + f". The labels are {', '.join(sorted(labels))}.")


def _from_json(text: str) -> dict[str, Any] | None:
    body = without_thinking(text)
    fenced = re.fullmatch(r"```(?:json)?\s*\n(.*)\n```", body, re.DOTALL)
    try:
        found = json.loads(fenced[1] if fenced else body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    inner = found.get("verdict")
    return inner if isinstance(inner, dict) else found


_OPENING = re.compile(rf"<({'|'.join(FIELDS)})>", re.IGNORECASE)


def _from_tags(text: str) -> dict[str, str] | None:
    """The fields of the last verdict; each may occur once.

    Raises:
        VerdictError: a field occurs twice or is not closed, or something that looks like a tag
            stands between two fields. A verdict quoted inside a field leads to any of these.
    """
    body = _last_verdict(text)
    if body is None:
        return None
    found: dict[str, str] = {}
    position = 0
    while opening := _OPENING.search(body, position):
        field = opening[1].lower()
        closing = re.compile(rf"</{field}>", re.IGNORECASE).search(body, opening.end())
        if closing is None:
            raise VerdictError(f"the field <{field}> is not closed")
        if field in found:
            raise VerdictError(f"the field <{field}> stands twice; quote no tags")
        _check_between(body[position : opening.start()])
        found[field] = body[opening.end() : closing.start()].strip()
        position = closing.end()
    _check_between(body[position:])
    return found


def _check_between(text: str) -> None:
    if "<" in text:
        shown = " ".join(text.split())[:60]
        raise VerdictError(f"there is {shown!r} between the fields; quote no tags")


def _last_verdict(text: str) -> str | None:
    """The content of the last complete verdict.

    Raises:
        VerdictError: one verdict is inside another, as when the arbiter quotes one, so that it
            is unclear which one is meant.
    """
    found, opening = None, None
    for tag in tags(text, "verdict"):
        if tag.closing and opening is not None:
            found, opening = text[opening.end : tag.start], None
        elif tag.closing:
            raise VerdictError("there is a </verdict> too many; write one verdict, quote none")
        elif opening is not None:
            raise VerdictError("there is a <verdict> inside a verdict; write one, quote none")
        else:
            opening = tag
    return found


def _text(value: object) -> str:
    return (
        clean(value).strip() if isinstance(value, str) else ""
    )  # JSON escapes can hide surrogates


def _lines(value: object) -> list[str]:
    rows = value if isinstance(value, list) else _text(value).splitlines()
    lines = (re.sub(r"^\s*(?:[-*•]|[0-9]+[.)])\s+", "", _text(row)).strip() for row in rows)
    return [line for line in lines if line.lower().strip(".") not in _EMPTY_WORDS]


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return _text(value).lower().strip(".") in {"true", "yes", "1"}


def _share(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value <= 1 else read_confidence(str(value))
    return read_confidence(value) if isinstance(value, str) else None


def _names(value: object) -> list[str]:
    """The labels named in a list or in text such as `Answers A and C`."""
    if isinstance(value, list):
        parts = [_text(part) for part in value]
    else:
        text = re.sub(r"(?i)\b(?:answers?|responses?|members?|labels?|and)\b", " ", _text(value))
        parts = [] if text.strip(" .").lower() in _EMPTY_WORDS else re.split(r"[\s,;>&]+", text)
    return [name for part in parts if (name := part.strip(" .:\"'()[]").upper())]


def _labels(
    value: object, known: Collection[str], field: str, problems: list[str]
) -> tuple[str, ...]:
    names = list(dict.fromkeys(_names(value)))
    unknown = [name for name in names if name not in known]
    if unknown:
        shown = ", ".join(name[:20] for name in unknown[:5])
        problems.append(f"{field} names {shown}, which is not a label")
    return tuple(names)


def _groups(
    value: object, known: Collection[str], problems: list[str]
) -> tuple[tuple[str, ...], ...]:
    rows = value if isinstance(value, list) else re.split(r"[;\n]", _text(value))
    groups = [g for g in (_labels(row, known, "groups", problems) for row in rows) if g]
    seen = Counter(name for group in groups for name in group)
    twice = sorted(name for name, times in seen.items() if times > 1)
    if twice:
        problems.append(f"{', '.join(twice)} stands in more than one group")
    return tuple(groups)


def _dissent_line(line: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Split `B, D: says 41` to (("B", "D"), "says 41"); a line that names nobody is kept whole."""
    head, colon, tail = line.partition(":")
    names = _names(head)
    if colon and tail.strip() and names and all(name in known for name in names):
        return tuple(dict.fromkeys(names)), tail.strip()
    return (), line
