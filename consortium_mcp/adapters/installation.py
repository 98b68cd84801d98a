"""How this copy was installed, and so how a package is added to it.

Every message that advises to install something says it through `how_to_add`. What is there already
is part of the advice: uv builds the environment of a tool anew from the line that it is given, so
that a line with the new package alone would take the others away.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGE = "consortium-mcp"
LOCAL_ENGINE = "xllamacpp"
"""What the extra `local` brings."""
_PLUGIN_GROUPS = frozenset({"llm", "consortium_mcp.strategies"})
_UV_CACHE = ("archive-v", "environments-v", "builds-v")
"""Folders of uv's cache that hold temporary environments."""


@dataclass(frozen=True)
class Installation:
    """One copy of this package, in its environment."""

    prefix: Path
    """The folder of the environment, as `sys.prefix`."""
    python: Path
    """Its interpreter."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """`direct_url.json` (PEP 610); empty where it came from an index."""
    installer: str = "pip"
    """The program that put it there (PEP 376): `pip` or `uv`."""
    added: Mapping[str, Path] = field(default_factory=dict)
    """What was added to it: plugins of llm, strategies, and what our extras name, each by the name
    of its package -> the folder that it lies in."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Our own extras -> the packages that they bring, separated by spaces."""

    def command_to_add(self, package: str) -> list[str]:
        """The command that adds the package for good; see `temporary_start` for where none can.

        Whatever was added before stays.
        """
        if tool := self._tool():
            return self._tool_line(tool, package)
        if start := self.temporary_start(package):
            return start
        if (self.prefix / "pipx_metadata.json").exists():
            return ["pipx", "inject", self.prefix.name, package]
        if (self.prefix.parent / "uv.lock").exists():
            return ["uv", "add", "--project", str(self.prefix.parent), package]
        return [str(self.python), "-m", "pip", "install", package]

    def temporary_start(self, *packages: str) -> list[str] | None:
        """The command that starts this copy with these packages and all that was added to it.

        `None` where the environment stays, so that its own programs can be started. A clone stays,
        but nothing is added to it: packages are laid over it by `uv run --with`.
        """
        if self._tool():
            return None
        below = self._lies_over()
        clone = self._clone(below or self.prefix)
        if clone and (below or packages):
            kept = (below or self.prefix).resolve()
            over = [name for name, at in self.added.items() if kept not in at.resolve().parents]
            return ["uv", "run", "--project", str(clone), *_with([*over, *packages]), PACKAGE]
        if any(part.startswith(_UV_CACHE) for part in self.prefix.parts):
            source = ["--from", _as_requirement(self.origin)] if self.origin else []
            return ["uvx", *_with([*self.added, *packages]), *source, PACKAGE]
        return None

    def _clone(self, environment: Path) -> Path | None:
        """The clone that `uv run` runs this from; `None` where it is none."""
        if self.installer != "uv" or not self.origin.get("dir_info", {}).get("editable"):
            return None
        clone = _path(self.origin["url"])
        of_another = environment.parent != clone and (environment.parent / "uv.lock").exists()
        return None if of_another else clone

    def _lies_over(self) -> Path | None:
        """The environment that `uv run --with` has laid this one over; `None` for the usual one."""
        try:
            lines = (self.prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        found = [line.partition("=")[2].strip() for line in lines if line.startswith("extends-env")]
        return Path(found[0]) if found else None

    def _tool(self) -> Mapping[str, Any] | None:
        """What uv has written down of this tool; `None` where it is none of uv's."""
        try:
            text = (self.prefix / "uv-receipt.toml").read_text(encoding="utf-8")
            return dict(tomllib.loads(text)["tool"])
        except (OSError, ValueError, KeyError):
            return None

    def _tool_line(self, tool: Mapping[str, Any], package: str) -> list[str]:
        """`uv tool install` with all that was on its line before, and all that llm added since."""
        name = _normal(self.prefix.name)
        wanted = {_normal(each["name"]): each for each in tool.get("requirements", ())}
        programs = {_normal(each.get("from", name)) for each in tool.get("entrypoints", ())}
        known = {name, package, *wanted}
        for each in wanted.values():
            known.update(*(self.extras.get(extra, "").split() for extra in each.get("extras", ())))
        line = ["uv", "tool", "install"]
        line += ["--python", str(tool["python"])] if "python" in tool else []
        for other, requirement in wanted.items():
            if other == name:
                continue
            flag = "--with-editable" if "editable" in requirement else "--with"
            flag = "--with-executables-from" if other in programs else flag
            line += [flag, _written(requirement)]
        line += _with([*(each for each in self.added if each not in known), package])
        main = wanted.get(name, {"name": name})
        return [*line, *(["--editable"] if "editable" in main else []), _written(main)]


def this_installation() -> Installation:
    """The copy that is running."""
    own = metadata.distribution(PACKAGE)
    extras = _extras(own.requires or ())
    of_extras = {each for brought in extras.values() for each in brought.split()}
    added: dict[str, Path] = {}
    for each in metadata.distributions():
        name = _normal(each.metadata["name"] or "")
        is_plugin = any(entry.group in _PLUGIN_GROUPS for entry in each.entry_points)
        if name != PACKAGE and (is_plugin or name in of_extras):
            added.setdefault(name, Path(str(each.locate_file(""))))
    return Installation(
        prefix=Path(sys.prefix),
        python=Path(sys.executable),
        origin=json.loads(own.read_text("direct_url.json") or "{}"),
        installer=(own.read_text("INSTALLER") or "pip").strip(),
        added=dict(sorted(added.items())),
        extras=extras,
    )


def is_installed(package: str) -> bool:
    """Whether this package is in this environment, whether it works or not."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def how_to_add(package: str, installation: Installation | None = None) -> str:
    """How to add this package here, as a part of a sentence: "run `uv tool install …`"."""
    here = installation or this_installation()
    command = as_typed(here.command_to_add(package))
    if here.temporary_start(package):
        return f"start it with `{command}`, in your clients' settings too"
    return f"run `{command}`"


def as_typed(command: list[str]) -> str:
    """A command as it is typed into a shell of this system."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _with(packages: Iterable[str]) -> list[str]:
    return [part for each in dict.fromkeys(packages) for part in ("--with", each)]


def _extras(requires: Iterable[str]) -> dict[str, str]:
    """Extra -> what it brings, from the package's own metadata."""
    found: dict[str, str] = {}
    for each in requires:
        if match := re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]", each):
            package, extra = match.groups()
            found[extra] = f"{found.get(extra, '')} {_normal(package)}".strip()
    return found


