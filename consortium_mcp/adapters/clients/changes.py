"""What is changed in a client's settings: our entry put in, pointed to this copy, or taken out.

Nothing else in the text may change: the new text is read back before it counts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.clients import jsonc, toml
from consortium_mcp.adapters.clients.configs import as_text
from consortium_mcp.adapters.clients.entries import is_ours, missing, told
from consortium_mcp.core.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consortium_mcp.adapters.clients.configs import ClientFile
    from consortium_mcp.adapters.clients.entries import Entry, Keys

Edit = Callable[[str], str]
"""From a file's text to the new one; that is the same text if there is nothing to do."""


def servers_in(client: ClientFile, text: str) -> dict[str, Any]:
    """The servers in the text of a client's file, by name.

    Raises:
        ValueError: it is not what such a file should be; the message says why, without a full stop.
    """
    try:
        found = _form(client).read(text).get(client.section)
    except ValueError as error:
        raise ValueError(f"it cannot be read as {client.form.upper()} ({error})") from error
    if found is None:  # a `null` holds no server either
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"its {client.section} does not hold servers")  # noqa: TRY004 (a file's)
    return found


def adding(client: ClientFile, path: Path, name: str, entry: Entry, *, force: bool) -> Edit:
    """The edit that adds this entry, or with `force` changes the one that has its name.

    An entry of ours is pointed to this copy and keeps all that its user has put into it; another's
    is replaced as a whole.

    Args:
        client: whose file it is.
        path: the file, for messages.
        name: the server's name in it.
        entry: how it is started.
        force: change the entry that has the name.

    Raises:
        ConfigError: by the edit, if the file cannot be understood or the name is taken; the message
            says what to do instead.
    """

    def edit(text: str) -> str:
        try:
            there = servers_in(client, text).get(name)
            values = list(missing(there, entry)) if is_ours(there) else [((), entry)]
            if values and there is not None and not force:
                raise ConfigError(f"{path} was not changed: {refusal(name, there, entry)}")
            return _checked(client, text, name, values)
        except ValueError as error:
            raise ConfigError(
                f"{path} was not changed: {error}. Mend it and try again, or add this yourself:"
                f"\n\n{as_text(client, name, entry)}"
            ) from error

    return edit


def removing(client: ClientFile, path: Path, name: str) -> Edit:
    """The edit that takes the entry of this name out, if it is ours.

    Raises:
        ConfigError: by the edit, if the file cannot be understood or the entry is not ours; the
            message says what to do instead.
    """

    def edit(text: str) -> str:
        try:
            servers = servers_in(client, text)
            there = servers.get(name)
            if there is not None and not is_ours(there):
                raise ConfigError(
                    f"{path} was not changed: its server {name!r} is not ours: it is one "
                    f"{told(there)}. {other_names(servers, name)}"
                )
            return text if there is None else _checked(client, text, name, None)
        except ValueError as error:
            raise ConfigError(
                f"{path} was not changed: {error}. Mend it and try again, or take {name!r} out of "
                f"its {client.section} yourself."
            ) from error

    return edit


def refusal(name: str, there: object, entry: Entry) -> str:
    """Why an entry that has the name is left alone, and what to do; none of its keys is in it."""
    if is_ours(there):
        lacks = list(missing(there, entry))
        if all(keys[0] == "env" for keys, _ in lacks):
            what = "lacks settings that this shell has"
        else:
            what = f"is another copy of this program, {told(there)}"
        return (
            f"its server {name!r} {what}. --force mends that and keeps all else in the entry; with "
            "another --name the entry stays as it is."
        )
    return (
        f"it has another server {name!r}, {told(there)}. Replace it with --force, or choose "
        "another --name."
    )


def other_names(servers: dict[str, Any], name: str) -> str:
    """Under which other names this program is there; for the end of a message."""
    names = [repr(each) for each, entry in servers.items() if each != name and is_ours(entry)]
    if not names:
        return "This program is not among its servers."
    return f"This program is there as {' and '.join(names)}: say so with --name."


def _form(client: ClientFile) -> Any:  # noqa: ANN401 (two modules with the same three functions)
    return toml if client.form == "toml" else jsonc


def _checked(
    client: ClientFile, text: str, name: str, values: Iterable[tuple[Keys, object]] | None
) -> str:
    """The text with these values in the server's entry, or with `None` without the entry.

    Raises:
        ValueError: it cannot be done without changing anything else.
    """
    form = _form(client)
    expected = copy.deepcopy(form.read(text))
    section = expected[client.section] = expected.get(client.section) or {}
    if values is None:
        del section[name]
        after = form.removed(text, (client.section, name))
    else:
        after = text
        for keys, value in values:
            after = form.put(after, (client.section, name, *keys), value)
            _set(section, (name, *keys), value)
    found = form.read(after)
    found.setdefault(client.section, {})  # a TOML table goes with its last entry
    if found != expected:
        raise ValueError(f"{client.section}.{name} cannot be changed without the rest")
    return str(after)


def _set(entries: dict[str, Any], keys: Keys, value: object) -> None:
    *way, last = keys
    for key in way:
        entries = entries[key]
    entries[last] = copy.deepcopy(value)
