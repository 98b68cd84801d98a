"""Text as it can be kept and shown."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Text that can be stored, sent and shown: no control characters, no lone surrogates."""
    return _UNPRINTABLE.sub("", text).encode("utf-8", "replace").decode("utf-8")
