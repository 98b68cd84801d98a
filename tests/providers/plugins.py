"""The plugins that are tried, each with one model made without asking its provider for a list."""

from __future__ import annotations

import importlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import llm
from llm.plugins import pm

from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from tests.providers.kit import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def _made(module: str, *classes: str, **arguments: Any) -> Callable[[], tuple[Any, ...]]:  # noqa: ANN401
    def make() -> tuple[Any, ...]:
        loaded = importlib.import_module(module)
        return tuple(getattr(loaded, name)(**arguments) for name in classes)

    return make


_OPENAI = "llm.default_plugins.openai_models"
PLUGINS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "openai": _made(_OPENAI, "Chat", "AsyncChat", model_id="m", supports_schema=True),
    "openai_responses": _made(_OPENAI, "Responses", "AsyncResponses", model_id="m",
                              supports_schema=True),
    "anthropic": _made("llm_anthropic", "ClaudeMessages", "AsyncClaudeMessages", model_id="m"),
    "gemini": _made("llm_gemini", "GeminiPro", "AsyncGeminiPro", gemini_model_id="m",
                    can_schema=True),
    "mistral": _made("llm_mistral", "Mistral", "AsyncMistral", our_model_id="m",
                     mistral_model_id="m", vision=False, schemas=True, tools=False, audio=False,
                     reasoning=False),
    "openrouter": _made("llm_openrouter", "OpenRouterChat", "OpenRouterAsyncChat", model_id="m",
                        supports_schema=True),
    "ollama": _made("llm_ollama.models.chat", "OllamaChatModel", "AsyncOllamaChatModel",
                    model_id="m", ollama_name="m", capabilities=("completion",)),
    "groq": _made("llm_groq", "LLMGroq", "LLMAsyncGroq", model_id="m", groq_model_id="m"),
    "deepseek": _made("llm_deepseek", "DeepSeekChat", "DeepSeekAsyncChat", model_name="m"),
    "grok": _made("llm_grok", "Grok", model_id="m"),
    "cerebras": _made("llm_cerebras.cerebras", "CerebrasModel", model_id="m"),
    "bedrock": _made("llm_bedrock", "BedrockModel", model_id="m", supports_attachments=False),
    "perplexity": _made("llm_perplexity", "Perplexity", model_id="sonar"),
    "lmstudio": _made("llm_lmstudio", "LMStudioModel", "LMStudioAsyncModel", model_id="m",
                      base_url="http://127.0.0.1", raw_id="m", api_path_prefix="/api/v0"),
}  # fmt: skip
"""Name -> makes its sync and, where there is one, its async model."""
SECRET = "0123456789"  # noqa: S105 (made up)
"""In each key: no error may show it."""


def id_of(name: str) -> str:
    """The id of the model of this name; Perplexity's plugin knows only its own ids."""
    return "sonar" if name == "perplexity" else f"{name}-m"


def installed(name: str) -> bool:
    """Whether this plugin can be tried here."""
    try:
        PLUGINS[name]()
    except ImportError:
        return False
    return True


@contextmanager
def caller_of(name: str, user_dir: Path) -> Iterator[ModelCaller]:
    """A caller that knows the model `id_of(name)`, with made-up keys and everything on loopback."""
    made = PLUGINS[name]()
    for model in made:
        model.model_id = id_of(name)
    user_dir.mkdir(parents=True, exist_ok=True)
    keys = {each.removesuffix("_responses"): f"a-key-of-{each}-{SECRET}" for each in PLUGINS}
    keys["bedrock"] += ":made-up"  # an access key and its secret
    (user_dir / "keys.json").write_text(json.dumps(keys), encoding="utf-8")

    class Plugin:
        @llm.hookimpl
        def register_models(self, register: Callable[..., None]) -> None:
            register(*made)

    plugin = Plugin()
    pm.register(plugin, name=name)
    try:
        with providers():
            yield ModelCaller(Registry(), Limits())
    finally:
        pm.unregister(plugin)
