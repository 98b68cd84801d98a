"""What a call costs, as far as genai-prices knows: an estimate, made without asking anybody."""

from __future__ import annotations

_PROVIDERS = {"gemini": "google", "grok": "x-ai"}
"""Plugins of llm whose provider has another name in genai-prices."""


def price(model_id: str, provider: str, input_tokens: int, output_tokens: int) -> float | None:
    """US dollars for one call; `None` where the price is not known.

    Args:
        model_id: as llm spells it, such as `anthropic/claude-opus-5-5`.
        provider: the llm plugin's name.
        input_tokens: how many are sent.
        output_tokens: how many come back.
    """
    # Late, as it takes a third of a second.
    from genai_prices import Usage, calc_price  # noqa: PLC0415

    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    name = model_id.removeprefix(f"{provider}/")
    try:
        found = calc_price(usage, name, provider_id=_PROVIDERS.get(provider, provider))
    except LookupError:
        return None
    return float(found.total_price)
