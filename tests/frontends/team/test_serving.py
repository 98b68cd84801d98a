"""Where the server may listen, and how it is told."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consortium_mcp.frontends.cli.main import main
from tests.conftest import ROOT
from tests.support.databases import ON_POSTGRES, DatabaseOfTest
from tests.support.programs import program
from tests.support.team import new_token

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings

SERVE = program("tests.support.fake_server", "serve", "--port", "0", "--host")


def refused(environment: dict[str, str], host: str = "0.0.0.0", **variables: str) -> str:  # noqa: S104
    """What it says when it does not start."""
    ended = subprocess.run(
        [*SERVE, host],
        env=environment | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


@ON_POSTGRES
@pytest.mark.anyio
async def test_it_listens_beyond_loopback_only_with_a_login_and_named_hosts(
    database: DatabaseOfTest, child_environment: dict[str, str]
) -> None:
    url = str(database.url)
    here = child_environment | {"CONSORTIUM_DATABASE_URL": url}
    said = refused(here)
    assert "needs a login" in said
    assert "consortium-mcp tokens add NAME" in said
    await new_token(url, "alice")
    said = refused(here)
    assert "needs the names that clients use" in said
    assert "CONSORTIUM_URL" in said


def test_it_needs_a_database_of_a_team(settings: Settings) -> None:  # noqa: ARG001 (no variables)
    for words in (["serve"], ["tokens", "list"]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 1
        assert "set CONSORTIUM_DATABASE_URL" in result.output


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSORTIUM_URL", "http://consortium.example.com"),
        ("CONSORTIUM_URL", "https://example.com/consortium"),
        ("CONSORTIUM_URL", "consortium.example.com"),
        ("CONSORTIUM_ISSUER", "http://id.example.com"),
        ("CONSORTIUM_ISSUER", "https://id.example.com?tenant=1"),
        ("CONSORTIUM_JWKS_URL", "ftp://id.example.com"),
        ("CONSORTIUM_DRAIN_SECONDS", "soon"),
        ("CONSORTIUM_ADMINS_READ_TEXTS", "maybe"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(
    settings: Settings,  # noqa: ARG001 (no variables)
    variable: str,
    value: str,
) -> None:
    result = CliRunner(env={variable: value}).invoke(main, ["serve"])
    assert result.exit_code == 1
    assert f"{variable} is {value!r}" in result.output
