"""Keeps a tool's result within what a conversation can hold, whatever the run was.

A client's limit is 25,000 tokens or so, text and structured content together. The journal, the
resources and exports keep everything; `get_run` with `include` reads the rest a page at a time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 45_000
"""Of a result's structured content as JSON; the text beside it has 8,000 characters or so."""
SHORTEST = 40
"""Characters that each text keeps."""
CUT = "… (cut)"
MAX_PROMPT = 300
"""Characters of the prompt in a report: the calling agent wrote it."""


def fitted(data: dict[str, Any], limit: int = MAX_BYTES) -> tuple[dict[str, Any], bool]:
    """The data, cut until it is short enough, and whether it was: its longest texts first.

    Entries of its lists are left out only where that is not enough; `left_out` counts them.

    Args:
        data: JSON.
        limit: bytes.
    """
    if size(data) <= limit:
        return data, False
    longest = max(_lengths(data), default=SHORTEST)
    length = _most(SHORTEST, longest, lambda n: size(_cut(data, n)) <= limit)
    data = _cut(data, length)
    if size(data) <= limit:
        return data, True
    # Too many entries, however short each is: the first ones stay.
    entries = max(len(each) for each in data.values() if isinstance(each, list))
    kept = _most(0, entries, lambda n: size(_first(data, n)) <= limit)
    return _first(data, kept) | {"left_out": entries - kept}, True


def _most(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The greatest number that fits; `low` if none does."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _first(data: dict[str, Any], entries: int) -> dict[str, Any]:
    return {name: each[:entries] if isinstance(each, list) else each for name, each in data.items()}


def size(data: object) -> int:
    """Bytes of the data as JSON."""
    return len(json.dumps(data, ensure_ascii=False).encode())


def _lengths(data: object) -> list[int]:
    if isinstance(data, str):
        return [len(data)]
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [length for each in inner for length in _lengths(each)]


def _cut(data: Any, length: int) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(data, str):
        return data if len(data) <= length + len(CUT) else data[:length] + CUT
    if isinstance(data, dict):
        return {name: _cut(each, length) for name, each in data.items()}
    return [_cut(each, length) for each in data] if isinstance(data, list) else data


def for_conversation(report: dict[str, Any]) -> dict[str, Any]:
    """A report as a conversation needs it: the beginning of the prompt, and nothing too long.

    What was cut is said in its warnings, with the call that gets it.
    """
    run_id, prompt = report.get("run_id"), report["prompt"]
    notes = []
    if len(prompt) > MAX_PROMPT:
        left = len(prompt) - MAX_PROMPT
        rest = f'; get_run(run_id="{run_id}", include=["prompt"])' if run_id else ""
        report = report | {"prompt": f"{prompt[:MAX_PROMPT]}… ({left} characters more{rest})"}
    found, was_cut = fitted(report)
    if was_cut:
        notes.append(
            f'Texts of this report were cut: get_run(run_id="{run_id}", include=["synthesis", '
            '"responses", "iterations"]) has them whole.'
        )
    return found | {"warnings": [*found["warnings"], *notes]}
