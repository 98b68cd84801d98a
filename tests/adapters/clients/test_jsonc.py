"""Any settings that an editor accepts: what is put in is there, and nothing else has changed."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from consortium_mcp.adapters.clients import jsonc

PATH = ("servers", "ours")
ENTRY = {"command": "x", "args": ["{", "//"], "env": {"A": ","}}
NAMES = some.sampled_from(["a", "b", 'q"', "//", "é", "{", "/*", ","])
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | NAMES,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
GAPS = some.sampled_from(["", " ", "\n", "\n\t", " // one\n", "/* two\n{ */", "\n  // three\n  "])


@some.composite
def settings(draw: some.DrawFn) -> tuple[str, dict[str, Any]]:
    """A text with blanks, comments and trailing commas wherever they may be, and what it says."""
    members = draw(some.dictionaries(NAMES, VALUES, max_size=3))
    servers = draw(some.lists(some.dictionaries(NAMES, VALUES, max_size=3), max_size=1))
    data = draw(some.permutations([*members.items(), *(("servers", each) for each in servers)]))
    return draw(GAPS) + text_of(draw, dict(data)) + draw(GAPS), dict(data)


def text_of(draw: some.DrawFn, value: object) -> str:
    if not isinstance(value, dict | list):
        return json.dumps(value)
    parts = []
    for each in value:
        inner = text_of(draw, value[each] if isinstance(value, dict) else each)
        key = f"{json.dumps(each)}{draw(GAPS)}:{draw(GAPS)}" if isinstance(value, dict) else ""
        parts.append(f"{draw(GAPS)}{key}{inner}{draw(GAPS)}")
    comma = draw(some.sampled_from(["", ","])) if parts else ""
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}{','.join(parts)}{comma}{draw(GAPS)}{end}"


def comments(text: str) -> list[str]:
    """Those that the generator puts in; its strings hold no such words."""
    return re.findall(r"// one|/\* two\n\{ \*/|// three", text)


@given(settings())
def test_what_is_put_in_is_there_and_goes_again_and_nothing_else_changes(
    given_settings: tuple[str, dict[str, Any]],
) -> None:
    text, data = given_settings
    assert jsonc.read(text) == data
    now = jsonc.put(text, PATH, ENTRY)
    servers = data.get("servers", {})
    assert jsonc.read(now) == data | {"servers": servers | {"ours": ENTRY}}
    assert comments(now) == comments(text)
    changed = jsonc.put(now, (*PATH, "env", "B"), "2")
    assert jsonc.read(changed)["servers"]["ours"]["env"] == {"A": ",", "B": "2"}
    left = jsonc.removed(changed, PATH)
    assert jsonc.read(left) == data | {"servers": servers}
    assert comments(left) == comments(text)


@given(settings(), some.data())
def test_any_server_can_be_taken_out(
    given_settings: tuple[str, dict[str, Any]], data: some.DataObject
) -> None:
    text, before = given_settings
    if not before.get("servers"):
        return
    name = data.draw(some.sampled_from(sorted(before["servers"])))
    left = jsonc.removed(text, ("servers", name))
    servers = {key: value for key, value in before["servers"].items() if key != name}
    assert jsonc.read(left) == before | {"servers": servers}
    assert jsonc.removed(text, ("servers", "none of these")) == text
