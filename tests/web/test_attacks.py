"""What others may have written, in every field: nothing of it runs, nothing is fetched."""

# ruff: noqa: E501 (a table of attacks)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.core.reports.rating import Rating
from consortium_mcp.frontends.page.model import RunPage
from tests.support.page_runs import page_of
from tests.web.conftest import open_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Show = Callable[..., Page]

RUN = "window.pwned = 1"
ATTACKS = {
    "script": f"<script>{RUN}</script>",
    "end of script": f"</script><script>{RUN}</script>",
    "end of style": f"</style><script>{RUN}</script>",
    "comment": f"<!--<script>{RUN}</script>-->",
    "handler": f'<img src="x" onerror="{RUN}"><svg onload="{RUN}"><details ontoggle="{RUN}" open>',
    "handler without quotes": f"<body onload={RUN}><input autofocus onfocus={RUN}>",
    "frame": f'<iframe srcdoc="<script>top.{RUN}</script>"></iframe><object data="x.html"></object>',
    "form": '<form action="http://127.0.0.1:9/"><button>Copy</button></form><base href="//a.test/">',
    "refresh": '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
    "style": "<style>*{display:none}</style><link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "cover": '<div style="position:fixed;inset:0;z-index:9999">Your key, please</div>',
    "script link": f"[a](javascript:{RUN}) [b](JaVaScRiPt:{RUN}) [c](&#106;avascript:{RUN})",
    "script link with blanks": f"[a](<java\tscript:{RUN}>) [b]( javascript:{RUN} ) <javascript:{RUN}>",
    "script link by reference": f"[a][x]\n\n[x]: javascript:{RUN}\n\n![b][x]",
    "data link": f"[a](data:text/html,<script>{RUN}</script>) [b](vbscript:x) [c](blob:x) [d](file:///x)",
    "relative link": "[a](/x) [b](//127.0.0.1:9/x) [c](x.html) [d](#x)",
    "remote image": "![a](http://127.0.0.1:9/x.png) ![b](//127.0.0.1:9/x.png) ![c](x.png)",
    "data image": "![a](data:image/svg+xml;base64,PHN2Zy8+)",
    "remote image in HTML": '<img src="http://127.0.0.1:9/x.png"><video poster="http://127.0.0.1:9/x">',
    "quotes": f"\"'><script>{RUN}</script>",
    "title": f'[a](http://a.test "\\" onmouseover={RUN} x=\\"")',
    "code": f'```"><script>{RUN}</script>\n<script>{RUN}</script>\n```',
    "table": f"| <script>{RUN}</script> | [a](javascript:{RUN}) |\n|---|---|\n| <b onclick={RUN}> | x |",
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;img src=x onerror={RUN}&#62; &#0; &#xD800;",
    "TeX": f"$\\href{{javascript:{RUN}}}{{x}}$ $$\\text{{<img src=x onerror={RUN}>}}$$ \\(\\class{{x}}{{y}}\\)",
    "TeX style": "$\\style{position:fixed}{x}$ $\\mathrm{</math><script>}$ $\\operatorname{<img src=x>}$",
    "template": "{{constructor.constructor('window.pwned = 1')()}} ${window.pwned = 1} <%= 1 %>",
    "prototype": "__proto__",
    "constructor": "constructor",
    "direction": "\u202eevil\u202c \u2066x\u2069 \u0000\ufffe",
    "nested": "> " * 2_000 + "x\n\n" + "- " * 2_000 + "x\n\n" + "[" * 5_000 + "](x)",
    "unclosed": "*" * 5_000 + "`" * 3_001 + "\n" + "<" * 5_000 + "![" * 5_000 + "$" * 5_001,
}
KEPT = {"status", "kind", "stop_reason", "grouped_by", "finding", "settled_by", "nested_run_id"}
"""Fields that the server fills with words of its own."""
ALLOWED = {
    "a", "bdi", "blockquote", "body", "br", "button", "code", "dd", "del", "details", "div", "dl",
    "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "ins", "li",
    "main", "ol", "p", "pre", "rect", "s", "section", "span", "strong", "summary", "svg", "table",
    "tbody", "td", "th", "thead", "title", "tr", "ul", "textarea", "progress",
    "math", "mi", "mn", "mo", "mrow", "mtext", "mspace", "mfrac", "msqrt", "msup", "msub",
}  # fmt: skip


