"""Attachments as values: bounds, names and estimates."""

from __future__ import annotations

import pytest

from consortium_mcp.core.domain.attachment import (
    MAX_TOTAL_TEXT,
    Attachment,
    AttachmentSpec,
    check_together,
    file_name,
)
from consortium_mcp.core.domain.errors import ConfigError


def of(type_: str, size: int = 3, text: str | None = None) -> Attachment:
    return Attachment.of("a", type_, bytes(size), text)


@pytest.mark.parametrize(
    ("attachment", "tokens"),
    [
        (of("image/png", 5_000_000), 1_600),
        (Attachment(name="a", type="image/png", url="https://example.com/a.png"), 1_600),
        (Attachment(name="a", type="audio/wav", url="https://example.com/a.wav"), 10_000),
        (of("audio/mpeg", 16_000), 32),
        (of("application/pdf", 50), 2_000),
        (of("application/pdf", 500_000), 20_000),
        (of("text/plain", 8, "eight ch"), 2),
        (of("application/zip", 400), 100),
    ],
)
def test_about_how_many_tokens_it_is(attachment: Attachment, tokens: int) -> None:
    assert attachment.estimated_tokens == tokens


@pytest.mark.parametrize(
    ("attachments", "told"),
    [
        ([of("image/png", n) for n in range(1, 22)], "More than 20 files"),
        ([of("image/png", 15_000_000 + n) for n in range(3)], "45 MB, and at most 40 MB"),
        ([of("text/plain", n, "a" * 200_001) for n in range(4)], "characters of text"),
    ],
)
def test_too_much_together_is_refused(attachments: list[Attachment], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check_together(attachments)


def test_as_much_as_is_sent_is_not() -> None:
    check_together([of("text/plain", 1, "a" * MAX_TOTAL_TEXT)])
    check_together([of("image/png", n) for n in range(1, 21)])


def test_what_is_attached_is_named_in_one_way() -> None:
    for spec in (AttachmentSpec(path="a"), AttachmentSpec(text=""), AttachmentSpec(url="a")):
        assert spec.checked() is spec
    with pytest.raises(ConfigError, match="given: path, base64"):
        AttachmentSpec(path="a", base64="b").checked()
    with pytest.raises(ConfigError, match="given: none"):
        AttachmentSpec(type="image/png").checked()


def test_the_same_content_of_another_type_is_another_attachment() -> None:
    same = of("image/png").model_copy(update={"name": "b"})
    assert same.identity == of("image/png").identity
    others = [of("text/plain"), of("image/png", 4)]
    others.append(Attachment(name="a", type="image/png", url="https://example.com/a.png"))
    assert len({each.identity for each in (same, *others)}) == 4


def test_a_name_is_one_short_line() -> None:
    assert file_name('a\n"b"\x00 <c>') == "a b c"
    assert file_name("\n") == "attachment"
    assert len(file_name("a" * 999)) == 100
