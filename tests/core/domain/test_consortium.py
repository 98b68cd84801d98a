from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member, TemplateUse
from consortium_mcp.core.domain.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (" mine ", TemplateUse(name="mine")),
        ({"name": "mine"}, TemplateUse(name="mine")),
        ({"name": "mine", "params": {"n": 3}}, TemplateUse(name="mine", params={"n": "3"})),
    ],
)
def test_a_template_is_named_by_a_text_or_an_object(written: object, read: TemplateUse) -> None:
    assert TemplateUse.model_validate(written) == read
    assert TemplateUse.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    "written", [7, {}, {"params": {}}, {"name": "x", "params": 1}, {"name": "x", "n": 1},
                {"name": "x", "params": {"n": []}}]
)  # fmt: skip
def test_nothing_else_names_one(written: object) -> None:
    with pytest.raises(ValidationError):
        TemplateUse.model_validate(written)


def test_several_keep_their_order() -> None:
    assert TemplateUse(name="a", then=("b", "c")).names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("max_cost", 0.0, "more than 0 US dollars"),
        ("max_cost", float("inf"), "more than 0 US dollars"),
        ("reuse", "a while", "it is an age"),
        ("on_unsupported", "drop", "choose one of: skip, text, fail"),
        ("max_calls", 0, "must be 1 or more"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_what_to_write(
    setting: str,
    value: Any,  # noqa: ANN401 (of each kind)
    told: str,
) -> None:
    with pytest.raises(ConfigError, match=told):
        ConsortiumConfig(
            members=(Member(label="A", model="a"),), arbiter="judge", **{setting: value}
        )
