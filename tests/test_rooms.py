"""The import rules of docs/design.md, read from the source.

`MAY_IMPORT` is the whole rule: a room, and the rooms whose modules it may import when it runs. A
room may always import from itself. What only the type checker sees is free.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import consortium_mcp

PACKAGE = Path(consortium_mcp.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    # What is decided. Lower rooms first: each may know those above it in this table, if it says so.
    "core/domain": [],
    "core/reports": ["core/domain"],
    "core/records": ["core/domain", "core/reports"],
    "core/answers": [],
    "core/reading": ["core/domain", "core/answers"],
    "core/judgements": ["core/domain", "core/answers", "core/reading"],
    "core/confidence": ["core/domain", "core/answers"],
    "core/structured": ["core/domain", "core/answers", "core/reading"],
    "core/panel": ["core/domain", "core/records", "core/reports"],
    "core/prompts": ["core/domain", "core/reading", "core/structured", "core/confidence"],
    "core/judging": [
        "core/domain", "core/answers", "core/reading", "core/judgements", "core/structured",
        "core/confidence", "core/prompts",
    ],
    "core/learning": ["core/domain", "core/answers", "core/confidence", "core/judging"],
    "core/strategies": [
        "core/domain", "core/answers", "core/reading", "core/judgements", "core/structured",
        "core/confidence", "core/prompts", "core/judging",
    ],
    "core/spending": [
        "core/domain", "core/records", "core/reports", "core/prompts", "core/strategies",
    ],
    "core/engine": [
        "core/domain", "core/records", "core/panel", "core/reading", "core/confidence",
        "core/prompts", "core/judging", "core/strategies",
    ],
    "core/evaluation": [
        "core/domain", "core/records", "core/answers", "core/reading", "core/structured",
        "core/panel", "core/prompts",
        "core/engine",
    ],
    # What reaches out.
    "adapters": ["core/domain", "core/panel", "core/strategies"],
    "adapters/clients": ["core/domain"],
    "adapters/files": ["core/domain"],
    "adapters/databases": ["core/domain"],
    "adapters/journal": [
        "core/domain", "core/records", "core/reports", "adapters/databases", "adapters/sqlite",
    ],
    "adapters/postgres": [
        "core/domain", "adapters", "adapters/databases", "adapters/journal", "adapters/sqlite",
    ],
    "adapters/queue": [
        "core/domain", "core/reports", "adapters/databases", "adapters/journal",
        "adapters/postgres",
    ],
    "adapters/identity": ["core/domain", "adapters/databases"],
    "adapters/team": [
        "core/domain", "core/spending", "adapters/databases", "adapters/journal",
    ],
    "adapters/saved": ["core/domain", "adapters/journal", "adapters/sqlite"],
    "adapters/sqlite": [],
    "adapters/local": ["core/domain", "adapters"],
    "adapters/models": [
        "core/domain", "core/panel", "adapters", "adapters/agents", "adapters/wire",
    ],
    "adapters/calls": [
        "core/domain", "adapters", "adapters/files", "adapters/models", "adapters/wire",
    ],
    "adapters/wire": [],
    "adapters/agents": ["core/domain", "adapters"],
    "adapters/acp": ["core/domain", "adapters", "adapters/agents"],
    # What can be done.
    "services/runs": [
        "core/*", "adapters/calls", "adapters/files", "adapters/journal", "adapters/sqlite",
    ],
    "services/users": ["core/domain", "services/runs"],
    "services/team": [
        "core/*", "adapters/journal", "adapters/models", "adapters/team", "services/runs",
    ],
    "services": [
        "core/*", "adapters", "adapters/*", "services/runs", "services/users", "services/team",
    ],
    "services/workers": [
        "core/*", "adapters", "adapters/journal", "adapters/postgres", "adapters/queue",
        "adapters/team", "services", "services/runs", "services/team", "services/users",
    ],
    # What speaks.
    "frontends/text": ["core/domain", "core/records", "core/reports"],
    "frontends/page": [
        "core/domain", "core/records", "core/reports", "core/reading", "core/confidence",
        "core/judging", "frontends/text",
    ],
    "frontends/browser": [
        "core/domain", "core/records", "core/reports", "core/confidence", "core/evaluation",
        "services", "frontends/page",
    ],
    "frontends/terminal": [
        "core/domain", "core/reading", "core/records", "core/reports", "core/evaluation",
        "core/strategies", "adapters", "adapters/journal", "adapters/models", "adapters/saved",
        "frontends/text",
    ],
    "frontends": [
        "core/domain", "core/records", "core/reports", "adapters", "adapters/calls",
        "adapters/files", "adapters/journal", "adapters/sqlite", "services",
    ],
    "frontends/llm": [
        "core/*", "adapters/*", "services", "frontends", "frontends/text", "frontends/terminal",
    ],
    "frontends/mcp/protocol": [
        "core/domain", "core/reports", "adapters/files", "services", "services/users",
        "frontends/text",
    ],
    "frontends/mcp/tools": [
        "core/*", "adapters", "adapters/files", "services", "frontends/text",
        "frontends/mcp/protocol",
    ],
    "frontends/mcp": [
        "core/*", "adapters", "services", "frontends/text", "frontends/page", "frontends/browser",
        "frontends/mcp/protocol", "frontends/mcp/tools",
    ],
    "frontends/cli/measuring": [
        "core/*", "adapters/*", "services", "frontends/text", "frontends/terminal",
    ],
    "frontends/cli": [
        "core/*", "adapters/*", "services", "frontends/text", "frontends/terminal",
        "frontends/page", "frontends/browser", "frontends/mcp/tools", "frontends/mcp",
    ],
    "frontends/team/entrance": [
        "core/domain", "adapters", "adapters/identity", "services/users",
    ],
    "frontends/team": [
        "core/*", "adapters", "adapters/identity", "adapters/team", "adapters/postgres",
        "services/*", "services", "frontends/browser", "frontends/mcp", "frontends/text",
        "frontends/team/entrance",
    ],
    "frontends/cli/team": [
        "core/domain", "core/spending", "adapters/*", "services/workers", "services/team",
        "frontends/team", "frontends/text",
    ],
    # The package itself: its public names, and `python -m consortium_mcp`.
    ".": ["frontends", "frontends/cli"],
}  # fmt: skip

# A package from outside, and the only places that may import it.
ONLY_IN = {
    "json_repair": ["core/reading/", "core/judgements/"],
    "pypdf": ["adapters/files/pdf_text.py"],
    "jsonschema_rs": ["core/structured/schema.py"],
    "llm": [
        "adapters/models/",
        "adapters/calls/",
        "adapters/local/models.py",
        "adapters/agents/models.py",
        "adapters/templates.py",
        "adapters/fragments.py",
        "adapters/schemas.py",
        "adapters/agents/process_models.py",
        "frontends/llm/",
    ],
    "acp": ["adapters/acp/asking.py"],
    "sqlite_utils": ["adapters/journal/", "adapters/fragments.py"],
    "procrastinate": ["adapters/queue/"],
    "psycopg": ["adapters/postgres/"],
    "psycopg_pool": ["adapters/postgres/", "adapters/queue/job_queue.py"],
    "sqlite3": [
        "adapters/journal/",
        "adapters/saved/",
        "adapters/sqlite/",
        "adapters/consortium_files.py",
    ],
    "jwt": ["adapters/identity/"],
    "httpx2": ["adapters/identity/", "frontends/team/entrance/sign_in.py"],
    "cryptography": ["adapters/team/", "frontends/team/entrance/sessions.py"],
    "prometheus_client": ["frontends/team/metrics.py"],
    "mcp": ["frontends/mcp/", "frontends/team/", "frontends/cli/demo.py"],
    "mcp_types": ["frontends/mcp/", "frontends/team/", "frontends/cli/demo.py"],
    "uvicorn": [
        "frontends/mcp/http.py",
        "frontends/browser/serving.py",
        "frontends/team/serving.py",
        "frontends/team/working.py",
    ],
    "starlette": ["frontends/browser/", "frontends/team/"],
    "rich": ["frontends/terminal/"],
    "filelock": ["adapters/clients/files.py"],
    "tomlkit": ["adapters/clients/toml.py"],
    "click": ["frontends/", "adapters/settings.py", "adapters/calls/tools.py"],
    "xllamacpp": ["adapters/local/engine.py"],
}
CORE_MAY = {"anyio", "json_repair", "jsonschema_rs", "pydantic"}
STDLIB_OF_CORE = {
    "__future__", "ast", "collections", "contextlib", "copy", "dataclasses", "datetime",
    "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "importlib", "itertools",
    "json", "math", "random", "re", "statistics", "string", "typing", "unicodedata",
}  # fmt: skip
MOST_FILES = 12
"""Modules in a room, `__init__` not counted."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _room(path: Path) -> str:
    return path.parent.relative_to(PACKAGE).as_posix()


