"""Calls as agents really write them, and the sentence that each of them gets.

`UPDATE_SNAPSHOTS=1 python -m pytest tests/acceptance/test_calls.py` writes the table anew; read it.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.support.client import text_of

if TYPE_CHECKING:
    from mcp import Client

    from tests.support.client import Connect

pytestmark = pytest.mark.anyio
TABLE = ROOT / "tests" / "snapshots" / "calls.md"
INTRODUCTION = """# Calls, and what comes back

Each call is made through the real server. `read` means that it was understood, and whatever was \
only filled in was left out; else the sentence is what the caller reads.
"""
PLAN = {"prompt": "Six × 7?", "models": ["sure", "agrees"], "arbiter": "judge", "dry_run": True}
SAVE = {"name": "two", "models": ["sure", "agrees"], "arbiter": "judge", "overwrite": True}
BASES: dict[str, dict[str, Any]] = {
    "consult_consortium": PLAN, "save_consortium": SAVE, "list_runs": {},
    "get_run": {"run_id": "latest"}, "cancel_run": {"run_id": "latest"},
    "resume_run": {"run_id": "latest"}, "list_models": {"query": "sure"},
    "delete_consortium": {"name": "two"}, "list_consortiums": {},
}  # fmt: skip
TEXT = (5, ["a"], None, "null")
COUNT = ("3", 2.5, "many", 0)
NUMBER = ("0.5", "high", True, None)
FORMS: dict[str, dict[str, tuple[Any, ...]]] = {
    "consult_consortium": {
        "prompt": (5, None, "", {"text": "Six × 7?"}),
        "models": (
            "sure", "sure, agrees", '["sure", "agrees"]', 5, [5], {"sure": 2}, {"name": "sure"},
            [{"model": "sure", "count": 2}], [{"model": "sure", "count": "two"}],
            [{"count": 2}], [{"model": "sure", "temperature": 0}],
            [{"model": "sure", "tier": "HIGH"}], [{"model": "sure", "tier": "Strong"}],
            [{"model": "sure", "options": "{}"}], [{"model": "sure", "options": "hot"}],
            ['{"model": "sure"}'], ["surely"], [],
        ),
        "arbiter": (*TEXT, ""), "strategy": ("VOTE", "votes", 5, ""),
        "sampling": ("Adaptive", "all", "some", ""), "escalate_to": TEXT,
        "system": ('{"role": "system"}', "[1]", 5, "null"),
        "confidence_threshold": ("0.8", "80", "high", 80, ""), "max_iterations": (*COUNT, 99),
        "min_iterations": COUNT, "max_calls": (*COUNT, None), "max_total_tokens": (*COUNT, ""),
        "max_tokens": (500,), "deadline_seconds": ("300", "soon", 0, -1),
        "wait_seconds": ("0", "long", -1, None), "dry_run": ("true", "maybe", 1, True),
        "continue_run": (5, "null", "latest", "01K0000000000000000000000X"),
        "consortium": (5, "", "nobody"), "quorum": (0.5,), "question": ("?",), "members": (["a"],),
        "rounds": (2,), "temperature": (0,),
    },
    "save_consortium": {
        "name": (5, None, "a b"), "quorum": ("0.5", "most", 0, 75), "member_timeout": NUMBER,
        "arbiter_options": ('{"temperature": 0}', "cold", None), "arbiters": ("judge", 5, []),
        "description": TEXT, "clone": ("nobody", 5, ""), "overwrite": ("yes", "maybe"),
        "straggler_grace": ("5", "soon", 0), "prompt": ("Six × 7?",),
    },
    "list_runs": {
        "limit": ("5", "all", 0, 500), "cursor": (5, "abc", ""), "query": (5, "null", ""),
        "status": ("done", "COMPLETED", "running", "odd", 5, ""), "consortium": (5, "null"),
        "search": ("lock",),
    },
    "get_run": {
        "run_id": (5, None, "", "consortium://runs/01K0000000000000000000000X", "nothing"),
        "include": ("responses", "answers", ["RESPONSES"], '["exchanges"]', ["all of it"], 5, None),
        "offset": ("0", "next", -5), "wait_seconds": ("0", "long", None), "id": ("latest",),
    },
    "cancel_run": {"run_id": (5, "LATEST", None)},
    "resume_run": {"run_id": (5, "Latest"), "wait_seconds": ("1", "long")},
    "list_models": {"query": (5, None, "null", "nobody")},
    "delete_consortium": {"name": (5, None, "nobody")},
    "list_consortiums": {"query": ("two",)},
}  # fmt: skip


def calls() -> list[tuple[str, dict[str, Any], str]]:
    """Tool, arguments, and what is particular about them."""
    return [
        (tool, BASES[tool] | {name: value}, f"{name}={json.dumps(value, ensure_ascii=False)}")
        for tool, fields in FORMS.items()
        for name, values in fields.items()
        for value in values
    ]


async def answer(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """`read`, or the sentence."""
    result = await client.call_tool(tool, arguments)
    if not result.is_error:
        return "read"
    said = text_of(result).removeprefix(f"Error executing tool {tool}: ")
    return re.sub(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "01…", " ".join(said.split()))


async def test_each_call_gets_one_sentence(connect: Connect) -> None:
    async with connect() as client:
        await client.call_tool("consult_consortium", PLAN | {"dry_run": False})
        await client.call_tool("save_consortium", SAVE)
        lines = [INTRODUCTION]
        for tool, arguments, shown in calls():
            if f"## {tool}\n" not in lines:
                lines.append(f"## {tool}\n")
            said = await answer(client, tool, arguments)
            assert "pydantic" not in said.lower()
            assert "http" not in said
            lines.append(f"- `{shown}` → {said}")
            if tool == "delete_consortium":
                await client.call_tool("save_consortium", SAVE)
    assert len(calls()) >= 120
    text = "\n".join(lines).replace("\n## ", "\n\n## ") + "\n"
    if "UPDATE_SNAPSHOTS" in os.environ:
        TABLE.write_text(text, encoding="utf-8")
    assert text == TABLE.read_text(encoding="utf-8")
