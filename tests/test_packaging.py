"""What is given out agrees with itself; `.ci/package` builds it and tries it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib
from typing import Any

import jsonschema
import pytest

from consortium_mcp.core.panel.known_models import EXTRAS
from tests.conftest import ROOT

VERSION = importlib.metadata.version("consortium-mcp")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUNDLE = ROOT / "packaging" / "mcpb"


def read(path: str) -> Any:  # noqa: ANN401 (JSON)
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


_INPUT = {
    "type": "object",
    "properties": {
        "description": {"type": "string"},
        "value": {"type": "string"},
        "default": {"type": "string"},
        "isRequired": {"type": "boolean"},
        "isSecret": {"type": "boolean"},
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
    },
}
SERVER = {
    "type": "object",
    "required": ["name", "description", "version"],
    "properties": {
        "name": {
            "type": "string",
            "minLength": 3,
            "maxLength": 200,
            "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$",
        },
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "maxLength": 255},
        "packages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "transport"],
                "properties": {
                    "registryType": {"type": "string"},
                    "identifier": {"type": "string"},
                    "version": {"type": "string", "minLength": 1, "not": {"const": "latest"}},
                    "runtimeHint": {"type": "string"},
                    "runtimeArguments": {
                        "type": "array",
                        "items": _INPUT
                        | {
                            "required": ["type", "name"],
                            "properties": _INPUT["properties"]  # type: ignore[operator]
                            | {"type": {"const": "named"}, "name": {"type": "string"}},
                        },
                    },
                    "transport": {
                        "type": "object",
                        "required": ["type"],
                        "properties": {"type": {"const": "stdio"}},
                    },
                    "environmentVariables": {
                        "type": "array",
                        "items": _INPUT
                        | {
                            "required": ["name"],
                            "properties": _INPUT["properties"]  # type: ignore[operator]
                            | {"name": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}
"""What the registry's schema of 2025-12-11 asks of the fields that ours has, and stricter in one
thing: ours has no others."""


def _closed(schema: Any) -> Any:  # noqa: ANN401 (JSON)
    """The same schema, where what it does not name is an error."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if "properties" in schema else {})


def test_the_registrys_entry_fits_its_schema() -> None:
    entry = read("server.json")
    address = entry.pop("$schema")
    assert address.endswith("/schemas/2025-12-11/server.schema.json")
    validator = jsonschema.Draft7Validator(_closed(SERVER))
    assert [error.message for error in validator.iter_errors(entry)] == []
    wrong = entry | {"description": "x" * 101}
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(wrong)


def test_every_file_has_the_packages_version_and_name() -> None:
    entry = read("server.json")
    [package] = entry["packages"]
    bundle = tomllib.loads((BUNDLE / "pyproject.toml").read_text(encoding="utf-8"))
    manifest = read("packaging/mcpb/manifest.json")
    assert {
        PROJECT["version"],
        entry["version"],
        package["version"],
        bundle["project"]["version"],
        manifest["version"],
    } == {VERSION}
    wheel = bundle["tool"]["uv"]["sources"]["consortium-mcp"]["path"]
    assert wheel == f"consortium_mcp-{VERSION}-py3-none-any.whl"
    clients = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert f"dist/consortium_mcp-{VERSION}.mcpb" in clients
    assert package["identifier"] == manifest["name"] == PROJECT["name"]
    assert bundle["project"]["requires-python"] == PROJECT["requires-python"]
    assert manifest["compatibility"]["runtimes"]["python"] == PROJECT["requires-python"]


def test_the_readme_says_who_it_is_to_the_registry() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- mcp-name: (\S+) -->", readme) == [read("server.json")["name"]]


def test_each_extra_brings_llms_plugin_of_its_name_and_all_brings_all() -> None:
    extras = dict(PROJECT["optional-dependencies"])
    assert extras.pop("all") == [f"consortium-mcp[{','.join(EXTRAS)}]"]
    del extras["local"], extras["acp"], extras["team"]
    assert list(extras) == list(EXTRAS)
    for name, [requirement] in extras.items():
        assert re.fullmatch(rf"llm-{name}>=[\d.]+,<\d+", requirement)


def test_every_key_that_the_bundle_asks_for_reaches_the_server_and_may_stay_empty() -> None:
    manifest = read("packaging/mcpb/manifest.json")
    asked = manifest["user_config"]
    passed_on = manifest["server"]["mcp_config"]["env"]
    assert sorted(passed_on.values()) == sorted(f"${{user_config.{name}}}" for name in asked)
    for each in asked.values():
        # Without a default, a host passes on the placeholder itself, and llm takes it for a key.
        assert (each["default"], each["sensitive"], each["required"]) == ("", True, False)
    [package] = read("server.json")["packages"]
    secrets = [each["name"] for each in package["environmentVariables"] if each.get("isSecret")]
    assert list(passed_on) == secrets
