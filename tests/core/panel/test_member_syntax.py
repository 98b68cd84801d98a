from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.domain.consortium import ConsortiumConfig
from consortium_mcp.core.domain.errors import ConfigError, InvalidMember, UnknownModel
from consortium_mcp.core.domain.text import closest
from consortium_mcp.core.panel.known_models import (
    CURRENT_MODELS,
    current_panel,
    family,
    panel_of_programs,
)
from consortium_mcp.core.panel.labels import label, shuffle_labels
from consortium_mcp.core.panel.member_syntax import parse_member, with_counts
from tests.support.fakes import config

KNOWN = {"gpt-4o", "gpt-4o-mini", "qwen3:4b", "llama3", "llama3:70b", "x:2"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpt-4o", ("gpt-4o", 1)),
        (" gpt-4o:2 ", ("gpt-4o", 2)),
        ("gpt-4o:32", ("gpt-4o", 32)),
        ("gpt-4o:+3", ("gpt-4o", 3)),
        ("qwen3:4b", ("qwen3:4b", 1)),
        ("qwen3:4b:3", ("qwen3:4b", 3)),
        ("llama3:70b", ("llama3:70b", 1)),
        ("llama3:7", ("llama3", 7)),
        ("x:2", ("x:2", 1)),
        ("x:2:2", ("x:2", 2)),
    ],
)
def test_the_longest_known_id_wins(text: str, expected: tuple[str, int]) -> None:
    assert parse_member(text, KNOWN) == expected


@pytest.mark.parametrize("count", ["0", "33", "99", "-1", "", "two", "1.5", "9" * 5000])
def test_a_bad_count_names_the_remedy(count: str) -> None:
    with pytest.raises(InvalidMember, match="Write gpt-4o:2 for two"):
        parse_member(f"gpt-4o:{count}", KNOWN)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_member_is_refused(text: str) -> None:
    with pytest.raises(InvalidMember, match="empty"):
        parse_member(text, KNOWN)


@pytest.mark.parametrize("text", ["gpt-4", "gpt4o:2", "qwen3:4", "qwen3:4x", "GPT-4o"])
def test_an_unknown_model_lists_what_comes_close(text: str) -> None:
    with pytest.raises(UnknownModel, match=r"closest known ids: .*(gpt-4o|qwen3:4b)"):
        parse_member(text, KNOWN)


def test_an_unknown_model_like_no_other_says_so() -> None:
    with pytest.raises(UnknownModel, match="No known id is close"):
        parse_member("zzzzzzzz", KNOWN)


def test_names_that_contain_the_text_come_close() -> None:
    assert closest("mini", ["gpt-4o-mini", "o3"]) == ["gpt-4o-mini"]


@given(st.text())
def test_any_text_is_a_member_or_a_config_error(text: str) -> None:
    try:
        name, count = parse_member(text, KNOWN)
    except ConfigError:
        return
    assert name in KNOWN
    assert 1 <= count <= 32


def test_labels_go_on_after_z() -> None:
    assert [label(i) for i in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def test_shuffling_keeps_the_panel_and_gives_each_label_once() -> None:
    members = config(*[f"m{i}" for i in range(30)]).members
    one, again, other = (shuffle_labels(members, seed) for seed in ("s", "s", "t"))
    assert one == again != other
    assert [m.model for m in one] == [m.model for m in members]
    assert sorted(m.label for m in one) == sorted(m.label for m in members)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("confidence_threshold", 1.5, "write 0.8 for 80"),
        ("confidence_threshold", 80, "write 0.8 for 80"),
        ("confidence_threshold", -0.1, "from 0 to 1"),
        ("confidence_threshold", float("nan"), "from 0 to 1"),
        ("max_iterations", 0, "between 1 and 20"),
        ("max_iterations", 21, "between 1 and 20"),
        ("min_iterations", 0, "between 1 and 20"),
        ("min_iterations", 4, "greater than max_iterations"),
        ("member_timeout", 0, "more than 0 seconds"),
        ("deadline_seconds", -1, "more than 0 seconds"),
        ("arbiter_timeout", float("inf"), "more than 0 seconds"),
        ("members", (), "at least one member"),
    ],
)
def test_broken_bounds_name_the_remedy(field: str, value: object, remedy: str) -> None:
    good = config("m").model_dump()
    with pytest.raises(ConfigError, match=remedy):
        ConsortiumConfig.model_validate(good | {field: value})


