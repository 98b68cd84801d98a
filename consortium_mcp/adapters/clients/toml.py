"""Puts a table into a TOML file and leaves the other lines as they are."""

from __future__ import annotations

from typing import Any

import tomlkit


def read(text: str) -> dict[str, Any]:
    """The content of the text.

    Raises:
        ValueError: it is not TOML.
    """
    return tomlkit.parse(text).unwrap()


def edited(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with this table, in place of any table of that name."""
    document = tomlkit.parse(text)
    tables = document.setdefault(section, tomlkit.table(is_super_table=True))
    tables[name] = entry
    return document.as_string().lstrip("\n")


def table(section: str, name: str, entry: dict[str, Any]) -> str:
    """The entry as a table of its own."""
    return edited("", section, name, entry)
