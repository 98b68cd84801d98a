"""A table put into a TOML file whose other lines stay as they are."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

_HEADER = re.compile(r"^[^\S\n]*\[\[?([^\]\n]+)\]\]?[^\n]*\n?", re.MULTILINE)


def read(text: str) -> dict[str, Any]:
    """What the text says.

    Raises:
        ValueError: it is no TOML.
    """
    return tomllib.loads(text)


def edited(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with this table at its end, instead of the one of this name that it has."""
    kept = _without(text, f"{section}.{name}")
    return f"{kept.rstrip()}\n\n{table(section, name, entry)}".lstrip()


def _without(text: str, title: str) -> str:
    """The text less this table and those below it."""
    headers = list(_HEADER.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    kept = [text[: headers[0].start()] if headers else text]
    for header, end in zip(headers, ends, strict=False):
        named = re.sub(r"[\s\"']", "", header[1])
        if named != title and not named.startswith(f"{title}."):
            kept.append(text[header.start() : end])
    return "".join(kept)


def table(section: str, name: str, entry: dict[str, Any]) -> str:
    """The entry as a table, its `env` as one below it."""
    lines = [f"[{section}.{name}]"]
    # A string or a list of strings is written the same in JSON and in TOML.
    lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items() if key != "env"]
    if env := entry.get("env"):
        lines += ["", f"[{section}.{name}.env]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in env.items()]
    return "\n".join(lines) + "\n"