def test_the_bounds_themselves_are_allowed() -> None:
    edges = {"confidence_threshold": 1, "min_iterations": 20, "max_iterations": 20}
    assert config("m", **edges).max_iterations == 20
    assert config("m", confidence_threshold=0).confidence_threshold == 0


def test_the_default_panel_takes_one_of_each_ready_provider() -> None:
    openai, anthropic = CURRENT_MODELS["openai"], CURRENT_MODELS["anthropic"]
    ready = {*openai[1:], *anthropic, "unheard-of"}
    assert current_panel(ready) == ([openai[1], anthropic[0]], openai[1])


def test_one_ready_provider_makes_no_panel() -> None:
    assert current_panel(set(CURRENT_MODELS["openai"])) is None
    assert current_panel(set()) is None


def test_with_many_providers_the_arbiter_is_no_member() -> None:
    best = [models[0] for models in CURRENT_MODELS.values()]
    members, arbiter = current_panel(set(best)) or ([], "")
    assert arbiter == best[0]
    assert members == best[1:]


def test_the_newest_of_a_series_is_taken_whatever_its_date() -> None:
    ready = {
        "gpt-6-sol", "gpt-6.5-sol", "gpt-6.5-sol-2027-01-01", "gpt-7-nano", "gpt-4o",
        "anthropic/claude-opus-6", "anthropic/claude-opus-5-5", "anthropic/claude-haiku-9",
        "grok-5-latest", "grok-4-latest",
    }  # fmt: skip
    members, arbiter = current_panel(ready) or ([], "")
    assert arbiter == "gpt-6.5-sol"
    assert members == ["anthropic/claude-opus-6", "grok-5-latest"]


def test_with_three_providers_nobody_judges_its_own_answer() -> None:
    best = [models[0] for models in CURRENT_MODELS.values()][:3]
    assert current_panel(set(best)) == (best[1:], best[0])


def test_a_local_servers_models_are_the_panel_where_there_are_no_keys() -> None:
    local = ["llama4:8b", "qwen4:8b", "llama4:70b", "gemma5:4b"]
    members, arbiter = current_panel(local, local) or ([], "")
    assert arbiter not in members
    assert len({*members, arbiter}) == 3
    assert {"qwen4:8b", "gemma5:4b"} <= {*members, arbiter}
    assert current_panel(["gpt-6-sol", "a-model"], ["a-model"]) == (
        ["gpt-6-sol", "a-model"], "gpt-6-sol",
    )  # fmt: skip
    assert current_panel(["a-model"], ["a-model"]) is None


def test_one_provider_that_serves_many_families_is_a_panel() -> None:
    ready = [
        "openrouter/openai/gpt-5.5", "openrouter/openai/gpt-5.5-mini",
        "openrouter/anthropic/claude-opus-4.5", "openrouter/anthropic/claude-haiku-9",
        "openrouter/google/gemini-3-pro", "openrouter/google/gemini-3-pro-image",
        "openrouter/meta-llama/llama-guard-4", "openrouter/unheard-of/model",
    ]  # fmt: skip
    members, arbiter = current_panel(ready) or ([], "")
    assert {arbiter, *members} == {
        "openrouter/openai/gpt-5.5",
        "openrouter/anthropic/claude-opus-4.5",
        "openrouter/google/gemini-3-pro",
    }


@pytest.mark.parametrize(
    ("ready", "best"),
    [
        (["gpt-4.1", "gpt-7-nova"], "gpt-7-nova"),
        (["gpt-5.5", "gpt-7-nova-mini", "gpt-9-audio"], "gpt-5.5"),
        (["gpt-4.1", "gpt-4-0613"], "gpt-4.1"),
        (["gpt-5.1", "gpt-5-0807"], "gpt-5.1"),
    ],
)
def test_a_series_that_the_table_does_not_have_yet_counts(ready: list[str], best: str) -> None:
    providers = dict.fromkeys(ready, "openai")
    found = current_panel([*ready, "anthropic/claude-opus-5-5"], (), providers)
    assert found is not None
    assert found[1] == best


