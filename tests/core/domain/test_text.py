from __future__ import annotations

from datetime import timedelta

import pytest

from consortium_mcp.core.domain.text import read_age


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("0s", timedelta()),
        ("30s", timedelta(seconds=30)),
        (" 10m ", timedelta(minutes=10)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_an_age_is_a_number_and_its_unit(text: str, age: timedelta) -> None:
    assert read_age(text) == age


def test_only_the_units_that_count_are_read() -> None:
    assert read_age("3m", "hdw") is None
    assert read_age("3h", "hdw") == timedelta(hours=3)
