"""A table put into a TOML file whose other lines stay as they are."""

from __future__ import annotations

from typing import Any

import tomlkit


def read(text: str) -> dict[str, Any]:
    """What the text says.

    Raises:
        ValueError: it is not TOML.
    """
    return tomlkit.parse(text).unwrap()


def edited(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The text with this table, in place of the one of this name if it has one."""
    document = tomlkit.parse(text)
    tables = document.setdefault(section, tomlkit.table(is_super_table=True))
    tables[name] = entry
    return document.as_string().lstrip("\n")


def table(section: str, name: str, entry: dict[str, Any]) -> str:
    """The entry as a table of its own."""
    return edited("", section, name, entry)