def everything() -> RunPage:
    """A run that has something of each kind."""
    nested, verified, given = page_of("nested"), page_of("verified"), page_of("object")
    return page_of("answered").model_copy(
        update={
            "review": verified.review,
            "nested": nested.nested,
            "history": nested.history,
            "tools": nested.tools,
            "calls": nested.calls,
            "data": given.data,
            "fields": given.fields,
            "attachments": given.attachments,
            "open_dissent": ["Nobody's."],
            "ratings": [
                Rating(correct=True, note="Well.", by="somebody", at="2026-11-29T10:00:00Z")
            ],
            "error": "It failed.",
        }
    )


def attacked(page: RunPage, attack: str) -> RunPage:
    """The page with the attack in each of its texts."""

    def walk(value: Any, name: str) -> Any:  # noqa: ANN401 (JSON)
        if isinstance(value, str):
            return value if name in KEPT or name.endswith("_at") else attack
        if isinstance(value, dict):
            return {key: walk(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each, name) for each in value]
        return value

    return RunPage.model_validate(walk(page.model_dump(mode="json"), ""))


def check(page: Page) -> None:
    """Nothing has run, and nothing foreign is in the document."""
    assert page.evaluate("window.pwned") is None
    found = page.evaluate(
        """() => [...document.querySelectorAll("*")].map((each) => ({
            name: each.localName,
            id: each.id,
            href: each.getAttribute("href"),
            on: each.getAttributeNames().filter((name) => name.startsWith("on") || name === "style"
                || name === "src"),
        }))"""
    )
    for element in found:
        own = element["name"] in {"script", "style", "meta", "link", "noscript"}
        assert own or element["name"] in ALLOWED, element
        assert element["on"] == [], element
        href = element["href"]
        fine = href is None or href.startswith(("http://", "https://", "mailto:", "data:,", "#"))
        assert fine, element
    counts = page.evaluate(
        """() => ["script:not([type])", "style", "link", "meta", "base"].map(
            (each) => document.querySelectorAll(each).length)"""
    )
    assert counts == [1, 1, 1, 5, 0]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_and_nothing_is_fetched(show: Show, attack: str) -> None:
    page = show(attacked(everything(), ATTACKS[attack]), viewport={"width": 320, "height": 600})
    check(page)
    open_all(page)
    check(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate(
        "document.querySelectorAll('.dead, a.label').forEach((each, n) => n < 9 && each.click())"
    )
    check(page)


def test_a_link_that_is_safe_leads_outside_and_tells_nobody_from_where(show: Show) -> None:
    text = "[a](https://example.com/x?a=1&amp;b=2) <https://example.com> [m](mailto:a@example.com)"
    page = show(page_of("debate").model_copy(update={"synthesis": text}))
    links = page.locator(".answer .markdown a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.com/x?a=1&b=2",
        "https://example.com",
        "mailto:a@example.com",
    ]
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer nofollow"}


@pytest.mark.parametrize(
    "text",
    [
        "*a " * 20_000, "[a](" * 10_000, "![" * 20_000, "> " * 20_000, "- " * 20_000,
        "`" * 50_000, "| a " * 20_000, "<a " * 20_000, "_a_" * 20_000, "1. " * 20_000,
        "[a]: x\n" * 8_000, "a\n- b\n" * 10_000, "$a " * 20_000, "\\(" * 20_000,
        "&#1" * 20_000, "~~a" * 20_000, "**a" * 20_000, "http://a" * 8_000, "a@b." * 15_000,
    ],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_text_that_is_hard_to_read_is_drawn_all_the_same(show: Show, text: str) -> None:
    page = show(page_of("debate").model_copy(update={"synthesis": text}))
    page.get_by_role("meter").wait_for()
    assert page.locator(".answer .markdown").inner_text()
