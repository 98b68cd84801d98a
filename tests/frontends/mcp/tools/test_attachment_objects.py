"""The forms in which clients write an attachment."""

from __future__ import annotations

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from consortium_mcp.frontends.mcp.tools.attachment_objects import read_attachment


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("plan.pdf", "plan.pdf"),
        ({"path": "plan.pdf", "type": None, "name": ""}, {"path": "plan.pdf"}),
        ({"File_Path": "plan.pdf"}, {"path": "plan.pdf"}),
        ('{"uri": "https://example.com/a.png"}', {"url": "https://example.com/a.png"}),
        ({"content": "a", "title": "notes"}, {"text": "a", "name": "notes"}),
        (
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},  # as in MCP's own results
            {"type": "image/png", "base64": "AAAA"},
        ),
        (
            {"mimeType": "image/png", "data": "AAAA", "type": "image"},
            {"type": "image/png", "base64": "AAAA"},
        ),
    ],
)
def test_an_attachment_is_read(given: object, read: object) -> None:
    assert read_attachment(given) == read


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (7, "An attachment is 7"),
        ([{"path": "a"}], "An attachment is"),
        ({"pages": 3}, "has no 'pages'"),
        ({"path": 3}, "The path of an attachment is 3"),
        ({"path": ["a" * 9_000]}, "it must be a text"),
        ([9_000 * "a"], "An attachment is"),
    ],
)
def test_what_is_none_is_refused_in_one_short_sentence(given: object, told: str) -> None:
    with pytest.raises(ToolError, match=told) as caught:
        read_attachment(given)
    assert len(str(caught.value)) < 400
