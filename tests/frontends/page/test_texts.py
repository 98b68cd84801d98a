from __future__ import annotations

import re

from pydantic import BaseModel

from consortium_mcp.frontends.page import model
from consortium_mcp.frontends.page.model import Later
from consortium_mcp.frontends.page.texts import _TEXTS, set_apart
from tests.conftest import CHECKOUT, ROOT
from tests.support.page_runs import page_of

MODELS = [
    each
    for each in vars(model).values()
    if isinstance(each, type) and issubclass(each, BaseModel) and each is not BaseModel
]


def test_short_texts_stay() -> None:
    page = page_of("debate")
    assert set_apart(page, 1_000_000) == (page, {})


def test_keys_stay_the_same_while_a_run_goes_on() -> None:
    page = page_of("debate")
    _, before = set_apart(page.model_copy(update={"iterations": page.iterations[:2]}), 20)
    _, after = set_apart(page, 20)
    assert {key: after[key] for key in before if key.startswith("iterations")} == {
        key: text for key, text in before.items() if key.startswith("iterations")
    }


def test_what_is_shown_at_once_keeps_its_beginning() -> None:
    page, texts = set_apart(page_of("answered"), 50)
    assert isinstance(page.synthesis, Later)
    assert page.synthesis.beginning == texts["synthesis"][:50]
    prompt = page.calls[0].prompt
    assert isinstance(prompt, Later)
    assert (prompt.key, prompt.beginning) == ("prompt", "")  # the question, word for word


def test_a_models_own_object_is_left_alone() -> None:
    page = page_of("object").model_copy(update={"data": {"text": "x" * 100}})
    assert set_apart(page, 50)[0].data == {"text": "x" * 100}


def test_every_field_that_may_come_later_is_known() -> None:
    fields = {
        name
        for each in MODELS
        for name, field in each.model_fields.items()
        if "Later" in str(field.annotation)
    }
    assert fields == _TEXTS


@CHECKOUT
def test_the_page_knows_the_same_fields() -> None:
    source = (ROOT / "web" / "src" / "types.ts").read_text(encoding="utf-8")
    found = {
        name: set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
        for name, body in re.findall(r"(?ms)^export interface (\w+) \{\n(.*?)^\}", source)
    }
    ours = {each.__name__: set(each.model_fields) for each in MODELS if each.__name__ in found}
    assert len(ours) >= 14
    assert {name: found[name] for name in ours} == ours
