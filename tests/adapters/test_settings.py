from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from consortium_mcp.adapters.settings import for_another_program, from_environment
from consortium_mcp.core.domain.errors import ConfigError


def test_the_database_follows_llms_directory() -> None:
    found = from_environment({"LLM_USER_PATH": "/somewhere"})
    assert found.database == Path("/somewhere/consortium.db")
    assert found.local_models == Path("/somewhere/consortium/models")
    assert found.wait_seconds == 40
    assert found.log_level == "WARNING"


def test_everything_can_be_set() -> None:
    found = from_environment(
        {
            "LLM_USER_PATH": "/somewhere",
            "CONSORTIUM_DB": "~/mine.db",
            "CONSORTIUM_WAIT_SECONDS": "0",
            "CONSORTIUM_LOG": "debug",
            "CONSORTIUM_WORKER_RUNS": "7",
        }
    )
    assert found.database == Path("~/mine.db").expanduser()
    assert found.wait_seconds == 0
    assert found.log_level == "DEBUG"
    assert found.worker_runs == 7


def test_without_any_variable_llms_own_directory_is_used() -> None:
    assert from_environment({}).user_dir.name == "io.datasette.llm"
    assert from_environment({"LLM_USER_PATH": "", "CONSORTIUM_DB": ""}).database.name == (
        "consortium.db"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSORTIUM_WAIT_SECONDS", "soon"),
        ("CONSORTIUM_WAIT_SECONDS", "-1"),
        ("CONSORTIUM_WAIT_SECONDS", "inf"),
        ("CONSORTIUM_WAIT_SECONDS", "nan"),
        ("CONSORTIUM_LOG", "LOUD"),
    ],
)
def test_nonsense_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        from_environment({name: value})


def test_this_processes_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSORTIUM_DB", "/tmp/x.db")  # noqa: S108 (only a name)
    assert from_environment().database == Path("/tmp/x.db")  # noqa: S108


def test_folders_are_separated_as_in_path_and_absolute() -> None:
    given = os.pathsep.join(["~/a", "b", " "])
    found = from_environment({"CONSORTIUM_FILES": given})
    assert found.files == (Path.home() / "a", Path.cwd() / "b")
    assert from_environment({}).files == ()
    passed_on = for_another_program({"CONSORTIUM_FILES": given})["CONSORTIUM_FILES"]
    assert from_environment({"CONSORTIUM_FILES": passed_on}).files == found.files


@pytest.mark.parametrize(
    ("value", "allowed"), [("1", True), ("TRUE", True), ("0", False), ("", False)]
)
def test_fetching_addresses_must_be_allowed(value: str, allowed: bool) -> None:  # noqa: FBT001
    assert from_environment({"CONSORTIUM_FETCH_URLS": value}).fetch_urls is allowed


def test_only_a_teams_server_has_secrets(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("new secret\nold secret\n")
    assert from_environment({"CONSORTIUM_SECRET": "a, b"}).secrets == ()
    assert from_environment({"CONSORTIUM_SECRET": "a, b"}, for_team=True).secrets == ("a", "b")
    named = {"CONSORTIUM_SECRET_FILE": str(file), "CONSORTIUM_USER_KEYS": "own-only"}
    found = from_environment(named, for_team=True)
    assert (found.secrets, found.user_keys) == (("new secret", "old secret"), "own-only")
    assert "secret" not in repr(found)
    assert set(for_another_program(named | {"CONSORTIUM_SECRET": "a"})) == {"CONSORTIUM_USER_KEYS"}
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        from_environment(named, for_team=True)
    with pytest.raises(ConfigError, match="choose one of no, own-first, own-only"):
        from_environment({"CONSORTIUM_USER_KEYS": "yes"}, for_team=True)


def test_what_a_team_keeps_has_an_age() -> None:
    assert from_environment({}).keep_runs is None
    ages = {"CONSORTIUM_KEEP_RUNS": "90d", "CONSORTIUM_KEEP_AUDIT": "26w"}
    found = from_environment(ages)
    assert (found.keep_runs, found.keep_audit) == (timedelta(days=90), timedelta(weeks=26))
    with pytest.raises(ConfigError, match="CONSORTIUM_KEEP_LEDGER is '3m'; it must be an age such"):
        from_environment({"CONSORTIUM_KEEP_LEDGER": "3m"})
