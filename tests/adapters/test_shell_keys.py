from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.shell_keys import keys_of_this_shell

if TYPE_CHECKING:
    from pathlib import Path

SHELL = {"OPENAI_API_KEY": "made-up", "XAI_API_KEY": "made-up", "MISTRAL_API_KEY": "made-up"}


@pytest.mark.parametrize(
    ("stored", "environ", "found"),
    [
        (None, SHELL, {"openai": "OPENAI_API_KEY"}),
        ("{", SHELL, {"openai": "OPENAI_API_KEY"}),
        (json.dumps({"anthropic": "x"}), SHELL, {"openai": "OPENAI_API_KEY"}),
        (json.dumps({"openai": "x"}), SHELL, {}),
        (None, {"OPENAI_API_KEY": ""}, {}),
        (None, {}, {}),
    ],
)
def test_a_key_of_an_installed_provider_that_only_this_shell_has_is_found(
    tmp_path: Path, stored: str | None, environ: dict[str, str], found: dict[str, str]
) -> None:
    if stored is not None:
        (tmp_path / "keys.json").write_text(stored, encoding="utf-8")
    assert keys_of_this_shell(tmp_path, environ) == found
