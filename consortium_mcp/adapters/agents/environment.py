"""What an agent program sees of our environment: its home, its sign-in, the network; no more.

A mark says that it runs inside a consultation, so that a server that it starts can refuse another.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from consortium_mcp.adapters.agents.finding import search_path
from consortium_mcp.adapters.key_values import is_placeholder
from consortium_mcp.adapters.settings import DEPTH

if TYPE_CHECKING:
    from consortium_mcp.adapters.agents.programs import Program, SignedIn

_SHARED = frozenset(
    {
        "HOME", "USER", "LOGNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
        "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "WINDIR", "HOMEDRIVE", "HOMEPATH",
        "PROGRAMFILES", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SHELL", "DBUS_SESSION_BUS_ADDRESS",
        "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
    }
)  # fmt: skip
"""By their names in capitals: proxies are often set in small letters."""


def environment_for(program: SignedIn, folder: Path | None) -> dict[str, str]:
    """All variables of a process of the program; its temporary files go to `folder`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _SHARED
        or (name.startswith(program.variables) and not _is_empty_key(name, value))
    }
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)) if folder else {}
    return {
        **kept,
        **temporary,
        "PATH": search_path(Path.home()),
        "NO_COLOR": "1",
        DEPTH: "1",  # another consultation from inside is refused, so there is no 2
    }


def key_in_use(program: Program) -> str | None:
    """The variable of the API key that it uses instead of a subscription, if one is set."""
    return next(
        (name for name in program.keys if not is_placeholder(os.environ.get(name, ""))), None
    )


def _is_empty_key(name: str, value: str) -> bool:
    """Whether a settings file has set the variable although no key was put there."""
    return name.endswith(("_KEY", "_TOKEN")) and is_placeholder(value)
