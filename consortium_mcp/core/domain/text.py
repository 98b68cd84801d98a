"""Text as it can be kept and shown."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Text that can be stored, sent and shown: no control characters, no lone surrogates."""
    return _UNPRINTABLE.sub("", text).encode("utf-8", "replace").decode("utf-8")


def closest(name: str, known: Iterable[str], limit: int = 5) -> list[str]:
    """The known names most like this one, best first: near in spelling, or containing it."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    wanted = name.lower()
    near = difflib.get_close_matches(wanted, by_lower, n=limit, cutoff=0.6)
    inside = [low for low in by_lower if len(wanted) > 1 and wanted in low and low not in near]
    return [by_lower[low] for low in (*near, *inside)][:limit]
