"""Parses a reviewer's reply: a ranking of several answers, or the check of one.

A reply is found as an arbiter's verdict is, by the reviewer's code, so that a review which an
answer brings along is a quotation. It is read leniently: unknown labels are left out and named,
half a ranking counts for what it says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.domain.values import Value
from consortium_mcp.core.domain.verdict import Finding
from consortium_mcp.core.judgements.verdict_places import verdict_fields
from consortium_mcp.core.judgements.verdicts import FieldReader, labelled_line

if TYPE_CHECKING:
    from collections.abc import Collection

    from consortium_mcp.core.judgements.quotations import Source

RANKING_FIELDS = ("reasons", "first_errors", "ranking")
"""What a reviewer of several answers writes; the ranking comes last, after it has looked."""
CHECK_FIELDS = ("first_errors", "finding")
"""What a checker of one answer writes."""


class ReadRanking(Value):
    """A review of several answers, by the labels that its reviewer saw."""

    ranking: tuple[str, ...]
    """Best first; never empty, perhaps incomplete."""
    first_errors: dict[str, str]
    """Without the answers in which no error was found."""
    warnings: tuple[str, ...] = ()


class ReadCheck(Value):
    """A check of one answer."""

    finding: Finding
    first_error: str | None


def parse_ranking_of_peers(text: str, labels: Collection[str], source: Source) -> ReadRanking:
    """Parse a review of several answers.

    Args:
        text: the reviewer's whole reply.
        labels: the labels that it saw.
        source: its code, and what it read.

    Raises:
        VerdictError: there is no review, or none that ranks an answer it was shown.
    """
    reader = FieldReader(verdict_fields(text, source), labels)
    ranking = reader.labels("ranking")
    if not ranking:
        raise VerdictError("it ranks none of the answers that it was shown")
    return ReadRanking(
        ranking=ranking,
        first_errors=_first_errors(reader, labels),
        warnings=tuple(reader.warnings),
    )


def _first_errors(reader: FieldReader, labels: Collection[str]) -> dict[str, str]:
    """The first error in each answer that has one; a line that names no label is left out."""
    found: dict[str, str] = {}
    for line in reader.lines("first_errors")[:_MAX_LINES]:
        named, said = labelled_line(line, labels)
        if not _says_none(said):
            found |= {label: said for label in named if label not in found}
    return found


_MAX_LINES = 200
"""The most lines that are looked at: more than anybody is shown answers."""


def _says_none(said: str) -> bool:
    """Whether a few words say that there is no error."""
    return len(said) <= _LONGEST_NONE and _NO_ERROR.fullmatch(said) is not None


_LONGEST_NONE = 40
_NO_ERROR = re.compile(
    r"\W*(?:(?:no|not any|without)(?: \w+)? errors?(?: (?:found|seen))?|no|none(?: found)?|n/a"
    r"|nothing|-+|–|keine?r?|aucune?|ningun[oa]?|нет|无|無)\W*",
    re.IGNORECASE,
)
_FINDINGS: tuple[tuple[re.Pattern[str], Finding], ...] = (
    (re.compile(r"\b(?:can ?not|can'?t|unsure|unclear|unknown|undecided)\b"), "cannot tell"),
    (re.compile(r"\b(?:wrong|incorrect|false|not (?:right|correct|true))\b"), "wrong"),
    (re.compile(r"(?<!not )\b(?:right|correct|true)\b"), "right"),
)


def parse_check(text: str, source: Source) -> ReadCheck:
    """Parse the check of one answer; an error that is named makes no answer wrong by itself.

    Raises:
        VerdictError: there is no check, or it finds nothing, or several things at once.
    """
    reader = FieldReader(verdict_fields(text, source), ())
    said = reader.text("finding").casefold()
    found = [finding for pattern, finding in _FINDINGS if pattern.search(said)]
    if len(found) != 1:
        raise VerdictError("it does not say whether the answer is right")
    finding = found[0]
    error = " ".join(reader.lines("first_errors"))
    if finding == "right" or not error or _says_none(error):
        return ReadCheck(finding=finding, first_error=None)
    return ReadCheck(finding=finding, first_error=error)
