"""The text of PDFs, read by a process of its own."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pypdf
import pytest

from consortium_mcp.adapters.files import pdf_text
from consortium_mcp.adapters.files.texts import is_text, text_in_pdf
from tests.support.files import pdf

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def encrypted(content: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(content))
    writer.encrypt("secret", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


async def test_a_pdf_gives_its_text_by_page() -> None:
    assert await text_in_pdf(pdf("Invoice 4711")) == "[page 1]\nInvoice 4711"


@pytest.mark.parametrize(
    "content",
    [encrypted(pdf("hidden")), b"%PDF-1.4 and no more", pdf("x")[:300], pdf(""), b"%PDF" * 999_999],
    ids=["encrypted", "broken", "cut", "without text", "long and broken"],
)
async def test_a_pdf_without_readable_text_gives_none(content: bytes) -> None:
    assert await text_in_pdf(content) is None


async def test_a_pdf_that_takes_too_long_gives_none() -> None:
    assert await text_in_pdf(pdf("x"), seconds=0) is None


def test_a_long_text_is_cut_and_says_so() -> None:
    program = [sys.executable, "-P", str(pdf_text.__file__), "12"]
    done = subprocess.run(program, input=pdf("Invoice 4711"), capture_output=True, check=True)
    assert (
        done.stdout.decode() == "[page 1]\nInv\n[… the rest, after 12 characters, is left out …]\n"
    )


def test_no_module_of_the_folder_it_is_started_in_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is started in the user's project, which may hold anything."""
    for name in ("pypdf.py", "consortium_mcp.py", "io.py"):
        (tmp_path / name).write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    assert anyio.run(text_in_pdf, pdf("Invoice 4711")) == "[page 1]\nInvoice 4711"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("type_", ["text/x-c", "application/json", "image/svg+xml", "a/b+json"])
def test_types_of_text(type_: str) -> None:
    assert is_text(type_)


@pytest.mark.parametrize("type_", ["image/png", "application/pdf", "application/octet-stream"])
def test_types_of_files(type_: str) -> None:
    assert not is_text(type_)
