"""Who is shown an attachment, and what becomes of those who cannot be."""

from __future__ import annotations

import pytest

from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.panel.showing import judging_blind, panel_for, shown_to
from tests.support.fakes import config

PHOTO = Attachment.of("photo.png", "image/png", b"png")
INVOICE = Attachment.of("invoice.pdf", "application/pdf", b"pdf")
LOG = Attachment.of("server.log", "text/plain", b"down", "It is down.")
TYPES = {
    "sees": frozenset({"image/png", "application/pdf", "text/plain"}),
    "looks": frozenset({"image/png"}),
    "blind": frozenset[str](),
    "council": None,
}


def shown(*attachments: Attachment, text: str | None = None) -> tuple[Attachment, ...]:
    found = shown_to(attachments, TYPES)
    return tuple(
        each.model_copy(update={"text": text}) if each.type == "application/pdf" else each
        for each in found
    )


def test_a_file_goes_to_those_who_take_its_type_and_a_text_to_consortiums_only() -> None:
    photo, invoice, log = shown(PHOTO, INVOICE, LOG)
    assert photo.shown_to == ("sees", "looks", "council")
    assert invoice.shown_to == ("sees", "council")
    assert log.shown_to == ("council",), "it is quoted to the others"


def test_those_who_take_not_all_are_left_out_and_named() -> None:
    panel = config("sees", "looks", "blind", "blind")
    kept, warnings = panel_for(panel, shown(PHOTO, INVOICE, LOG))
    assert [each.model for each in kept.members] == ["sees"]
    assert warnings == (
        "looks does not take application/pdf, so it is left out.",
        "blind does not take image/png, application/pdf, so it is left out.",
    )


def test_a_text_leaves_nobody_out() -> None:
    panel = config("sees", "blind", "council")
    assert panel_for(panel, shown(LOG)) == (panel, ())


def test_text_stands_in_for_a_pdf_but_not_for_a_picture() -> None:
    panel = config("sees", "looks", "blind", on_unsupported="text")
    kept, warnings = panel_for(panel, shown(INVOICE, text="Invoice 4711"))
    assert kept == panel
    assert warnings == ("Of invoice.pdf, looks, blind got only the text in it.",)
    kept, warnings = panel_for(panel, shown(PHOTO, INVOICE, text="Invoice 4711"))
    assert [each.model for each in kept.members] == ["sees", "looks"]
    assert warnings == (
        "blind does not take image/png, of which there is no text, so it is left out.",
        "Of invoice.pdf, looks got only the text in it.",
    )


@pytest.mark.parametrize(
    ("unsupported", "kept", "warning"),
    [
        ("skip", None, "blind does not take application/pdf, so it is left out."),
        ("text", "blind", "Of invoice.pdf, blind got only the text in it."),
    ],
)
def test_the_reserve_is_treated_as_a_member(
    unsupported: str, kept: str | None, warning: str
) -> None:
    panel = config("sees", escalate_to="blind", strategy="vote", on_unsupported=unsupported)
    found, warnings = panel_for(panel, shown(INVOICE, text="Invoice 4711"))
    assert [each.model for each in found.members] == ["sees"]
    assert (found.escalate_to, warnings) == (kept, (warning,))


def test_fail_refuses_the_call_and_names_them() -> None:
    panel = config("sees", "blind", on_unsupported="fail")
    with pytest.raises(ConfigError, match=r"blind does not take image/png\. Name models that do"):
        panel_for(panel, shown(PHOTO))
    assert panel_for(config("sees", on_unsupported="fail"), shown(PHOTO))[1] == ()


@pytest.mark.parametrize(
    ("attachment", "unsupported", "offers_text"),
    [(PHOTO, "skip", False), (INVOICE, "skip", True), (INVOICE, "text", False)],
)
def test_where_nobody_is_left_the_remedy_is_one_that_helps(
    attachment: Attachment, unsupported: str, offers_text: bool  # noqa: FBT001
) -> None:  # fmt: skip
    with pytest.raises(ConfigError, match="No member can be asked: blind does not take") as caught:
        panel_for(config("blind", on_unsupported=unsupported), shown(attachment))
    assert ('on_unsupported to "text"' in str(caught.value)) is offers_text


def test_an_arbiter_that_sees_nothing_is_told_of() -> None:
    attached = shown(PHOTO, INVOICE, LOG, text="Invoice 4711")
    assert judging_blind("sees", attached) is None
    assert judging_blind("council", attached) is None
    assert judging_blind("blind", attached) == (
        "blind cannot be shown photo.png: it judges by the answers alone."
    )
