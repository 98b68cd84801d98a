"""Clean text, and suggest the nearest known names."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """The text without control characters and lone surrogates: safe to store, send and show."""
    return _UNPRINTABLE.sub("", text).encode("utf-8", "replace").decode("utf-8")


def closest(name: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """The known names most similar to this one, best first: spelled like it, or containing it."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    lowered = name.lower()
    near = difflib.get_close_matches(lowered, by_lower, n=limit, cutoff=0.6)
    containing = [
        low for low in by_lower if len(lowered) > 1 and lowered in low and low not in near
    ]
    return [by_lower[low] for low in (*near, *containing)][:limit]
