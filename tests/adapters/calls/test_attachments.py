"""What a provider gets of an attachment, through llm's own OpenAI classes on loopback."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.calls.retries import Retrier
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.errors import MemberError
from tests.support.files import pdf, png
from tests.support.loopback import Provider, provider, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def served(settings: Settings) -> Iterator[Provider]:
    with provider() as running:
        register(settings.user_dir, running.port, (), ("ok",))
        yield running


@contextmanager
def site() -> Iterator[tuple[str, list[str]]]:
    """A web site that holds a PDF at every path, and notes who came."""
    came: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(pdf("Invoice 4711"))

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", came
        finally:
            server.shutdown()
            thread.join()


async def sent(served: Provider, attachment: Attachment, *, fetch_urls: bool = False) -> str:
    """What the provider was sent, as text."""
    question = Question(
        role="member",
        label="A",
        model="ok",
        prompt="What is it?",
        iteration=1,
        timeout=20,
        attachments=(attachment,),
    )
    await Retrier(ModelCaller(Registry(), Limits(), fetch_urls=fetch_urls))(question)
    [body] = served.bodies
    return json.dumps(body["messages"])


@pytest.mark.parametrize(
    ("type_", "content"), [("image/png", png()), ("application/pdf", pdf("Invoice 4711"))]
)
async def test_a_file_goes_as_it_is(served: Provider, type_: str, content: bytes) -> None:
    found = await sent(served, Attachment.of("a", type_, content))
    assert base64.b64encode(content).decode() in found


async def test_the_address_of_a_picture_goes_as_an_address(served: Provider) -> None:
    with site() as (url, came):
        address = Attachment(name="a.png", type="image/png", url=f"{url}/a.png")
        assert f"{url}/a.png" in await sent(served, address)
        assert came == []


async def test_what_a_plugin_would_fetch_here_fails_at_once_and_names_the_remedy(
    served: Provider,
) -> None:
    with site() as (url, came):
        address = Attachment(name="a.pdf", type="application/pdf", url=f"{url}/a.pdf")
        with pytest.raises(MemberError, match="CONSORTIUM_FETCH_URLS=1") as caught:
            await sent(served, address)
        assert caught.value.tries == 1, "asking again would change nothing"
        assert (came, served.bodies) == ([], [])


async def test_it_is_fetched_where_the_user_allows_it(served: Provider) -> None:
    with site() as (url, came):
        address = Attachment(name="a.pdf", type="application/pdf", url=f"{url}/a.pdf")
        found = await sent(served, address, fetch_urls=True)
        assert base64.b64encode(pdf("Invoice 4711")).decode() in found
        assert came
