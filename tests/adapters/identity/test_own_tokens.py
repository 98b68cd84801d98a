from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.identity.own_tokens import PREFIX, OwnTokens
from consortium_mcp.adapters.identity.verifier import Verifier
from consortium_mcp.adapters.postgres.database import PostgresDatabase
from consortium_mcp.core.domain.errors import ConfigError
from tests.support.databases import ON_POSTGRES, DatabaseOfTest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.anyio, ON_POSTGRES]


@pytest.fixture
async def tokens(database: DatabaseOfTest) -> AsyncIterator[OwnTokens]:
    there = PostgresDatabase(str(database.url))
    yield OwnTokens(there)
    await there.close()


async def test_a_token_says_whose_it_is_and_is_kept_as_a_hash(
    tokens: OwnTokens, database: DatabaseOfTest
) -> None:
    token = await tokens.add("alice")
    assert token.startswith(PREFIX)
    found = await Verifier(tokens).identity(token)
    assert found is not None
    assert (found.principal.issuer, found.principal.subject) == ("tokens", "alice")
    assert found.may("consult")
    assert found.may("read")
    assert not found.may("admin")
    rows = database.execute("SELECT * FROM tokens")
    assert token not in str(rows)
    assert token.removeprefix(PREFIX) not in str(rows)


async def test_made_up_and_revoked_and_ended_tokens_are_nobodys(
    tokens: OwnTokens, database: DatabaseOfTest
) -> None:
    verifier = Verifier(tokens)
    assert await verifier.identity(PREFIX + "made-up") is None
    assert await verifier.identity("a.b.c") is None
    revoked = await tokens.add("alice")
    await tokens.revoke("alice")
    assert await verifier.identity(revoked) is None
    ending = await tokens.add("bob", age=timedelta(days=1))
    assert await verifier.identity(ending) is not None
    database.execute("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000+00:00'")
    assert await verifier.identity(ending) is None


async def test_one_name_has_one_good_token(tokens: OwnTokens, database: DatabaseOfTest) -> None:
    await tokens.add("alice", age=timedelta(days=1))
    with pytest.raises(ConfigError, match="There is a token for 'alice' already"):
        await tokens.add("alice")
    database.execute("UPDATE tokens SET expires_at = '2020-01-01T00:00:00.000+00:00'")
    await tokens.add("alice")  # the old one has ended
    await tokens.revoke("alice")
    await tokens.add("alice", ("read",))
    listed = await tokens.all()
    assert [each.scopes for each in listed] == [("read",), ("consult", "read"), ("consult", "read")]
    assert [each.revoked_at is None for each in listed] == [True, False, False]


async def test_what_cannot_be_done_is_told(tokens: OwnTokens) -> None:
    assert not await tokens.any()
    with pytest.raises(ConfigError, match="'write' is no scope"):
        await tokens.add("alice", ("write",))  # type: ignore[arg-type]  # as told from outside
    with pytest.raises(ConfigError, match="needs a name"):
        await tokens.add(" ")
    with pytest.raises(ConfigError, match="No token has the name 'carol'"):
        await tokens.revoke("carol")
    await tokens.add("alice")
    assert await tokens.any()
