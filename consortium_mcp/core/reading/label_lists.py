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
    r"(?:none|no ?one|nobody|nothing|n/a|empty|null|keine[rs]?|aucune?|ninguno|нет|无|無)"
    r"(?:\s+of\b.*)?"
)
_ALL = re.compile(
    r"(?:all|every(?:one|body)?|alle|tous|todos|tutti|все|全部|所有)"
    r"(?:\s+(?:of\s+)?(?:them|the\s+)?\s*(?:answers|responses|members|labels)?)?"
    r"(?:\s*(?:,\s*)?(?:but|except(?:\s+for)?|besides|apart\s+from|außer|sauf)\s+(?P<but>.+))?"
)
_WORDS = re.compile(
    r"\b(?:answers?|responses?|members?|labels?|models?|options?|and|und|et|y)\b", re.IGNORECASE
)
_BETWEEN = re.compile(r"[,;/|&=>\n、，；＞]+")
_NUMBERING = re.compile(r"^\s*(?:[-*•+]\s+|[0-9]{1,3}[.):]\s*)+")
_REMARK = re.compile(r"^(\S+?)\s*(?:\s[-–—]\s|:).*$")
_MARKS = " \t.:\"'`*_()[]{}<>"
_SHOWN = 20
_MAX_LIST = 20_000
"""The most characters of a list that is read: a longer one names no labels."""


def labels_in(value: object, labels: Collection[str]) -> Labels:
    """The labels that a text or a JSON list names, each once; all of them where it says `all`."""
    if isinstance(value, list):
        parts = [str(part) for part in value[:_MAX_LIST]]
    else:
        text = _without_remarks(str(value or "")[:_MAX_LIST], labels)
        plain = " ".join(text.casefold().split()).strip(_MARKS)
        if not plain or set(plain) <= set("-–—") or _NONE.fullmatch(plain):
            return Labels((), ())
        if found := _ALL.fullmatch(plain):
            but = labels_in(found["but"] or "", labels)
            return Labels(tuple(each for each in labels if each not in but.known), but.unknown)
        parts = _BETWEEN.split(text)
    known: dict[str, None] = {}
    unknown: list[str] = []
    for part in parts:
        name = _NUMBERING.sub("", _without_remarks(part, labels))
        words = _WORDS.sub(" ", name).replace("][", " ").split()
        names = [bare for word in words if (bare := word.strip(_MARKS).upper())]
        if not names:
            continue
        remark = _REMARK.match(" ".join(words))
        if not all(each in labels for each in names) and remark:
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
        text = _without_remarks(str(value or "")[:_MAX_LIST], labels)
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


def _without_heading(row: str, labels: Collection[str]) -> str:
    """`Group 1: A, C` without its heading; `A: says 42` names A."""
    head, colon, tail = row.partition(":")
    if not colon:
        return row
    return head if labels_in(head, labels).known else tail
