"""Keys that only this shell's environment has, which a desktop program will not see.

The table stands in for llm's plugins, which take seconds to load.
"""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING

from consortium_mcp.adapters.key_values import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "cerebras": "CEREBRAS_API_KEY",
    "deepseek": "LLM_DEEPSEEK_KEY",
    "gemini": "LLM_GEMINI_KEY",
    "grok": "XAI_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "LLM_MISTRAL_KEY",
    "openrouter": "OPENROUTER_KEY",
    "perplexity": "LLM_PERPLEXITY_KEY",
}
"""The name of a key in llm's store -> the variable that its plugin, `llm-NAME`, takes it from
otherwise, as the plugins of autumn 2026 say."""


def keys_of_this_shell(user_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Keys of installed providers that are set here and not in llm's store: name -> variable."""
    try:
        stored = json.loads((user_dir / "keys.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = {}  # `doctor` says so
    return {
        name: variable
        for name, variable in VARIABLES.items()
        if not is_placeholder(environ.get(variable, ""))
        and name not in stored
        and _is_installed(name)
    }


def _is_installed(name: str) -> bool:
    if name == "openai":  # llm brings it
        return True
    try:
        importlib.metadata.distribution(f"llm-{name}")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