def _imports(path: Path) -> set[str]:
    """Every module a file imports when it runs; what only the type checker sees is left out."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _room_of_import(module: str) -> str | None:
    """The room that `consortium_mcp.a.b.name` is in; `None` for what is not ours."""
    first, *parts = module.split(".")
    if first != "consortium_mcp":
        return None
    while parts and not (PACKAGE / "/".join(parts)).is_dir():
        del parts[-1]
    return "/".join(parts) or "."


def _allowed(room: str) -> set[str]:
    """The rooms that this one may import from, `core/*` spelled out."""
    rules = MAY_IMPORT[room]
    return {room} | {
        other
        for other in MAY_IMPORT
        for rule in rules
        if other == rule or (rule.endswith("/*") and f"{other}/".startswith(rule[:-1]))
    }


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_room_imports_only_what_the_table_says(path: Path) -> None:
    if path.name == "__init__.py" and _room(path) not in MAY_IMPORT:
        assert not _imports(path)  # a room of rooms: `core`
        return
    for module in _imports(path):
        there = _room_of_import(module)
        assert there is None or there in _allowed(_room(path)), f"{_name(path)} imports {module}"


def test_no_arrow_points_back() -> None:
    below: dict[str, set[str]] = {room: _allowed(room) - {room} for room in MAY_IMPORT}
    while below:
        free = {room for room, needs in below.items() if not needs & below.keys()}
        assert free, f"these rooms import each other: {sorted(below)}"
        below = {room: needs for room, needs in below.items() if room not in free}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_each_outside_package_has_its_place(path: Path) -> None:
    for module in _imports(path):
        places = ONLY_IN.get(module.split(".")[0])
        here = _name(path)
        assert places is None or here.startswith(tuple(places)), f"{here} may not import {module}"


@pytest.mark.parametrize("path", [p for p in FILES if _name(p).startswith("core/")], ids=_name)
def test_the_core_is_pure(path: Path) -> None:
    for module in _imports(path):
        first = module.split(".")[0]
        assert first in CORE_MAY | STDLIB_OF_CORE | {"consortium_mcp"}, f"core imports {module}"


@pytest.mark.parametrize("room", sorted({_room(path) for path in FILES} - {"."}))
def test_a_room_says_what_it_is_for_and_is_not_crowded(room: str) -> None:
    files = [path for path in FILES if _room(path) == room]
    said = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8"))) or ""
    assert "Begin with" in said, f"{room}/__init__.py does not say where to begin reading"
    assert len(files) - 1 <= MOST_FILES, f"{room} has {len(files) - 1} files: cut it in two"


def test_the_llm_plugin_never_imports_the_server() -> None:
    for path in FILES:
        if _room(path) == "frontends/llm":
            modules = _imports(path)
            assert not any(m.split(".")[0] == "mcp" or "frontends.mcp" in m for m in modules)
