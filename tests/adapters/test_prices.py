from __future__ import annotations

import pytest

from consortium_mcp.adapters.prices import price


@pytest.mark.parametrize(
    ("model_id", "provider", "dollars"),
    [  # as the vendors' pages have them: dollars per million tokens in, and out
        ("gpt-4o", "openai", 2.50 + 10.00),
        ("anthropic/claude-opus-4-5", "anthropic", 5.00 + 25.00),
        ("gemini/gemini-2.5-flash", "gemini", 0.30 + 2.50),
    ],
)
def test_the_price_of_a_model_as_llm_spells_it(
    model_id: str, provider: str, dollars: float
) -> None:
    assert price(model_id, provider, 1_000_000, 1_000_000) == pytest.approx(dollars)


@pytest.mark.parametrize(("model_id", "provider"), [("m", "openai"), ("gpt-4o", "my-plugin")])
def test_an_unknown_price_is_none(model_id: str, provider: str) -> None:
    assert price(model_id, provider, 1_000, 1_000) is None
