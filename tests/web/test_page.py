from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.frontends.page.files import page_html
from consortium_mcp.frontends.page.texts import lean_json
from tests.support.page_runs import RUNS, page_of
from tests.web.conftest import open_all, watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    Show = Callable[..., Page]

PICTURES = {
    "answered": ("Finished, but something failed", ["2 disagree", "3 agree", "advisory lock"]),
    "debate": ("Finished", ["3 agree", "3 iterations: confidence"]),
    "degraded": ("Finished without an arbiter's judgement", ["No arbiter could weigh", "42"]),
    "failed": ("Failed", ["No member answered", "2 did not answer", "There is no answer."]),
    "working": ("Working: iteration 1, 2 of 3", ["2 answered so far", "1 still to answer"]),
    "cancelled": ("Cancelled", ["what members said is below", "1 had not answered"]),
    "interrupted": ("Interrupted", ["what was answered before is kept", "2 answered"]),
    "verified": ("Finished", ["1 disagrees", "What they made of each other's answers"]),
    "many": ("Finished", ["9 disagree", "20 agree", "claude-opus-5 ×5"]),
    "object": ("Finished", ["2 of 3 fields agreed", "120.5", "1 attachment"]),
    "nested": ("Finished", ["Nested run: inner", "Tools used: multiply"]),
    "plan": ("A plan: no model was called", ["3 would be asked", "4 to 12", "$0.0100 to $0.0800"]),
    "pruned": ("No consultation here", ["no longer in the database", "01TEST"]),
    "error": ("No consultation here", ["came to nothing", "llm keys set"]),
    "waiting": ("Working", ["has begun"]),
    "asking": ("Waiting for you", ["Nothing has been called", "9 calls"]),
}


def words(page: Page) -> str:
    """What a person reads, opened parts included."""
    return re.sub(r"\s+", " ", page.locator("main").inner_text())


@pytest.mark.parametrize("kind", RUNS)
def test_every_outcome_has_its_picture(show: Show, kind: str) -> None:
    status, phrases = PICTURES[kind]
    page = show(kind)
    assert page.get_by_role("status").inner_text().startswith(status)
    text = words(page)
    assert [phrase for phrase in phrases if phrase not in text] == []
    for raw in ("arbiter_failed", "members_failed", "max_iterations", "undefined", "[object"):
        assert raw not in text
    assert page.locator("[aria-live]").count() == 1


def test_a_page_without_data_says_what_will_be_there(show: Show) -> None:
    page = show("answered")
    page.evaluate("document.getElementById('run-page').textContent = ''")
    empty = page.content().replace('id="run-page"', 'id="none"')
    page.set_content(empty)
    assert "Nothing to show yet" in words(page)


@pytest.mark.parametrize("width", [320, 360, 1000])
@pytest.mark.parametrize("kind", RUNS)
def test_nothing_is_wider_than_the_window(show: Show, kind: str, width: int) -> None:
    page = show(kind, viewport={"width": width, "height": 700})
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def test_it_works_under_a_hosts_strict_policy(browser: Browser) -> None:
    faults: list[str] = []
    page = watched(browser, faults)
    html = page_html(page_of("answered"))
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
    page.route("http://host.test/", lambda route: route.fulfill(body=html, headers=headers))
    page.goto("http://host.test/")
    open_all(page)
    assert "2 disagree" in words(page)
    assert page.evaluate("window.breaches") == []
    assert faults == ["request: http://host.test/"]
    page.context.close()


def test_what_reads_first_stands_first(show: Show) -> None:
    page = show("answered")
    places = [
        page.locator(each).first.bounding_box()
        for each in (".notice", ".headline", ".meter", ".disagrees", ".agrees", ".facts", ".folds")
    ]
    assert None not in places
    tops = [place["y"] for place in places if place]
    assert tops == sorted(tops)
    side_by_side = [place["y"] for place in (places[3], places[4]) if place]
    assert side_by_side[0] == side_by_side[1]


def test_the_bar_is_a_meter_with_its_parts_in_words(show: Show) -> None:
    meter = show("answered").get_by_role("meter")
    assert meter.get_attribute("aria-valuenow") == "41"
    assert meter.get_attribute("aria-valuetext") == ("41 % = 50 % agreement (3 of 6) × 82 % stated")
    widths = meter.locator("rect").evaluate_all(
        "all => all.map(each => each.getAttribute('width'))"
    )
    assert widths[:2] == ["100%", "50%"]


