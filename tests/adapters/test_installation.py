"""The advice to add a package, for every way in which this one can have been installed."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.installation import (
    Installation,
    as_typed,
    how_to_add,
    this_installation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EDITABLE: Mapping[str, Any] = {"dir_info": {"editable": True}}


def copy_in(prefix: Path, *, origin: Mapping[str, Any] | None = None, **facts: Any) -> Installation:  # noqa: ANN401 (its own fields)
    prefix.mkdir(parents=True, exist_ok=True)
    return Installation(prefix, prefix / "bin" / "python", origin=origin or {}, **facts)


def local(folder: Path, **more: Any) -> Mapping[str, Any]:  # noqa: ANN401 (JSON)
    return {"url": folder.as_uri(), "dir_info": {}} | more


RECEIPTS = {
    "what the README's line leaves": (
        """
        requirements = [
            { name = "consortium-mcp", directory = "/clone" },
            { name = "llm-anthropic" },
            { name = "llm-gemini" },
            { name = "llm" },
        ]
        entrypoints = [
            { name = "consortium-mcp", install-path = "/consortium-mcp", from = "consortium-mcp" },
            { name = "llm", install-path = "/llm", from = "llm" },
        ]
        """,
        (
            "uv tool install --with llm-anthropic --with llm-gemini --with-executables-from llm "
            "--with llm-new /clone"
        ),
    ),
    "extras": (
        """
        requirements = [
            { name = "consortium-mcp", extras = ["gemini", "local"], directory = "/clone" },
        ]
        """,
        "uv tool install --with llm-new '/clone[gemini,local]'",
    ),
    "an editable copy, another Python, versions": (
        """
        python = "3.13"
        requirements = [
            { name = "consortium-mcp", editable = "/clone" },
            { name = "llm-gemini", specifier = ">=0.35" },
            { name = "own-strategy", editable = "/own" },
        ]
        """,
        (
            "uv tool install --python 3.13 --with 'llm-gemini>=0.35' --with-editable /own "
            "--with llm-new --editable /clone"
        ),
    ),
    "from a repository, a file and an index": (
        """
        requirements = [
            { name = "consortium-mcp", git = "https://ex.org/c.git?tag=v1" },
            { name = "llm-a", url = "https://ex.org/a.whl" },
            { name = "llm-b", path = "/b.whl" },
        ]
        """,
        (
            "uv tool install --with 'llm-a @ https://ex.org/a.whl' --with /b.whl --with llm-new "
            "'consortium-mcp @ git+https://ex.org/c.git@v1'"
        ),
    ),
    "from an index": (
        'requirements = [{ name = "consortium-mcp" }]',
        "uv tool install --with llm-new consortium-mcp",
    ),
}


@pytest.mark.parametrize("case", RECEIPTS)
def test_a_tool_of_uvs_is_installed_again_with_all_that_it_has(case: str, tmp_path: Path) -> None:
    receipt, expected = RECEIPTS[case]
    here = copy_in(
        tmp_path / "consortium-mcp",
        origin=local(tmp_path),
        installer="uv",
        extras={"gemini": "llm-gemini", "local": "xllamacpp"},
        added={} if case != "extras" else {"llm-gemini": tmp_path, "xllamacpp": tmp_path},
    )
    (here.prefix / "uv-receipt.toml").write_text("[tool]\n" + receipt, encoding="utf-8")
    command = here.command_to_add("llm-new")
    assert command == shlex.split(expected)
    assert how_to_add("llm-new", here) == f"run `{as_typed(command)}`"
    assert here.temporary_start() is None


def test_what_llm_installed_into_a_tool_of_uvs_stays(tmp_path: Path) -> None:
    added = {"llm-grok": tmp_path, "llm-gemini": tmp_path}
    here = copy_in(tmp_path / "llm", installer="uv", added=added)
    (here.prefix / "uv-receipt.toml").write_text(
        '[tool]\nrequirements = [{ name = "llm" }, { name = "consortium_mcp" }]', encoding="utf-8"
    )
    assert here.command_to_add("llm-grok") == shlex.split(
        "uv tool install --with consortium_mcp --with llm-gemini --with llm-grok llm"
    )


def test_a_clone_that_uv_runs_is_started_with_the_package(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    origin = local(clone, **EDITABLE)
    here = copy_in(clone / ".venv", origin=origin, installer="uv")
    (clone / "uv.lock").touch()
    line = ["uv", "run", "--project", str(clone), "--with", "llm-new", "consortium-mcp"]
    assert here.command_to_add("llm-new") == line
    said = f"start it with `{as_typed(line)}`, in your clients' settings too"
    assert how_to_add("llm-new", here) == said
    assert here.temporary_start() is None  # its own program stays
    over = copy_in(
        tmp_path / "builds-v0" / "x",
        origin=origin,
        installer="uv",
        added={"llm-a": clone / ".venv" / "lib", "llm-b": tmp_path / "archive-v0" / "y"},
    )
    (over.prefix / "pyvenv.cfg").write_text(
        f"home = /usr\nextends-environment = {clone / '.venv'}\n", encoding="utf-8"
    )
    assert over.temporary_start() == [
        *("uv", "run", "--project", str(clone), "--with", "llm-b", "consortium-mcp")
    ]
    assert over.command_to_add("llm-new")[4:] == [
        *("--with", "llm-b", "--with", "llm-new", "consortium-mcp")
    ]


ORIGINS: Mapping[str, tuple[Mapping[str, Any], list[str]]] = {
    "an index": ({}, []),
    "a repository": (
        {
            "url": "https://ex.org/c.git",
            "vcs_info": {"vcs": "git", "commit_id": "0" * 40, "requested_revision": "main"},
        },
        ["--from", "consortium-mcp @ git+https://ex.org/c.git@main"],
    ),
    "a wheel": (
        {"url": "https://ex.org/c-1-py3-none-any.whl", "archive_info": {}},
        ["--from", "consortium-mcp @ https://ex.org/c-1-py3-none-any.whl"],
    ),
}


@pytest.mark.parametrize("case", ORIGINS)
def test_uvx_starts_the_same_copy_with_the_same_packages(case: str, tmp_path: Path) -> None:
    origin, source = ORIGINS[case]
    here = copy_in(
        tmp_path / "archive-v0" / "x",
        origin=origin,
        installer="uv",
        added={"llm-gemini": tmp_path, "xllamacpp": tmp_path},
    )
    kept = ["--with", "llm-gemini", "--with", "xllamacpp"]
    assert here.temporary_start() == ["uvx", *kept, *source, "consortium-mcp"]
    assert here.command_to_add("llm-new") == [
        *("uvx", *kept, "--with", "llm-new", *source, "consortium-mcp")
    ]
    assert how_to_add("llm-new", here).startswith("start it with `uvx --with")


def test_uvx_starts_a_folder_by_its_path(tmp_path: Path) -> None:
    here = copy_in(tmp_path / "archive-v0" / "x", origin=local(tmp_path / "a b"), installer="uv")
    assert here.temporary_start() == ["uvx", "--from", str(tmp_path / "a b"), "consortium-mcp"]


def test_pipx_injects(tmp_path: Path) -> None:
    here = copy_in(tmp_path / "consortium-mcp")
    (here.prefix / "pipx_metadata.json").write_text("{}", encoding="utf-8")
    assert here.command_to_add("llm-new") == ["pipx", "inject", "consortium-mcp", "llm-new"]


@pytest.mark.parametrize("origin", ["index", "editable"])
def test_a_project_of_the_users_own_gets_a_dependency(origin: str, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    here = copy_in(
        theirs / ".venv",
        origin={} if origin == "index" else local(tmp_path / "clone", **EDITABLE),
        installer="uv",
    )
    (theirs / "uv.lock").touch()
    assert here.command_to_add("llm-new") == ["uv", "add", "--project", str(theirs), "llm-new"]


@pytest.mark.parametrize("editable", [False, True])
def test_any_other_environment_has_pip_as_llm_brings_it(*, editable: bool, tmp_path: Path) -> None:
    origin = local(tmp_path / "clone", **EDITABLE) if editable else {}
    here = copy_in(tmp_path / "environment", origin=origin)
    assert here.command_to_add("llm-new") == [
        *(str(here.python), "-m", "pip", "install", "llm-new")
    ]
    assert here.temporary_start() is None


def test_a_receipt_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    here = copy_in(tmp_path / "environment")
    (here.prefix / "uv-receipt.toml").write_text("[tool", encoding="utf-8")
    assert here.command_to_add("llm-new")[1:3] == ["-m", "pip"]


def test_this_copy_knows_itself() -> None:
    here = this_installation()
    assert here.extras["anthropic"] == "llm-anthropic"
    assert here.extras["local"] == "xllamacpp"
    assert len(here.extras["all"].split()) == len(
        set(here.extras) - {"all", "local", "acp", "team"}
    )
    assert "consortium-mcp" not in here.added
    json.dumps(dict(here.origin))
    assert "llm-new" in how_to_add("llm-new")
