"""The import rules of docs/design.md, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import consortium_mcp

PACKAGE = Path(consortium_mcp.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {
    "core": 0,
    "adapters": 1,
    "service": 2,
    "planning": 2,
    "consulting": 2,
    "background": 2,
    "consortiums": 2,
    "directory": 2,
    "nesting": 2,
    "frontends": 3,
    "__main__": 3,
    "__init__": 3,
}
ONLY_IN = {
    "llm": {
        "adapters/calls.py",
        "adapters/failures.py",
        "adapters/registry.py",
        "frontends/plugin.py",
        "frontends/llm_models.py",
        "frontends/local_models.py",
    },
    "sqlite_utils": {"adapters/database.py", "adapters/migrations.py"},
    "sqlite3": {"adapters/database.py", "adapters/exported.py", "adapters/saved_names.py"},
    "mcp": {
        "frontends/server.py",
        "frontends/confirming.py",
        "frontends/consortium_tools.py",
        "frontends/run_tools.py",
        "frontends/tool_parts.py",
        "frontends/tasks.py",
        "frontends/stdio.py",
        "frontends/notices.py",
        "frontends/prompts.py",
        "frontends/resources.py",
        "frontends/demo.py",
    },
    "xllamacpp": {"adapters/local_engine.py"},
}
ONLY_IN["mcp_types"] = ONLY_IN["mcp"]
CORE_MAY = {"anyio", "pydantic"}
STDLIB_OF_CORE = {
    "__future__", "ast", "collections", "contextlib", "dataclasses", "datetime", "difflib",
    "fractions", "functools", "hashlib", "importlib", "itertools", "json", "math", "random", "re",
    "statistics", "string", "typing", "unicodedata",
}  # fmt: skip


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
            module = node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _room(name: str) -> int:
    first = name.removesuffix(".py").split("/")[0]
    return ROOMS.get(first, -1)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_go_downwards_only(path: Path) -> None:
    here = _room(_name(path))
    assert here >= 0, f"{_name(path)} is in no room"
    for module in _imports(path):
        if module.startswith("consortium_mcp."):
            there = ROOMS.get(module.split(".")[1])
            assert there is None or there <= here, f"{_name(path)} imports upwards: {module}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_each_outside_thing_has_its_place(path: Path) -> None:
    for module in _imports(path):
        allowed = ONLY_IN.get(module.split(".")[0])
        assert allowed is None or _name(path) in allowed, f"{_name(path)} may not import {module}"


@pytest.mark.parametrize("path", [p for p in FILES if _name(p).startswith("core/")], ids=_name)
def test_the_core_is_pure(path: Path) -> None:
    for module in _imports(path):
        first = module.split(".")[0]
        assert first in CORE_MAY | STDLIB_OF_CORE | {"consortium_mcp"}, f"core imports {module}"


def test_the_llm_plugin_never_imports_the_server() -> None:
    modules = _imports(PACKAGE / "frontends/plugin.py")
    assert not any("server" in module or module.startswith("mcp") for module in modules)