def test_themes_are_painted_and_a_hosts_colours_are_taken(show: Show) -> None:
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = (show("debate", color_scheme=scheme) for scheme in ("light", "dark"))
    assert light.evaluate(background) == "rgb(255, 255, 255)"
    assert dark.evaluate(background) == "rgb(27, 29, 33)"
    dark.evaluate("document.documentElement.dataset.theme = 'light'")
    assert dark.evaluate(background) == "rgb(255, 255, 255)"
    style = "document.documentElement.style"
    light.evaluate(f"{style}.setProperty('--color-background-primary', 'rgb(1, 2, 3)')")
    assert light.evaluate(background) == "rgb(1, 2, 3)"


def test_everything_opens_with_the_keyboard(show: Show) -> None:
    page = show("answered")
    page.get_by_role("link", name="B", exact=True).focus()
    page.keyboard.press("Enter")
    member = page.locator("#member-B")
    member.get_by_text("A crash must free the job.").wait_for()
    assert page.evaluate("document.activeElement.parentElement.id") == "member-B"
    page.keyboard.press("Enter")
    page.wait_for_function("!document.getElementById('member-B').open")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement?.textContent?.trim().slice(0, 30)"))
    for control in ("Copy answer", "Save as JSON", "The exact prompts and replies ", "Copy"):
        assert control in seen


def test_a_label_leads_into_a_group_that_is_folded(show: Show) -> None:
    data = page_of("many").model_copy(
        update={"synthesis": "As AB argues, and members C and D too."}
    )
    page = show(data)
    assert page.locator("a.label").all_inner_texts() == ["AB", "C", "D"]
    assert page.locator("#member-AB").count() == 0
    page.get_by_role("link", name="AB").click()
    page.locator("#member-AB[open]").wait_for()


def test_words_that_look_like_labels_are_none(show: Show) -> None:
    text = "A good plan. Plan B, vitamin C, grade A. I think A = B. Option D is best. E. coli."
    page = show(page_of("answered").model_copy(update={"synthesis": text}))
    assert page.locator("a.label").count() == 0


def test_a_label_is_found_where_it_stands(show: Show) -> None:
    text = "Answers A, B and C differ. According to D, unlike E, both AB and A are right."
    page = show(page_of("many").model_copy(update={"synthesis": text}))
    assert page.locator("a.label").all_inner_texts() == ["A", "B", "C", "D", "E", "AB", "A"]
    before = "document.querySelector('a.label').previousSibling.textContent"
    assert page.evaluate(before) == "Answers "


@pytest.mark.parametrize(
    "text", ["**plain** words", "**“quoted”** words", "好**「引用」**好 words", "**😀** ** words"]
)
def test_emphasis_is_the_same_whatever_punctuation_there_is(show: Show, text: str) -> None:
    # The lexer has other rules for texts with unusual punctuation: each text needs its own.
    data = page_of("answered").model_copy(update={"final_answer": "**42**!", "synthesis": text})
    page = show(data)
    page.get_by_text("Who says what").wait_for()
    assert page.locator(".answer .markdown strong").count() == (0 if "好" in text else 1)
    assert page.locator(".headline strong").inner_text() == "42"


def test_right_to_left_text_runs_right_to_left(show: Show) -> None:
    arabic = "استخدم قفل الصف. إنه ينتهي مع المعاملة.\n\n- أولا\n- ثانيا"
    data = page_of("answered").model_copy(
        update={"prompt": "أي قفل؟", "synthesis": arabic, "final_answer": "قفل الصف"}
    )
    page = show(data, viewport={"width": 320, "height": 700})
    for place in ("h1", ".headline", ".answer .markdown p", ".answer ul", ".answer li"):
        direction = "each => getComputedStyle(each).direction"
        assert page.locator(place).first.evaluate(direction) == "rtl", place
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_paper_gets_the_answers_and_no_buttons(show: Show) -> None:
    page = show("answered", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert "Long transactions stop vacuum." in words(page)
    page.emulate_media(media="print")
    assert page.get_by_role("button").count() == 0
    background = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function("!document.getElementById('member-D').open")


def test_a_run_is_saved_as_markdown_and_as_json(show: Show) -> None:
    long = "A long answer. " * 5_000
    data = page_of("debate")
    data.iterations[0].responses[0].text = long
    page = show(data)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save all as Markdown").click()
    markdown = Path(saved.value.path()).read_text(encoding="utf-8")
    assert saved.value.suggested_filename == "consultation-01TEST.md"
    assert markdown.startswith("# How many trailing zeros has $100!$?")
    assert long.strip() in markdown
    assert "There are 20 fives." in markdown
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON").click()
    whole = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert whole == lean_json(data)
    page.locator("#member-A summary").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as Markdown").click()
    assert "claude-opus-5 (A), stated 90 %".replace(" ", "") in (
        Path(saved.value.path()).read_text(encoding="utf-8").replace("\u00a0", "").replace(" ", "")
    )


def test_where_the_clipboard_is_refused_the_text_can_be_copied_by_hand(show: Show) -> None:
    page = show("debate")
    page.evaluate("document.execCommand = () => false; 0")
    page.evaluate("navigator.clipboard.writeText = async () => { throw new Error('no'); }; 0")
    page.get_by_role("button", name="Copy answer").click()
    assert page.get_by_role("textbox").input_value() == page_of("debate").synthesis


def test_code_is_copied_exactly(show: Show) -> None:
    page = show("answered")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }; 0")
    page.get_by_role("button", name="Copy the code").first.click()
    page.wait_for_function("window.copied?.startsWith('UPDATE jobs SET')")


