"""Cutting data to a number of bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consortium_mcp.frontends.text.fitting import OFFSET, Cutting, beginning, fitted, size

LONG: dict[str, Any] = {
    "id": "01RUN",
    "text": "t" * 300_000,
    "empty": None,
    "items": [{"name": f"n{n}", "why": "w" * 5_000} for n in range(500)],
    "by_name": {f"plugin-{n}": "e" * 900 for n in range(300)},
    "page": {"entries": ["p" * 9_000]},
}
CUTTING = Cutting(
    rest={"text": f"get(offset={OFFSET})"}, others="get_all", last="text", keep=("page",)
)


@pytest.mark.parametrize("text", ["a" * 90, "é" * 90, "猫" * 90, "🙂" * 90, '"\\\n' * 30, ""])
@pytest.mark.parametrize("room", [2, 3, 10, 57, 10_000])
def test_a_beginning_is_the_longest_that_fits(text: str, room: int) -> None:
    kept = beginning(text, room)
    assert text.startswith(kept)
    assert size(kept) <= room
    assert kept == text or size(text[: len(kept) + 1]) > room


def test_what_fits_is_left_as_it_is() -> None:
    data = {"a": "x" * 100, "b": [1, 2.5, None, {"c": True}]}
    assert fitted(data, 1_000, Cutting()) == (data, [])


@pytest.mark.parametrize("room", [20_000, 30_000, 60_000])
def test_whatever_there_is_fits_and_keeps_its_shape(room: int) -> None:
    shown, left_out = fitted(LONG, room, CUTTING)
    assert size(shown) + size(left_out) <= room
    assert shown.keys() == LONG.keys()
    assert shown["page"] == LONG["page"]
    assert shown["id"] == "01RUN"
    assert all(each.keys() == {"name", "why"} for each in shown["items"])
    assert json.loads(json.dumps(shown)) == shown


def test_what_was_cut_is_said_with_the_way_to_it() -> None:
    shown, left_out = fitted(LONG, 30_000, CUTTING)
    kept = len(shown["text"]) - 1
    assert left_out == [
        f"text: {300_000 - kept:,} characters more: get(offset={kept})",
        f"items: {500 - len(shown['items'])} more: get_all",
        f"by_name: {300 - len(shown['by_name'])} more: get_all",
    ]


def test_an_excerpt_is_enough_even_where_there_is_room() -> None:
    cutting = Cutting(excerpts={"prompt": 10}, rest={"prompt": "get_prompt"})
    shown, left_out = fitted({"prompt": "p" * 30, "other": "o" * 30}, 10_000, cutting)
    assert shown == {"prompt": "p" * 9 + "…", "other": "o" * 30}
    assert left_out == ["prompt: 21 characters more: get_prompt"]


def test_long_texts_are_cut_before_short_ones() -> None:
    data = {"long": ["x" * 9_000] * 10, "short": ["y" * 300] * 10}
    shown, left_out = fitted(data, 30_000, Cutting())
    assert shown["short"] == data["short"]
    assert left_out == ["long: the ends of long texts"]
