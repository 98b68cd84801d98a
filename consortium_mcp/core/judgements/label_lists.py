"""Reads the lists of labels that an arbiter writes: `A, C`, `1. **A** (clear)`, `all but B`."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


class Labels(NamedTuple):
    """The labels that a text names, in order, and what else stood among them."""

    known: tuple[str, ...]
    unknown: tuple[str, ...]
    """Shortened; a remark in brackets is not among them."""


_NONE = re.compile(
    r"(?:none|no ?one|nobody|nothing|n/a|empty|null|keine[rs]?|niemand|aucune?|ninguno|nessuno"
    r"|никто|нет|无|無|なし)(?![\w-])"
)
_ALL = re.compile(
    r"(?:all|every(?: ?(?:one|body))?|alle|tous|todos|tutti|все|全部|所有|すべて)(?![\w-])"
    r"(?:\s+(?:of\s+)?(?:them|the|three|four|five|six|two|drei|vier|fünf|[0-9]+"
    r"|answers?|responses?|members?|labels?))*"
)
_BUT = re.compile(r"(?:but|except(?:\s+for)?|besides|apart\s+from|without|außer|ohne|sauf)\s+(.+)")
_WORDS = re.compile(
    r"\b(?:answers?|responses?|members?|labels?|models?|options?|and|und|et|y|и|both|only|just|the)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,;/|&=>+\n、，；＞和与と및]+")
_SAYS_NO = re.compile(
    r"(\S{1,40}?)\s{0,8}[:=]\s{0,8}"  # bounded: a long word must not take the square of its length
    r"(?:(no|not|false|0|nein|non|wrong|✗|❌)|(?:yes|true|1|ja|oui|right|✓|✅))"
    r"(?![\w.])",
    re.IGNORECASE,
)
_NUMBERING = re.compile(r"^\s*(?:[-*•+]\s+|[0-9]{1,3}[.):]\s*)+")
_REMARK = re.compile(
    r"^(\S+?)\s*(?:\s[-–—]\s|:|\s(?:because|since|as|is|for|which|who|weil|denn)\b).*$"
)
_MARKS = " \t.:\"'`*_()[]{}<>$"
_SHOWN = 20
_MAX_LIST = 20_000
"""The most characters of a list that is read: a longer one names no labels."""


def labels_in(value: object, labels: Collection[str]) -> Labels:
    """The labels that a text or JSON names, each once; all of them where it says `all`."""
    text = _without_remarks(_as_text(value)[:_MAX_LIST], labels)
    text = _SAYS_NO.sub(lambda found: "" if found[2] else found[1], text)
    plain = " ".join(text.split()).strip(_MARKS)
    if not plain or set(plain) <= set("-–—") or _NONE.match(plain.casefold()):
        return Labels((), ())
    if found := _ALL.match(plain.casefold()):
        rest = plain[found.end() :].strip(_MARKS + ",")
        if but := _BUT.match(rest.casefold()):
            left_out = labels_in(but[1], labels)
            known = tuple(each for each in labels if each not in left_out.known)
            return Labels(known, left_out.unknown)
        named = _listed(rest, labels)
        return named if named.known and not named.unknown else Labels(tuple(labels), ())
    return _listed(text, labels)


def _as_text(value: object) -> str:
    if isinstance(value, dict):  # {"A": true, "B": false}
        return "\n".join(str(key) for key, each in value.items() if each is True)
    if isinstance(value, list):
        return "\n".join(_as_text(part) for part in value)
    return "" if value is None else str(value)


def _listed(text: str, labels: Collection[str]) -> Labels:
    known: dict[str, None] = {}
    unknown: list[str] = []
    for row in text.split("\n"):
        for part in _BETWEEN.split(_without_heading(row, labels)):
            name = _NUMBERING.sub("", part)
            words = _WORDS.sub(" ", name).replace("][", " ").split()
            names = [bare for word in words if (bare := word.strip(_MARKS).upper())]
            remark = _REMARK.match(" ".join(words))
            if remark and not all(each in labels for each in names):
                names = [remark[1].strip(_MARKS).upper()]
            if all(each in labels for each in names):
                known |= dict.fromkeys(names)
            else:
                unknown.append(" ".join(name.split())[:_SHOWN])
    return Labels(tuple(known), tuple(unknown))


def _without_remarks(text: str, labels: Collection[str]) -> str:
    """The text without what stands in round or square brackets and names no label alone."""

    def kept(found: re.Match[str]) -> str:
        names = re.split(r"[\s,;&/]+", found[1].strip().upper())
        return found[0] if all(name.strip(_MARKS) in labels for name in names) else " "

    return re.sub(r"[(\[]([^()\[\]]*)[)\]]", kept, text)


class Groups(NamedTuple):
    """Groups of labels."""

    known: tuple[tuple[str, ...], ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]
    """Labels in more than one group."""


_BRACED = re.compile(r"[({\[]([^(){}\[\]]*)[)}\]]")


def groups_in(value: object, labels: Collection[str]) -> Groups:
    """The groups that a text or a JSON list of lists names: `A, C; B`, `{A, C} {B}`, `1. A, C`."""
    rows: list[object]
    if isinstance(value, list):
        rows = list(value[:_MAX_LIST])
    else:
        text = _without_remarks(_as_text(value)[:_MAX_LIST], labels)
        inner = [found[1] for found in _BRACED.finditer(text)]
        rows = [*inner] if len(inner) > 1 else re.split(r"[;\n|；]", text)
        rows = [_without_heading(str(row), labels) for row in rows]
    read = [labels_in(row, labels) for row in rows]
    groups = tuple(each.known for each in read if each.known)
    times = Counter(name for group in groups for name in group)
    return Groups(
        known=groups,
        unknown=tuple(name for each in read for name in each.unknown),
        repeated=tuple(sorted(name for name, count in times.items() if count > 1)),
    )


_GROUP = re.compile(
    r"\s*(?:[-*•]\s+)?\**(?:group|gruppe|groupe|grupo|cluster|set)\b[^:]*:", re.IGNORECASE
)


def _without_heading(row: str, labels: Collection[str]) -> str:
    """`Group 1: A, C` without its heading; `A: says 42` and `A, C: say 42` are left as they are."""
    if heading := _GROUP.match(row):
        return row[heading.end() :]
    head, colon, tail = row.partition(":")
    words = re.split(r"[\s,;&/]+", head)
    names_one = any(word.strip(_MARKS).upper() in labels for word in words)
    return row if names_one or not colon else tail