def test_a_price_is_a_hint_of_the_class() -> None:
    dollars = {"gpt-4.1": 10.0, "gpt-7-nova": 1.0, "openrouter/google/gemini-3-pro": 14.0,
               "openrouter/google/gemini-3.2-eco": 2.0}  # fmt: skip
    ready, other = ["gpt-4.1", "gpt-7-nova"], "anthropic/claude-opus-5-5"
    providers = dict.fromkeys(ready, "openai")
    assert current_panel([*ready, other], (), providers, dollars.get) == (
        ["gpt-4.1", other], "gpt-4.1",
    )  # fmt: skip
    routed = [each for each in dollars if each.startswith("openrouter/")]
    members, _ = current_panel(["gpt-4.1", *routed], (), None, dollars.get) or ([], "")
    assert members == ["gpt-4.1", "openrouter/google/gemini-3-pro"]


def test_programs_that_are_signed_in_are_a_panel_one_a_family() -> None:
    signed_in = ["agent/claude", "agent/codex", "agent/gemini"]
    assert panel_of_programs(signed_in, []) == (signed_in[1:], signed_in[0])
    assert panel_of_programs(["agent/codex"], ["gpt-5.5"]) is None
    assert panel_of_programs(["agent/codex"], ["gpt-5.5", "anthropic/claude-opus-5-5"]) == (
        ["agent/codex", "anthropic/claude-opus-5-5"], "agent/codex",
    )  # fmt: skip
    assert panel_of_programs([], ["gpt-5.5", "anthropic/claude-opus-5-5"]) is None


def test_models_that_only_embed_are_no_members() -> None:
    local = ["nomic-embed-text", "mxbai-embed-large", "llama3", "qwen3"]
    members, arbiter = current_panel(local, local) or ([], "")
    assert {*members, arbiter} == {"llama3", "qwen3"}


@pytest.mark.parametrize(
    ("model", "house"),
    [
        ("gpt-4o", "gpt"),
        ("o3-mini", "gpt"),
        ("openrouter/anthropic/claude-sonnet-5", "claude"),
        ("anthropic/claude-opus-5-5", "claude"),
        ("gemini/gemma-4-31b-it", "gemini"),
        ("my-own-model", None),
    ],
)
def test_a_family_is_read_from_the_name_wherever_it_is_served(
    model: str, house: str | None
) -> None:
    assert family(model) == house


@pytest.mark.parametrize(
    ("models", "counts", "members"),
    [
        (["gpt-4o", "qwen3:4b"], [], ["gpt-4o:1", "qwen3:4b:1"]),
        (["gpt-4o", "qwen3:4b"], [2], ["gpt-4o:2", "qwen3:4b:2"]),
        (["gpt-4o:3", "qwen3:4b"], [2], ["gpt-4o:3", "qwen3:4b:2"]),
        (["gpt-4o", "qwen3:4b"], [2, 3], ["gpt-4o:2", "qwen3:4b:3"]),
        (["gpt-4o:2", "qwen3:4b"], [2, 3], ["gpt-4o:2", "qwen3:4b:3"]),
    ],
)
def test_counts_go_with_the_models_in_order_or_one_with_all(
    models: list[str], counts: list[int], members: list[str]
) -> None:
    assert with_counts(models, counts, {"gpt-4o", "qwen3:4b"}) == members


@pytest.mark.parametrize(
    ("models", "counts", "said"),
    [
        (["gpt-4o"], [1, 2], "2 counts for 1 models"),
        (["gpt-4o:2", "qwen3:4b"], [3, 1], "says 2 and its count says 3"),
    ],
)
def test_counts_that_do_not_fit_are_refused(
    models: list[str], counts: list[int], said: str
) -> None:
    with pytest.raises(InvalidMember, match=said):
        with_counts(models, counts, {"gpt-4o", "qwen3:4b"})
