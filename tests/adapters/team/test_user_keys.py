from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.adapters.team.encryption import Encryption
from consortium_mcp.adapters.team.user_keys import PURPOSE, UserKeys
from consortium_mcp.core.domain.errors import ConfigError
from tests.support.databases import DatabaseOfTest
from tests.support.teams import ANN, BEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
OLD, NEW = "an old secret, 32 characters long", "a new secret that is longer than 32"
KEY = "sk-test-0123456789abcdef"


@pytest.fixture
async def team(database: DatabaseOfTest) -> AsyncIterator[PostgresDatabase]:
    assert database.url is not None
    opened = PostgresDatabase(database.url)
    yield opened
    await opened.close()


def keys(team: PostgresDatabase, *secrets: str) -> UserKeys:
    return UserKeys(team, Encryption(secrets or (OLD,), PURPOSE))


async def test_a_key_is_kept_encrypted_and_is_its_users_alone(
    team: PostgresDatabase, database: DatabaseOfTest
) -> None:
    await keys(team).set(ANN, "openai", f" {KEY}\n")
    assert await keys(team).key(ANN, "openai") == KEY
    assert await keys(team).key(BEN, "openai") is None
    assert [each.name for each in await keys(team).all(ANN)] == ["openai"]
    assert await keys(team).all(BEN) == []
    [(stored,)] = database.execute("SELECT ciphertext FROM user_keys")
    assert KEY not in stored


async def test_a_key_is_replaced_and_removed(team: PostgresDatabase) -> None:
    await keys(team).set(ANN, "openai", KEY)
    await keys(team).set(ANN, "openai", KEY.upper())
    assert await keys(team).key(ANN, "openai") == KEY.upper()
    assert not await keys(team).remove(BEN, "openai")
    assert await keys(team).remove(ANN, "openai")
    assert await keys(team).all(ANN) == []


async def test_secrets_change_one_after_the_other(team: PostgresDatabase) -> None:
    await keys(team, OLD).set(ANN, "openai", KEY)
    assert await keys(team, NEW, OLD).key(ANN, "openai") == KEY
    await keys(team, NEW, OLD).set(ANN, "openai", KEY)
    assert await keys(team, NEW).key(ANN, "openai") == KEY
    with pytest.raises(ConfigError, match="a secret that this server does not have") as failed:
        await keys(team, OLD).key(ANN, "openai")
    assert KEY not in str(failed.value)


async def test_a_row_that_was_moved_to_somebody_else_gives_nothing(
    team: PostgresDatabase, database: DatabaseOfTest
) -> None:
    await keys(team).set(ANN, "openai", KEY)
    database.execute("UPDATE user_keys SET subject = ?", [BEN.subject])
    with pytest.raises(ConfigError):
        await keys(team).key(BEN, "openai")


@pytest.mark.parametrize("secrets", [(), ("short",), (OLD, "short")])
def test_a_missing_or_weak_secret_is_told(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="openssl rand -hex 32"):
        Encryption(secrets, PURPOSE)


def test_what_is_encrypted_for_another_purpose_is_not_decrypted() -> None:
    assert Encryption((OLD,), "else").decrypted(Encryption((OLD,), PURPOSE).encrypted("x")) is None


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("", KEY, "Name the key as llm does"),
        ("a/b", KEY, "Name the key as llm does"),
        ("openai", "openai", "This is no key"),
        ("openai", "sk-one-of-two\nsk-two-of-two", "This is no key"),
        ("openai", "x" * 9000, "This is no key"),
    ],
)
async def test_what_is_no_key_is_refused(
    team: PostgresDatabase, name: str, key: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        await keys(team).set(ANN, name, key)
