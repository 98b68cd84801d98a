from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import llm
import pytest
import sqlite_utils
from click.testing import CliRunner
from llm.cli import cli
from llm.migrations import migrate
from pydantic import BaseModel

from consortium_mcp.adapters.schemas import schema_of
from consortium_mcp.core.domain.errors import ConfigError
from tests.support.fake_models import FakeSync, models, plugin

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings


class Invoice(BaseModel):
    vendor: str
    total: float


SCHEMA = {"type": "object", "properties": {"vendor": {"type": "string"}}}


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("given", "properties"),
    [
        (SCHEMA, {"vendor": "string"}),
        (json.dumps(SCHEMA), {"vendor": "string"}),
        (f"\n {json.dumps(SCHEMA)} ", {"vendor": "string"}),
        (Invoice, {"vendor": "string", "total": "number"}),
        ("vendor, total float", {"vendor": "string", "total": "number"}),
        ("vendor\ntotal float: with tax", {"vendor": "string", "total": "number"}),
        ("vendor str", {"vendor": "string"}),
    ],
)
def test_a_schema_is_taken_in_every_form(given: Any, properties: dict[str, str]) -> None:  # noqa: ANN401
    found = schema_of(given)
    assert {name: each["type"] for name, each in found["properties"].items()} == properties


@pytest.mark.parametrize("name", ["invoice.json", "my invoice, 2.json"])
def test_a_file_is_read(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(json.dumps(SCHEMA), encoding="utf-8")
    assert schema_of(str(file)) == SCHEMA


def test_schemas_saved_in_llm_are_found(settings: Settings) -> None:
    with plugin("fake", models(FakeSync("fake", "{}", supports_schema=True))):
        asked = ["-m", "fake", "x", "--schema", "vendor, n int", "--save", "bill"]
        assert CliRunner().invoke(cli, asked).exit_code == 0
    assert schema_of("t:bill") == llm.schema_dsl("vendor, n int")
    log = sqlite_utils.Database(settings.user_dir / "logs.db")
    migrate(log)  # type: ignore[no-untyped-call]
    log["schemas"].insert({"id": "0123abcd", "content": json.dumps(SCHEMA)})  # type: ignore[union-attr]
    log.close()
    assert schema_of("0123abcd") == SCHEMA


def test_several_objects_are_a_list_of_items() -> None:
    found = schema_of("vendor, total float", multi=True)
    assert found["required"] == ["items"]
    assert found["properties"]["items"]["items"] == llm.schema_dsl("vendor, total float")


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (3, "give a JSON Schema, a pydantic model, or llm's short form"),
        (int, "give a JSON Schema"),
        (" ", "give a JSON Schema"),
        ("{", "cannot be read"),
        ("[1, 2]", "is no JSON object"),
        ("vendor", "or llm's short form, such as"),
        ("/nowhere/invoice.json", "cannot be read"),
        ("t:nowhere", "cannot be read"),
    ],
)
def test_what_is_none_is_refused_with_the_remedy(given: Any, told: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=told):
        schema_of(given)