def test_a_megabyte_is_drawn_piece_by_piece_when_it_is_opened(show: Show) -> None:
    data = page_of("answered")
    paragraph = "Words and *more* words. " * 20 + "\n\n"
    text = paragraph * 2_000 + "The end."
    data.iterations[0].responses[0].text = text
    data = data.model_copy(update={"synthesis": text})
    page = show(data)
    drawn = page.locator(".answer p").count()
    assert drawn < 100
    page.locator(".answer .more").click()
    page.wait_for_function(f"document.querySelectorAll('.answer p').length > {drawn}")
    page.locator("#member-A summary").click()
    page.locator("#member-A .more").wait_for()
    assert page.locator("#member-A p").count() < 100


def test_a_code_block_that_is_cut_goes_on_in_the_next_piece(show: Show) -> None:
    lines = "\n".join(f"line_{n} = {n}" for n in range(3_000))
    data = page_of("debate").model_copy(
        update={"synthesis": f"Code:\n\n```python\n{lines}\n```\n\nEnd."}
    )
    page = show(data)
    page.locator(".answer .more").click()
    page.get_by_text("End.", exact=True).wait_for()
    shown = "\n".join(page.locator(".answer pre").all_inner_texts())
    assert shown.split() == lines.split()


FORMULAS = {
    r"\frac{a}{b}": "mfrac",
    r"\sqrt[3]{x+1}": "mroot",
    r"x_i^2": "msubsup",
    r"\sum_{k=1}^n k": "munderover",
    r"\int_0^\infty e^{-x^2}\,dx": "msubsup",
    r"\alpha \le \beta": "mo",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "mtable",
    r"f(x) = \begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{else} \end{cases}": "mtable",
    r"\left( \frac{1}{2} \right)": "mfrac",
    r"\lim_{x \to 0} \frac{\sin x}{x}": "munder",
    r"\binom{n}{k}": "mfrac",
    r"\mathbb{R}^n": "msup",
    r"\hat{\theta}": "mover",
    r"\boxed{42}": "mn",
    r"f''(x)": "msup",
    r"10\,\%": "mn",
    r"\overline{AB} \perp \vec{v}": "mover",
    r"a \not= b": "mo",
    r"x^10": "msup",
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_drawn_as_mathml(show: Show, formula: str) -> None:
    inline, block = f"So ${formula}$ holds.", f"\n\n\\[{formula}\\]\n\nand \\({formula}\\)."
    page = show(page_of("debate").model_copy(update={"synthesis": inline + block}))
    maths = page.locator(".answer .markdown math")
    assert maths.count() == 3
    assert maths.first.locator(FORMULAS[formula]).count() >= 1
    space = "document.querySelector('.answer .markdown math').namespaceURI"
    assert page.evaluate(space) == "http://www.w3.org/1998/Math/MathML"
    assert "\\" not in (maths.first.text_content() or "")


@pytest.mark.parametrize(
    "formula", [r"\unknown{x}", r"\frac{1", r"{" * 60 + "}" * 60, r"\href{a}{b}"]
)
def test_a_formula_that_is_not_known_is_shown_as_its_source(show: Show, formula: str) -> None:
    page = show(page_of("debate").model_copy(update={"synthesis": f"So ${formula}$ holds."}))
    assert page.locator(".answer code.tex").inner_text() == formula


def test_money_is_no_formula(show: Show) -> None:
    text = "It costs $5 and then $6, or $7.50 a month; $HOME is a variable, too."
    page = show(page_of("debate").model_copy(update={"synthesis": text}))
    assert page.locator(".answer .markdown").inner_text() == text


def test_differences_between_iterations_are_marked(show: Show) -> None:
    page = show("debate")
    page.get_by_text("3 iterations: confidence").click()
    changes = page.get_by_role("group", name="What changed since the iteration before")
    assert changes.first.locator("del").first.inner_text().startswith("Probably")
    assert changes.first.locator("ins").first.inner_text().strip() == "24"
