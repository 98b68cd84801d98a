"""Parses an arbiter's reply to an `ArbiterVerdict`, or raises an error written for the arbiter.

What the arbiter wrote is kept: a field that cannot be read is absent and named in the warnings, and
unknown labels are left out and named. Only a missing synthesis, or a missing ranking where only a
ranking was asked for, is asked for again. `verdict_places` finds the verdict.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.domain.text import clean
from consortium_mcp.core.domain.values import Share, Value
from consortium_mcp.core.judgements.label_lists import groups_in, labels_in
from consortium_mcp.core.judgements.quotations import Source
from consortium_mcp.core.judgements.verdict_json import VERDICT_FIELDS
from consortium_mcp.core.judgements.verdict_places import verdict_fields
from consortium_mcp.core.reading.final_answers import final_answer_text
from consortium_mcp.core.reading.stated_confidence import read_confidence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


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
    warnings: tuple[str, ...] = ()
    """What of the verdict could not be read."""


class Ranking(Value):
    """An arbiter's ranking of the responses, parsed and checked."""

    ranking: tuple[str, ...]
    """Best first; never empty, perhaps incomplete."""
    groups: tuple[tuple[str, ...], ...]
    confidence: Share | None
    warnings: tuple[str, ...] = ()
    """What of it could not be read."""


def json_schema(
    labels: Collection[str], fields: Sequence[str] = VERDICT_FIELDS, code: str = ""
) -> dict[str, Any]:
    """The JSON schema of a verdict of these fields, in the strict subset that providers enforce."""
    label = {"type": "string", "enum": sorted(labels)}
    text = {"type": "string"}
    lines = {"type": "array", "items": text}
    listed = {"type": "array", "items": label}
    types: dict[str, Any] = {
        "code": {"type": "string", "enum": [code]},
        "synthesis": text,
        "final_answer": text,
        "support": listed,
        "groups": {"type": "array", "items": listed},
        "dissent": lines,
        "refinements": lines,
        "needs_iteration": {"type": "boolean"},
        "confidence": {"type": "number"},
        "ranking": listed,
        "finding": {"type": "string", "enum": ["right", "wrong", "cannot tell"]},
        "reasons": lines,
        "first_errors": lines,
    }
    named = (*(("code",) if code else ()), *fields)
    return {
        "type": "object",
        "description": "Your verdict on what you were given to judge.",
        "properties": {name: types[name] | {"description": _MEANING[name]} for name in named},
        "required": list(named),
        "additionalProperties": False,
    }


_MEANING = {
    "code": "The code of this run, as given: it shows that this verdict is yours and no quotation.",
    "synthesis": (
        "The complete answer for the asker. It stands alone, and does not speak of the panel or of "
        "labels."
    ),
    "final_answer": "The short definite answer alone, where the question has one; else empty.",
    "support": "The labels of the members whose answer the synthesis is based on; may be empty.",
    "groups": "All labels, grouped by what their answers say: one list for each different answer.",
    "dissent": (
        "One line for each group that the synthesis is not based on: its labels, a colon, what it "
        "says and why it is wrong or may matter."
    ),
    "refinements": "What the members should look at again, one point each; may be empty.",
    "needs_iteration": "Whether a named open point could still change the answer.",
    "confidence": "How likely the synthesis, or the best answer, is right: from 0.0 to 1.0.",
    "ranking": "All labels, best answer first.",
    "finding": "Whether the answer is right.",
    "reasons": "One line for each answer: its label, a colon, and what decides its place.",
    "first_errors": (
        "The first error in an answer, with its place; where there are several answers, one line "
        "for each that has one: its label, a colon, the error."
    ),
}


def parse_verdict(
    text: str, labels: Collection[str], source: Source | None = None
) -> ArbiterVerdict:
    """Parse and check an arbiter's verdict.

    Args:
        text: the arbiter's whole reply.
        labels: the labels of the members that answered.
        source: the run's code and what the arbiter read; see `verdict_places`.

    Raises:
        VerdictError: no complete verdict, no synthesis, or it is unclear where a field ends. The
            message is written for the arbiter.
    """
    reader = FieldReader(verdict_fields(text, source or Source()), labels)
    synthesis = reader.text("synthesis")
    if not synthesis:
        raise VerdictError("the synthesis is missing or empty.")
    return ArbiterVerdict(
        synthesis=synthesis,
        final_answer=reader.final_answer(),
        support=reader.labels("support", absent=True),
        groups=reader.groups(),
        dissent=tuple(labelled_line(line, labels) for line in reader.lines("dissent")),
        refinements=tuple(reader.lines("refinements")),
        needs_iteration=reader.boolean("needs_iteration"),
        confidence=reader.confidence(),
        ranking=reader.labels("ranking"),
        warnings=tuple(reader.warnings),
    )


