from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consortium_mcp.core.panel.template import FilledTemplate, with_template
from tests.support.fakes import config

if TYPE_CHECKING:
    from consortium_mcp.core.domain.consortium import ConsortiumConfig


def put(panel: ConsortiumConfig, **brought: Any) -> ConsortiumConfig:  # noqa: ANN401
    filled = FilledTemplate("?", "Of the template.", "Its criteria.", {"temperature": 1, "x": 2})
    own: dict[str, str | None] = {"system": None, "criteria": None}
    return with_template(panel, filled, {"a": {"temperature"}}, **own | brought)


def test_a_member_gets_the_options_that_its_model_has_and_keeps_its_own() -> None:
    panel = config("a", "b", "a")
    own = panel.members[2].model_copy(update={"options": {"temperature": 0}})
    panel = panel.model_copy(update={"members": (*panel.members[:2], own)})
    options = [member.options for member in put(panel).members]
    assert options == [{"temperature": 1}, {}, {"temperature": 0}]


def test_what_is_said_now_goes_before_the_template_and_that_before_what_was_saved() -> None:
    panel = config("a", system="Saved.", criteria="Saved, too.")
    made = put(panel)
    assert (made.system, made.criteria) == ("Of the template.", "Its criteria.")
    made = put(panel, system="Now.", criteria="Now, too.")
    assert (made.system, made.criteria) == ("Now.", "Now, too.")
    empty = FilledTemplate("?")
    made = with_template(panel, empty, {}, system=None, criteria=None)
    assert made == panel
