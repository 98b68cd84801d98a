"""What calls cost, as far as it is known: an estimate, made without asking anybody.

Prices are those of genai-prices, which come with it, and the user's own in a file of a few lines:

    ["my-model"]
    input = 0.5   # US dollars for a million tokens
    output = 1.5
    cached = 0.05 # input that the provider had in its cache; as `input` where it is left out
"""

from __future__ import annotations

import logging
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.models.snapshot import Entry

log = logging.getLogger(__name__)
_PROVIDERS = {
    "anthropic": "anthropic", "azure": "azure", "bedrock": "aws", "cerebras": "cerebras",
    "cohere": "cohere", "deepseek": "deepseek", "fireworks": "fireworks", "gemini": "google",
    "grok": "x-ai", "groq": "groq", "mistral": "mistral", "moonshot": "moonshotai",
    "openai": "openai", "openrouter": "openrouter", "perplexity": "perplexity",
    "together": "together",
}  # fmt: skip
"""Plugins of llm -> the provider's name in genai-prices. Others have no known price, so that the
library, which takes a third of a second to load, is not loaded for them."""
_MILLION = 1_000_000


@dataclass(frozen=True)
class Tokens:
    """What one call used."""

    input: int
    """With those from the cache and those written to it."""
    output: int
    cached: int = 0
    """Read from the provider's cache."""
    cache_written: int = 0


class Prices:
    """Knows prices.

    Args:
        file: the user's own prices, which go before; there need be none.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def of(
        self, model_id: str, provider: str, tokens: Tokens, api_base: str | None = None
    ) -> float | None:
        """US dollars for one call; `None` where the price is not known.

        The first look takes a third of a second, so look off the event loop.

        Args:
            model_id: as llm spells it, such as `anthropic/claude-opus-5-5`.
            provider: the llm plugin's name.
            tokens: what the call used.
            api_base: the address that the model is asked at, where that is not the provider's own.
        """
        if (own := self._own.get(model_id)) is not None:
            return own.of(tokens)
        if provider not in _PROVIDERS and not api_base:
            return None
        # Late, as it takes a third of a second.
        from genai_prices import Usage, calc_price  # noqa: PLC0415

        usage = Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cached,
            cache_write_tokens=tokens.cache_written,
        )
        name = model_id.removeprefix(f"{provider}/")
        try:
            if api_base:
                found = calc_price(usage, name, provider_api_url=api_base)
            else:
                found = calc_price(usage, name, provider_id=_PROVIDERS[provider])
        except (LookupError, ValueError):  # ValueError: counts that cannot all be true
            return None
        return float(found.total_price)

    @cached_property
    def _own(self) -> dict[str, _OwnPrice]:
        """The user's prices; what cannot be read is left out with a warning."""
        if self._file is None or not self._file.exists():
            return {}
        try:
            content = tomllib.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s); its prices are left out.", self._file, error)
            return {}
        found = {}
        for model_id, entry in content.items():
            try:
                found[model_id] = _OwnPrice.read(entry)
            except (TypeError, KeyError, ValueError):
                log.warning(
                    "%s: the entry %r needs the numbers input and output, in US dollars for a "
                    "million tokens; it is left out.", self._file, model_id,
                )  # fmt: skip
        return found


def price_of(prices: Prices, entry: Entry, tokens: Tokens) -> float | None:
    """US dollars for one call of this model; `None` where the price is not known.

    Of a model on the user's own machine, it is known only if the user names it.
    """
    provider, api_base = (entry.provider, entry.api_base) if entry.is_paid else ("", None)
    return prices.of(entry.model_id, provider, tokens, api_base)


@dataclass(frozen=True)
class _OwnPrice:
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float

    @classmethod
    def read(cls, entry: Any) -> _OwnPrice:  # noqa: ANN401 (as TOML has it)
        numbers = {name: entry[name] for name in ("input", "output", "cached") if name in entry}
        if not all(type(each) in {int, float} and each >= 0 for each in numbers.values()):
            raise ValueError
        return cls(numbers["input"], numbers["output"], numbers.get("cached", numbers["input"]))

    def of(self, tokens: Tokens) -> float:
        fresh = tokens.input - tokens.cached
        dollars = fresh * self.input + tokens.cached * self.cached + tokens.output * self.output
        return dollars / _MILLION
