"""What a question is about besides its prompt: a file, a text or a web address."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Self

from pydantic import ConfigDict, Field

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.text import clean, estimated_tokens
from consortium_mcp.core.domain.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_ATTACHMENTS = 20
MAX_TOTAL_BYTES = 40_000_000
MAX_TOTAL_TEXT = 800_000
"""Characters of all texts together, about 200,000 tokens: what most current models take."""
MAX_NAME = 100
"""Characters of a name."""


class AttachmentSpec(Value):
    """An attachment as the user names it: where its content is, and perhaps what it is."""

    path: str | None = None
    url: str | None = None
    text: str | None = None
    """The content itself."""
    base64: str | None = None
    """The content itself, encoded."""
    type: str | None = None
    """Its MIME type; needed with `base64`, and for a URL that does not end in a file's name."""
    name: str | None = None

    def checked(self) -> Self:
        """This, if it says where its content is.

        Raises:
            ConfigError: it does not, or says it twice.
        """
        sources = ("path", "url", "text", "base64")
        given = [each for each in sources if getattr(self, each) is not None]
        if len(given) != 1:
            raise ConfigError(
                "An attachment has one of path, url, text and base64; given: "
                f"{', '.join(given) or 'none'}."
            )
        return self


class Attachment(Value):
    """An attachment with its content. A web address has none: its provider fetches it."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    name: str
    type: str
    """MIME type."""
    content: bytes | None = Field(default=None, repr=False)
    url: str | None = None
    sha256: str | None = None
    """Of the content, in hexadecimal digits."""
    text: str | None = Field(default=None, repr=False)
    """What is written in it, for models that do not take the file; `None` where that is not
    known."""
    is_text: bool = False
    """Whether it is a text to begin with, which is quoted in the prompt."""
    shown_to: tuple[str, ...] = ()
    """Ids of the models, and names of the consortiums, that get the file itself."""

    @classmethod
    def of(cls, name: str, type_: str, content: bytes, text: str | None = None) -> Self:
        """A file with this content."""
        digest = hashlib.sha256(content).hexdigest()
        return cls(
            name=file_name(name),
            type=type_,
            content=content,
            sha256=digest,
            text=text,
            is_text=text is not None,
        )

    @property
    def size(self) -> int | None:
        """Bytes of its content; `None` for a web address."""
        return None if self.content is None else len(self.content)

    @property
    def identity(self) -> str:
        """What tells it from every other: its type, and its content's hash or its address."""
        return f"{self.type} {self.sha256 or self.url}"

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens a model counts for it, rather too many than too few.

        Of an image 1,600 (the most of Anthropic's, and about OpenAI's for four tiles). Of a page of
        a PDF 2,000 and 50 kB (Anthropic names 1,500 to 3,000 tokens). Of a second of sound 32
        (Gemini's), which is 16 kB at 128 kbit/s.
        """
        if self.type.startswith("image/"):
            return 1_600
        if self.content is None:
            return 10_000
        if self.type.startswith(("audio/", "video/")):
            return len(self.content) // 500
        if self.type == "application/pdf":
            return max(2_000, len(self.content) // 25)
        return estimated_tokens(self.text) if self.text else len(self.content) // 4


def check_together(attachments: Collection[Attachment]) -> None:
    """Refuse what is too much for one question.

    Raises:
        ConfigError: there are too many, or they are too large together.
    """
    if len(attachments) > MAX_ATTACHMENTS:
        raise ConfigError(
            f"More than {MAX_ATTACHMENTS} files are attached, those of the run that is continued "
            "included: leave some out, or join them."
        )
    for total, most, unit in (
        (sum(each.size or 0 for each in attachments) / 1e6, MAX_TOTAL_BYTES / 1e6, "MB"),
        (sum(len(each.text or "") for each in attachments), MAX_TOTAL_TEXT, "characters of text"),
    ):
        if total > most:
            raise ConfigError(
                f"All that is attached has {total:,.0f} {unit}, and at most {most:,.0f} {unit} are "
                "sent: attach less, or the parts that matter."
            )


def file_name(text: str) -> str:
    """The name as a prompt shows it: one line, without what could end a quotation."""
    return re.sub(r"[\s<>\[\]\"`]+", " ", clean(text)).strip()[:MAX_NAME] or "attachment"
