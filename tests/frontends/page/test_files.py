from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.frontends.page.files import LONGEST, PageMissing, page_html, page_template
from consortium_mcp.frontends.page.model import RunNotice
from tests.support.page_runs import page_of

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r'<script type="application/json" id="([^"]*)">(.*?)</script>', re.DOTALL)
ATTACKS = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]></SCRIPT >",
    "\u2028\u2029\\u003c",
]


def blocks(page: str) -> dict[str, Any]:
    """The data in a page, by the ids of its elements."""
    return {name: json.loads(text) for name, text in _BLOCK.findall(page)}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_the_data_ends_its_element(attack: str) -> None:
    page = page_of("answered").model_copy(update={"prompt": attack, "final_answer": attack})
    html = page_html(page)
    found = blocks(html)
    assert found["run-page"]["prompt"] == found["run-page"]["final_answer"] == attack
    # Beside the data there is what stands in the template, and nothing else.
    assert _BLOCK.sub("", html).count("<script") == page_template().count("<script") - 1


def test_long_texts_stand_behind_the_script_and_equal_ones_once() -> None:
    long = "Long. " * LONGEST
    page = page_of("answered").model_copy(update={"synthesis": long, "prompt": long})
    found = blocks(page_html(page))
    later = found["run-page"]["synthesis"]
    assert (later["key"], later["characters"]) == ("prompt", len(long))
    assert later["beginning"] == long[:LONGEST]
    assert found["text:prompt"] == long
    assert list(found) == ["run-page", "text:prompt"]


def test_what_is_absent_is_left_out_but_not_an_objects_own_null() -> None:
    page = page_of("object").model_copy(update={"data": {"vendor": None}})
    found = blocks(page_html(page))["run-page"]
    assert found["data"] == {"vendor": None}
    assert "error" not in found


def test_a_notice_is_a_page_as_well() -> None:
    found = blocks(page_html(RunNotice(notice="pruned", run_id="01TEST")))
    assert found["run-page"] == {"notice": "pruned", "run_id": "01TEST"}


def test_a_page_that_is_missing_or_no_page_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(PageMissing, match=r"cannot be read .*Install consortium-mcp again"):
        page_template(tmp_path / "run.html")
    (tmp_path / "run.html").write_text("<html></html>", encoding="utf-8")
    with pytest.raises(PageMissing, match="no place for data"):
        page_html(page_of("answered"), tmp_path / "run.html")


def test_the_page_is_one_file_of_bounded_size_that_names_nothing_remote() -> None:
    page = page_template()
    assert len(page.encode()) <= 150_000
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
