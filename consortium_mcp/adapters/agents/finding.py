"""Where an agent program is.

Desktop clients start servers with a bare PATH, so the usual places of package and version managers
are looked at too.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

AGENTS = ("claude", "codex", "gemini")
"""The programs that are offered as models."""
_IN_HOME = (
    ".local/bin", ".claude/local", ".npm-global/bin", ".npm-packages/bin", ".npm/bin", ".bun/bin",
    ".volta/bin", ".asdf/shims", ".local/share/mise/shims", ".local/share/pnpm", "Library/pnpm",
    ".yarn/bin", ".cargo/bin", "bin",
)  # fmt: skip
_VERSIONED = (
    ".nvm/versions/node/*/bin",
    ".local/share/fnm/node-versions/*/installation/bin",
    "Library/Application Support/fnm/node-versions/*/installation/bin",
    ".nodenv/versions/*/bin",
    "n/bin",
)
_ON_THE_SYSTEM = (
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/usr/bin",
    "/bin",
)
_ON_WINDOWS = ("{APPDATA}/npm", "{LOCALAPPDATA}/pnpm", "{LOCALAPPDATA}/Volta/bin",
               "{ProgramFiles}/nodejs", "{USERPROFILE}/.local/bin",
               "{USERPROFILE}/.bun/bin")  # fmt: skip


def search_path(home: Path) -> str:
    """PATH, and behind it the usual places that exist."""
    own = os.environ.get("PATH", "").split(os.pathsep)
    usual = [str(each) for each in _usual_places(home) if each.is_dir()]
    return os.pathsep.join(dict.fromkeys(each for each in (*own, *usual) if each))


def find(command: str, home: Path) -> Path | None:
    """The program of this name, or `None`."""
    found = shutil.which(command, path=search_path(home))
    return None if found is None else Path(found)


def _usual_places(home: Path) -> list[Path]:
    if sys.platform == "win32":
        folders = []
        for each in _ON_WINDOWS:
            variable, _, rest = each[1:].partition("}/")
            if variable in os.environ:
                folders.append(Path(os.environ[variable], rest))
        return folders
    versioned = [
        folder
        for pattern in _VERSIONED
        for folder in sorted(home.glob(pattern), key=_version, reverse=True)
    ]
    return [*(home / each for each in _IN_HOME), *versioned, *map(Path, _ON_THE_SYSTEM)]


def _version(folder: Path) -> tuple[int, ...]:
    """The version in a path such as `versions/node/v20.1.0/bin`, to take the newest."""
    numbers = (part.lstrip("v").split(".") for part in folder.parts)
    found = [each for each in numbers if len(each) == 3 and all(n.isdigit() for n in each)]  # noqa: PLR2004
    return tuple(int(number) for number in found[-1]) if found else ()
