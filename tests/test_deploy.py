"""The files in deploy/ name what there is: commands, options, variables, the extra."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.conftest import CHECKOUT, ROOT
from tests.support.document_commands import unknown_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = CHECKOUT
DEPLOY = ROOT / "deploy"
DOCUMENTED = set(
    re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operating.md").read_text("utf-8"), re.MULTILINE
    )
)


def texts(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (YAML)
    """Every key of a document, with its value."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name, value
            yield from texts(value, name)
    elif isinstance(node, list):
        for each in node:
            yield from texts(each, key)


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_the_commands_of_a_file_exist(name: str) -> None:
    for document in yaml.safe_load_all((DEPLOY / name).read_text("utf-8")):
        for key, value in texts(document):
            if key == "args":
                assert unknown_parts(shlex.join(["consortium-mcp", *value])) == []


def test_the_commands_of_the_image_and_the_unit_exist() -> None:
    image = (DEPLOY / "Containerfile").read_text("utf-8")
    words = re.search(r"^CMD \[(.*)\]$", image, re.MULTILINE)
    assert words
    assert unknown_parts(shlex.join(["consortium-mcp", *re.findall(r'"([^"]+)"', words[1])])) == []
    assert '"/src[team]"' in image
    unit = (DEPLOY / "consortium-mcp.service").read_text("utf-8")
    start = re.search(r"^ExecStart=/opt/consortium/bin/(.*)$", unit, re.MULTILINE)
    assert start
    assert unknown_parts(start[1]) == []


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_our_variables_are_documented(path: Any) -> None:  # noqa: ANN401 (a path)
    named = set(re.findall(r"\bCONSORTIUM_[A-Z_]+", path.read_text("utf-8")))
    assert named - {"CONSORTIUM_HOST"} <= DOCUMENTED
