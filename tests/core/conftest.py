from __future__ import annotations

from typing import Any

import pytest
import trio.testing


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio with a clock that jumps to the next deadline: hours pass in no time."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
