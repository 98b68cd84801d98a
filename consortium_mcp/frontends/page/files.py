"""Puts the data of a run into the page, as one file that stands by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.page.model import RunPage
from consortium_mcp.frontends.page.texts import lean_json, set_apart

if TYPE_CHECKING:
    from consortium_mcp.frontends.page.model import RunNotice

PAGE = Path(__file__).parent / "run.html"
HISTORY = Path(__file__).parent / "history.html"
"""The pages of `consortium-mcp open`."""
DATA_PLACE = '<script type="application/json" id="run-page"></script>'
"""Where the data goes in the page."""
_END = "</body>"
LONGEST = 4_000
"""Characters of a text in the data; a longer one stands behind the page's script, so that the page
is drawn before the browser has come to it."""


class PageMissing(ConsortiumError):
    """The page is not where it was installed."""


def page_template(file: Path = PAGE) -> str:
    """The page without data, as a host of MCP Apps gets it.

    Raises:
        PageMissing: it is not there.
    """
    try:
        page = file.read_text(encoding="utf-8")
    except OSError as error:
        raise PageMissing(
            f"The page {file.name} of this installation cannot be read ({error.strerror}). Install "
            "consortium-mcp again; in a clone, run .ci/web, which builds it."
        ) from error
    if DATA_PLACE not in page or _END not in page:
        raise PageMissing(
            f"The page {file.name} of this installation has no place for data. Install "
            "consortium-mcp again; in a clone, run .ci/web, which builds it."
        )
    return page


_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def page_for_host(file: Path = PAGE) -> str:
    """The page without data and without a policy of its own: its host sets one, by a header.

    A host may put a script of its own into the page, which our policy would not let run.

    Raises:
        PageMissing: the page is not where it was installed.
    """
    return _POLICY.sub("", page_template(file), count=1)


def page_html(data: RunPage | RunNotice, file: Path = PAGE) -> str:
    """The page of a run as one HTML file, which fetches nothing.

    Raises:
        PageMissing: the page is not where it was installed.
    """
    page = page_template(file)
    texts: dict[str, str] = {}
    if isinstance(data, RunPage):
        data, texts = set_apart(data, LONGEST)
    filled = _script("run-page", lean_json(data))
    later = "".join(_script(f"text:{key}", text) for key, text in texts.items())
    before, _, after = page.partition(DATA_PLACE)
    end = after.rindex(_END)
    return f"{before}{filled}{after[:end]}{later}{after[end:]}"


def _script(name: str, value: Any) -> str:  # noqa: ANN401 (JSON)
    """A block of data. Without any `<` nothing in it can end it."""
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'