def parse_ranking(text: str, labels: Collection[str], source: Source | None = None) -> Ranking:
    """Parse and check an arbiter's ranking; arguments and errors as for `parse_verdict`."""
    reader = FieldReader(verdict_fields(text, source or Source()), labels)
    ranking = reader.labels("ranking")
    if not ranking:
        known = ", ".join(sorted(labels))
        raise VerdictError(
            f"the ranking is missing or empty: name the labels, best first. The labels are {known}."
        )
    return Ranking(
        ranking=ranking,
        groups=reader.groups(),
        confidence=reader.confidence(),
        warnings=tuple(reader.warnings),
    )


class FieldReader:
    """Reads the single fields of a verdict or a review, and notes what cannot be read."""

    def __init__(self, fields: dict[str, Any], labels: Collection[str]) -> None:
        self._fields = fields
        self._labels = labels
        self.warnings: list[str] = []

    def text(self, field: str) -> str:
        """The field as text; empty where it is absent."""
        return _text(self._fields.get(field))

    def final_answer(self) -> str | None:
        """The short definite answer; `None` where there is none."""
        return final_answer_text(self.text("final_answer"))

    def labels(self, field: str, *, absent: bool = False) -> tuple[str, ...]:
        """The labels of a field; with `absent`, it is noted if the field is not there."""
        value = self._fields.get(field)
        if value is None and absent:
            self.warnings.append(f"It gave no {field}.")
        found = labels_in(value, self._labels)
        self._note_unknown(field, found.unknown)
        return found.known

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The groups of labels; none where a label is in several."""
        found = groups_in(self._fields.get("groups"), self._labels)
        self._note_unknown("groups", found.unknown)
        if found.repeated:
            named = ", ".join(found.repeated)
            self.warnings.append(f"Its groups were ignored, as {named} is in more than one.")
            return ()
        return found.known

    def _note_unknown(self, field: str, unknown: tuple[str, ...]) -> None:
        if unknown:
            shown = ", ".join(repr(each) for each in dict.fromkeys(unknown[:5]))
            self.warnings.append(f"In its {field}, {shown} is no label and was left out.")

    def lines(self, field: str) -> list[str]:
        """The lines of a field, without bullets and without those that say "none"."""
        value = self._fields.get(field)
        rows = value if isinstance(value, list) else _text(value).splitlines()
        lines = (_BULLET.sub("", _text(row)).strip() for row in rows)
        return [line for line in lines if line.lower().strip(".") not in _EMPTY_WORDS]

    def boolean(self, field: str) -> bool:
        """Whether the field says yes."""
        return self.text(field).lower().strip(" .*`") in {"true", "yes", "1"}

    def confidence(self) -> float | None:
        """The confidence from 0 to 1; `None` where none can be read."""
        value = self._fields.get("confidence")
        if isinstance(value, bool) or value is None or value == "":
            return None
        is_share = isinstance(value, int | float) and 0 <= value <= 1
        found = float(value) if is_share else read_confidence(_text(value))
        if found is None:
            shown = _text(value)[:20]
            self.warnings.append(f"Its confidence, {shown!r}, could not be read.")
        return found


_BULLET = re.compile(r"^\s*(?:[-*•]|[0-9]+[.)])\s+")
_EMPTY_WORDS = frozenset(
    {"", "-", "–", "none", "n/a", "nobody", "nothing", "empty", "(none)", "[]"}
)


def _text(value: object) -> str:
    """The value as text: a number where a text was asked for is that text."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = "\n".join(value)
    elif value is not None and not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return clean(value or "").strip()  # JSON escapes can hide surrogates


def labelled_line(line: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Split `B, D: says 41` to (("B", "D"), "says 41"); a line that names nobody is kept whole."""
    head, _, tail = line.partition(":")
    names = labels_in(head.strip(" *"), known)
    if tail.strip() and names.known and not names.unknown:
        return names.known, tail.strip(" *")
    return (), line
