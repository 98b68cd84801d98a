"""Prices: those that come with genai-prices, beside the vendors' pages, and one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.prices import Prices, Tokens

if TYPE_CHECKING:
    from pathlib import Path

PRICES = Prices()
IN, OUT, CACHED = Tokens(100_000, 0), Tokens(0, 100_000), Tokens(100_000, 0, cached=100_000)
"""Below the 128,000 and 200,000 tokens from which some models cost more."""
VENDORS = [
    # US dollars for a million tokens: in, out, and in from the cache
    ("gpt-4o", "openai", 2.5, 10, 1.25), ("gpt-4o-mini", "openai", 0.15, 0.6, 0.075),
    ("gpt-4.1", "openai", 2, 8, 0.5), ("gpt-4.1-mini", "openai", 0.4, 1.6, 0.1),
    ("gpt-4.1-nano", "openai", 0.1, 0.4, 0.025), ("gpt-4-turbo", "openai", 10, 30, 10),
    ("gpt-3.5-turbo", "openai", 0.5, 1.5, 0.5), ("o1", "openai", 15, 60, 7.5),
    ("o3", "openai", 2, 8, 0.5), ("o3-mini", "openai", 1.1, 4.4, 0.55),
    ("o4-mini", "openai", 1.1, 4.4, 0.275), ("gpt-5", "openai", 1.25, 10, 0.125),
    ("gpt-5-mini", "openai", 0.25, 2, 0.025), ("gpt-5-nano", "openai", 0.05, 0.4, 0.005),
    ("gpt-5.1", "openai", 1.25, 10, 0.125), ("gpt-5.2", "openai", 1.75, 14, 0.175),
    ("anthropic/claude-opus-4-5", "anthropic", 5, 25, 0.5),
    ("anthropic/claude-opus-4-1", "anthropic", 15, 75, 1.5),
    ("anthropic/claude-sonnet-4-5", "anthropic", 3, 15, 0.3),
    ("anthropic/claude-sonnet-4-0", "anthropic", 3, 15, 0.3),
    ("anthropic/claude-haiku-4-5-20251001", "anthropic", 1, 5, 0.1),
    ("anthropic/claude-3-7-sonnet-latest", "anthropic", 3, 15, 0.3),
    ("anthropic/claude-3-5-haiku-latest", "anthropic", 0.8, 4, 0.08),
    ("anthropic/claude-3-opus-latest", "anthropic", 15, 75, 1.5),
    ("anthropic/claude-3-haiku-20240307", "anthropic", 0.25, 1.25, 0.03),
    ("gemini/gemini-2.5-pro", "gemini", 1.25, 10, 0.125),
    ("gemini/gemini-2.5-flash", "gemini", 0.3, 2.5, 0.03),
    ("gemini/gemini-2.5-flash-lite", "gemini", 0.1, 0.4, 0.01),
    ("gemini/gemini-2.0-flash", "gemini", 0.1, 0.4, 0.025),
    ("gemini/gemini-2.0-flash-lite", "gemini", 0.075, 0.3, 0.075),
    ("gemini/gemini-3-pro-preview", "gemini", 2, 12, 0.2),
    ("gemini/gemini-3-flash-preview", "gemini", 0.5, 3, 0.05),
    ("mistral/mistral-large-latest", "mistral", 2, 6, 2),
    ("mistral/codestral-latest", "mistral", 0.3, 0.9, 0.3),
    ("groq/llama-3.3-70b-versatile", "groq", 0.59, 0.79, 0.59),
    ("groq/llama-3.1-8b-instant", "groq", 0.05, 0.08, 0.05),
    ("grok-3-latest", "grok", 3, 15, 0.75), ("grok-4-latest", "grok", 3, 15, 0.75),
    ("openrouter/openai/gpt-4o", "openrouter", 2.5, 10, 1.25),
    ("openrouter/anthropic/claude-sonnet-4.5", "openrouter", 3, 15, 0.3),
]  # fmt: skip


@pytest.mark.parametrize(("model_id", "provider", "sent", "received", "cached"), VENDORS)
def test_the_price_of_a_model_as_llm_spells_it(
    model_id: str, provider: str, sent: float, received: float, cached: float
) -> None:
    found = [PRICES.of(model_id, provider, tokens) for tokens in (IN, OUT, CACHED)]
    assert found == pytest.approx([sent / 10, received / 10, cached / 10])


def test_a_long_prompt_costs_more_where_it_does() -> None:
    long = PRICES.of("gemini/gemini-2.5-pro", "gemini", Tokens(300_000, 0))
    assert long == pytest.approx(0.3 * 2.5)


@pytest.mark.parametrize(
    ("model_id", "provider", "api_base"),
    [
        ("m", "openai", None),
        ("gpt-4o", "my-plugin", None),
        ("gpt-4o", "openai", "https://llm.my-company.example/v1"),
    ],
)
def test_an_unknown_price_is_none(model_id: str, provider: str, api_base: str | None) -> None:
    assert PRICES.of(model_id, provider, Tokens(1_000, 1_000), api_base) is None


def test_counts_that_cannot_be_true_have_no_price() -> None:
    assert PRICES.of("gpt-4o", "openai", Tokens(10, 1, cached=1_000)) is None


def test_ones_own_prices_go_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "consortium-prices.toml"
    file.write_text(
        '["mine/m"]\ninput = 1\noutput = 2.5\ncached = 0.1\n["gpt-4o"]\ninput = 0\noutput = 0\n'
        '["half"]\ninput = 1\n["words"]\ninput = "1"\noutput = 2\n'
    )
    own = Prices(file)
    found = own.of("mine/m", "my-plugin", Tokens(3_000_000, 2_000_000, cached=1_000_000))
    assert found == pytest.approx(2 + 0.1 + 5)
    assert own.of("gpt-4o", "openai", IN) == 0
    assert own.of("half", "my-plugin", IN) is None
    assert "'half' needs the numbers input and output" in caplog.text
    assert "'words'" in caplog.text


def test_a_file_that_cannot_be_read_costs_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "consortium-prices.toml"
    file.write_text("[[")
    assert Prices(file).of("gpt-4o", "openai", IN) == pytest.approx(0.25)
    assert "its prices are left out" in caplog.text