def _as_requirement(origin: Mapping[str, Any]) -> str:
    """What `uvx --from` takes for where a package came from (PEP 610)."""
    url = str(origin["url"])
    if vcs := origin.get("vcs_info"):
        revision = vcs.get("requested_revision")
        return f"{PACKAGE} @ {vcs['vcs']}+{url}" + (f"@{revision}" if revision else "")
    return str(_path(url)) if url.startswith("file:") else f"{PACKAGE} @ {url}"


def _written(requirement: Mapping[str, Any]) -> str:
    """A requirement of a receipt of uv's, as it is written on a command line."""
    name = str(requirement["name"])
    extras = f"[{','.join(requirement['extras'])}]" if requirement.get("extras") else ""
    for key in ("directory", "editable", "path"):
        if key in requirement:
            return f"{requirement[key]}{extras}"
    if "url" in requirement:
        return f"{name}{extras} @ {requirement['url']}"
    if "git" in requirement:
        address = urlsplit(str(requirement["git"]))
        revision = dict(parse_qsl(address.query))
        at = next((f"@{revision[key]}" for key in ("rev", "tag", "branch") if key in revision), "")
        return f"{name}{extras} @ git+{address._replace(query='', fragment='').geturl()}{at}"
    return f"{name}{extras}{requirement.get('specifier', '')}"


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
