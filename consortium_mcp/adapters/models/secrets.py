"""Keeps keys out of every text that leaves a call: by their values, in whatever form they stand."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import llm

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKED = "[key]"
_SHORTEST = 8
"""Characters of the shortest value that is a key: a shorter one may be a common word."""
_VARIABLE = re.compile(
    r"API_?KEY|ACCESS_?KEY|AUTH_?KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|^LLM_\w*KEY$"
)
_NO_SECRET = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?=.{1,24}$)[a-z]{1,12}(?:[-_ ][a-z]{1,12})*|[0-9]{1,12}"
)
"""In a variable: another one's name, words such as `not-needed`, and small numbers."""
_PLACEHOLDERS = frozenset(
    {"not-needed", "not_needed", "not needed", "lm-studio", "lmstudio", "no-key-needed", "changeme",
     "sk-no-key-required", "no-key-required", "required", "placeholder"}
)  # fmt: skip
"""In llm's store, where servers on one's own machine want a key to be set."""
# What begins like a provider's key, and what follows a word that announces one.
_KEY_LIKE = re.compile(
    r"\b(?:sk|gsk|xai|pplx|cpk|csk)[-_](?=[^\s]*[0-9*])[A-Za-z0-9_\-.*]{12,}"
    r"|\b(?:AIza|AQ\.)(?=[^\s]*[0-9*])[A-Za-z0-9_\-.*]{12,}"
    r"|\b(?:Bearer|Token) (?=[^\s]*[0-9*])[A-Za-z0-9_\-.*]{12,}"
    r"|(?<=key)[\"'=:\s]{1,4}(?=[^\s]*[0-9*])(?=[^\s]*[A-Za-z])[A-Za-z0-9_\-.*]{12,}"
    r"|(?<=token)[\"'=:\s]{1,4}(?=[^\s]*[0-9*])(?=[^\s]*[A-Za-z])[A-Za-z0-9_\-.*]{16,}",
    re.IGNORECASE,
)


def without_keys(text: str, besides: str | None = None) -> str:
    """The text with the user's keys blanked: all in llm's store and in variables for keys.

    A model's answer gets this; it may well speak of things that only look like keys.

    Args:
        text: what a model or its plugin said.
        besides: one more key, which came with the call.
    """
    if besides is not None and (forms := sorted(_forms(besides), key=len, reverse=True)):
        text = re.sub("|".join(forms), BLANKED, text)
    known = _known_keys()
    return text if known is None else known.sub(BLANKED, text)


def without_secrets(text: str, besides: str | None = None) -> str:
    """The same, and whatever looks like a key: for errors, which echo what was sent."""
    return _KEY_LIKE.sub(f" {BLANKED}", without_keys(text, besides))


def _known_keys() -> re.Pattern[str] | None:
    """Matches every key that is stored or set, in all its forms; `None` where there is none."""
    path = Path(llm.user_dir()) / "keys.json"  # type: ignore[no-untyped-call]
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = None
    named = (value for name, value in os.environ.items() if _VARIABLE.search(name.upper()))
    return _pattern(changed, str(path), tuple(named))


@lru_cache(maxsize=4)
def _pattern(changed: int | None, path: str, variables: tuple[str, ...]) -> re.Pattern[str] | None:
    stored = _stored(path) if changed is not None else ()
    values = {value.strip() for value in stored} - _PLACEHOLDERS
    values |= {value for value in variables if not _NO_SECRET.fullmatch(value.strip())}
    forms = {form for value in values for form in _forms(value)}
    return re.compile("|".join(sorted(forms, key=len, reverse=True))) if forms else None


def _stored(path: str) -> tuple[str, ...]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()  # `keys.readiness_of` says so
    return tuple(_texts(content))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 (whatever stands in the file)
    """Each text in it, but for llm's own remark."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if not name.startswith("//"):
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


_BETWEEN = r"(?:\s|\\[nrt])*"
"""What may stand where a key has a line break."""


def _forms(value: str) -> Iterator[str]:
    """Patterns for a key as it is sent, quoted, escaped, encoded, and in its parts."""
    value = value.strip()
    if len(value) < _SHORTEST:
        return
    raw = value.encode("utf-8", "surrogatepass")
    yield from map(
        re.escape,
        {
            value, raw.decode("latin-1"), repr(value)[1:-1], repr(raw)[2:-1],
            json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1],
            quote(raw, safe=""), quote(raw), quote_plus(raw),
        },
    )  # fmt: skip
    if len(lines := value.split()) > 1:
        yield _BETWEEN.join(map(re.escape, lines))
    # Lines, and what stands before and behind a colon: AWS's name of a key and the secret.
    yield from (
        re.escape(part)
        for part in re.split(r"[\s:]+", value)
        if len(part) >= _SHORTEST and not _NO_SECRET.fullmatch(part)
    )
