"""An arbiter's text -> `ArbiterVerdict`, or a `VerdictError` that tells the arbiter what to mend.

Two forms are read: one `<verdict>` element, and a JSON object with the same names. The last
complete verdict counts. A field's content runs from its first opening tag to its last closing tag,
so that a tag quoted inside a synthesis stays text: what is ambiguous fails here and is asked for
again, it never becomes a number.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.answers import (
    final_answer_text,
    read_confidence,
    tag_span,
    without_thinking,
)
from consortium_mcp.core.errors import VerdictError
from consortium_mcp.core.models import Share, Value

if TYPE_CHECKING:
    from collections.abc import Collection

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
_NOTHING = frozenset({"", "-", "–", "none", "n/a", "nobody", "nothing", "empty", "(none)", "[]"})


class ArbiterVerdict(Value):
    """What the arbiter said, checked. Nothing is computed from it yet."""

    synthesis: str
    final_answer: str | None
    support: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    dissent: tuple[tuple[tuple[str, ...], str], ...]
    """(labels, argument) a line; no labels where the line names none."""
    refinements: tuple[str, ...]
    needs_iteration: bool
    confidence: Share | None
    ranking: tuple[str, ...]


def json_schema(labels: Collection[str]) -> dict[str, Any]:
    """The verdict as a JSON schema in the strict subset that providers enforce."""
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
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def parse_verdict(text: str, labels: Collection[str]) -> ArbiterVerdict:
    """Read and check an arbiter's verdict.

    Args:
        text: the arbiter's whole reply.
        labels: the labels of the members that answered; no other may be named.

    Raises:
        VerdictError: no complete verdict, no synthesis, an unknown label, or one label in two
            groups. The message is written for the arbiter.
    """
    raw = _from_json(text) or _from_tags(text)
    if raw is None:
        raise VerdictError(
            "there is no complete <verdict>…</verdict> (outside code blocks), nor a JSON object."
        )
    problems: list[str] = []
    synthesis = _text(raw.get("synthesis"))
    if not synthesis:
        problems.append("the synthesis is missing or empty")
    if raw.get("support") is None:
        problems.append("support is missing: name the labels, or leave it empty if it is none")
    support = _labels(raw.get("support"), labels, "support", problems)
    groups = _groups(raw.get("groups"), labels, problems)
    ranking = _labels(raw.get("ranking"), labels, "ranking", problems)
    if problems:
        raise VerdictError("; ".join(problems) + f". The labels are {', '.join(sorted(labels))}.")
    return ArbiterVerdict(
        synthesis=synthesis,
        final_answer=final_answer_text(_text(raw.get("final_answer"))),
        support=support,
        groups=groups,
        dissent=tuple(_attributed(line, labels) for line in _lines(raw.get("dissent"))),
        refinements=tuple(_lines(raw.get("refinements"))),
        needs_iteration=_truth(raw.get("needs_iteration")),
        confidence=_share(raw.get("confidence")),
        ranking=ranking,
    )


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
_CLOSING = re.compile(rf"</({'|'.join(FIELDS)})>", re.IGNORECASE)


def _from_tags(text: str) -> dict[str, str] | None:
    span = tag_span(text, "verdict")
    if span is None:
        return None
    body = text[span[0] : span[1]]
    last_closing = {match[1].lower(): match.start() for match in _CLOSING.finditer(body)}
    found: dict[str, str] = {}
    position = 0
    while opening := _OPENING.search(body, position):
        field = opening[1].lower()
        end = last_closing.get(field, -1)
        if end < opening.end():
            position = opening.end()
            continue
        found[field] = body[opening.end() : end].strip()
        position = end
    return found


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _lines(value: object) -> list[str]:
    rows = value if isinstance(value, list) else _text(value).splitlines()
    lines = (re.sub(r"^\s*(?:[-*•]|[0-9]+[.)])\s+", "", _text(row)).strip() for row in rows)
    return [line for line in lines if line.lower().strip(".") not in _NOTHING]


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return _text(value).lower().strip(".") in {"true", "yes", "1"}


def _share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return read_confidence(str(value))


def _names(value: object) -> list[str]:
    """The labels named in a list or in text such as `Answers A and C`."""
    if isinstance(value, list):
        parts = [_text(part) for part in value]
    else:
        text = re.sub(r"(?i)\b(?:answers?|responses?|members?|labels?|and)\b", " ", _text(value))
        parts = [] if text.strip(" .").lower() in _NOTHING else re.split(r"[\s,;>&]+", text)
    return [name for part in parts if (name := part.strip(" .:\"'()[]").upper())]


def _labels(
    value: object, known: Collection[str], field: str, problems: list[str]
) -> tuple[str, ...]:
    names = list(dict.fromkeys(_names(value)))
    strangers = [name for name in names if name not in known]
    if strangers:
        shown = ", ".join(name[:20] for name in strangers[:5])
        problems.append(f"{field} names {shown}, which is no label")
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


def _attributed(line: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """`B, D: says 41` -> (("B", "D"), "says 41"); a line that names nobody stays whole."""
    head, colon, tail = line.partition(":")
    names = _names(head)
    if colon and tail.strip() and names and all(name in known for name in names):
        return tuple(dict.fromkeys(names)), tail.strip()
    return (), line
