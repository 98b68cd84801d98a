"""Cut data to a number of bytes, and say what was left out and how to get it.

What a tool returns stands in the conversation of the model that called it, and clients refuse or
hide what is too long. So nothing is sent that has no bound, whatever a run was.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def size(value: object) -> int:
    """Bytes of the value as JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def beginning(text: str, room: int) -> str:
    """The longest beginning of the text that takes at most `room` bytes as JSON."""
    text = text[: max(room, 0)]
    if size(text) <= room:
        return text
    return text[: max(0, bisect_right(range(len(text)), room, key=lambda n: size(text[:n])) - 1)]


@dataclass(frozen=True)
class Cutting:
    """Where a result may be cut, and how its reader gets the rest."""

    rest: Mapping[str, str] = field(default_factory=dict)
    """Field -> the call that gets its rest, or another way to it."""
    others: str | None = None
    """The same for every other field; `None` where there is no way."""
    excerpts: Mapping[str, int] = field(default_factory=dict)
    """Field -> the characters of it that are always enough."""
    last: str | None = None
    """The text to cut last."""
    whole: Collection[str] = ()
    """Fields that are of no use in part: they are left out where they do not fit."""
    keep: Collection[str] = ()
    """Fields to leave as they are, such as a page, which is cut already."""


_STEPS = ((4_000, 400), (1_500, 200), (500, 100), (200, 50), (80, 36), (80, 20), (80, 10))
"""Tried in turn: the most characters of a text, and the most entries of a list or a mapping."""
_KEPT_FOR_LAST = 6_000
"""Bytes for the text that is cut last, while others are cut."""
_KEPT_FOR_NOTES = 2_000
"""Bytes for what was left out."""


def fitted(
    data: Mapping[str, Any], room: int, cutting: Cutting
) -> tuple[dict[str, Any], list[str]]:
    """The data in about `room` bytes as JSON, and a sentence for each field that was cut.

    Long texts and lists are cut to the same length everywhere, no more than is needed. A text that
    was cut ends in `…`.
    """
    most = room // 2  # so that something is left for the others
    shown = {
        name: None
        if name in cutting.whole and size(value) > most
        else _shortened(value, cutting.excerpts.get(name), None)
        for name, value in data.items()
    }
    if size(shown) > room:
        kept = {*cutting.keep, *cutting.whole}
        shown = _smaller(shown, room - _KEPT_FOR_NOTES, replace(cutting, keep=kept))
    notes = [
        note if (how := cutting.rest.get(name, cutting.others)) is None else f"{note}: {how}"
        for name in data
        if (note := _left_out(name, data[name], shown[name])) is not None
    ]
    return shown, [
        note.replace(OFFSET, str(_kept(shown.get(cutting.last or "")))) for note in notes
    ]


OFFSET = "{offset}"
"""In a way to the rest: how many characters of the text that is cut last are shown."""


def _smaller(data: dict[str, Any], room: int, cutting: Cutting) -> dict[str, Any]:
    last = data.get(cutting.last or "") or ""
    kept = {name: value for name, value in data.items() if name in cutting.keep}
    others = {name: v for name, v in data.items() if name not in kept and name != cutting.last}
    shown = others
    for longest, most in ((None, None), *_STEPS):
        shown = {name: _shortened(value, longest, most) for name, value in others.items()}
        left = room - size(kept) - size(shown)
        if left >= min(size(last), _KEPT_FOR_LAST):
            break
    found = data | shown
    if last and size(last) > left:
        found[str(cutting.last)] = f"{beginning(last, left - len('…'.encode()))}…"
    return found


def _shortened(value: Any, longest: int | None, most: int | None) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, str):
        cut = longest is not None and len(value) > longest
        return f"{value[: (longest or 1) - 1]}…" if cut else value
    if isinstance(value, dict):
        items = list(value.items())[:most]
        return {name: _shortened(each, longest, most) for name, each in items}
    if isinstance(value, list):
        return [_shortened(each, longest, most) for each in value[:most]]
    return value


def _left_out(name: str, whole: Any, shown: Any) -> str | None:  # noqa: ANN401 (JSON)
    """What of a field is not shown; `None` where all is."""
    if whole == shown:
        return None
    if shown is None:
        return f"{name}: all of it"
    if isinstance(whole, str):
        return f"{name}: {len(whole) - _kept(shown):,} characters more"
    if len(shown) < len(whole):
        return f"{name}: {len(whole) - len(shown):,} more"
    return f"{name}: the ends of long texts"


def _kept(shown: str | None) -> int:
    return len(shown or "…") - 1
