"""Attachments as llm's plugins take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llm

from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from consortium_mcp.core.domain.attachment import Attachment


class _Address(llm.Attachment):
    """A web address that only a provider fetches: llm's own class would fetch it here."""

    def content_bytes(self) -> bytes:
        """Refuse.

        Raises:
            MemberError: always.
        """
        raise MemberError(
            f"this plugin would fetch {self.url} from this machine. Attach the file instead, or "
            "allow it with CONSORTIUM_FETCH_URLS=1",
            kind="attachment",
            permanent=True,
        )


def as_llm(attachment: Attachment, *, fetch: bool) -> llm.Attachment:
    """The attachment for a plugin.

    Args:
        attachment: with its content, or an address.
        fetch: whether a plugin may fetch an address from this machine.
    """
    if attachment.content is not None:
        return llm.Attachment(type=attachment.type, content=attachment.content)
    kind = llm.Attachment if fetch else _Address
    return kind(type=attachment.type, url=attachment.url)
