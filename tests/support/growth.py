"""Whether work grows with its input no faster than the input: `assert is_linear(work, 100_000)`.

A limit in seconds would be missed on a busy machine; a ratio of CPU times is not.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 4
"""By how much the larger input is larger. Linear work takes 4 times as long, quadratic 16."""
MOST = 10
TOO_SHORT = 0.02
"""Seconds of CPU below which a ratio says nothing, and quadratic work would not be."""


def is_linear(work: Callable[[int], object], size: int) -> bool:
    """Run the work on `size / 4` and on `size`, the best of three each."""
    small, large = _seconds(work, size // TIMES), _seconds(work, size)
    return large < TOO_SHORT or large < MOST * small


def _seconds(work: Callable[[int], object], size: int) -> float:
    took = []
    for _ in range(3):
        began = time.process_time()
        work(size)
        took.append(time.process_time() - began)
    return min(took)
