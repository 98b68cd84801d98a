"""consortium-mcp: ask several language models at once and get one weighed answer.

from consortium_mcp import create_consortium

consortium = create_consortium(["gpt-4o:2", "claude-opus-5"], arbiter="gemini-3.5-flash")
result = consortium.orchestrate("Should this migration take a lock?")
print(result["synthesis"]["synthesis"], result.report.confidence)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.frontends.python import Consortium, Result, create_consortium

if TYPE_CHECKING:
    from consortium_mcp.core.domain.errors import (
        ConfigError,
        ConsortiumError,
        RunError,
        StoreError,
        UnknownRun,
    )
    from consortium_mcp.core.domain.request import MemberSpec
    from consortium_mcp.core.records.exchange import Exchange
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.rating import arate_run, rate_run
    from consortium_mcp.services.runs.progress import Progress

__all__ = [
    "ConfigError",
    "Consortium",
    "ConsortiumError",
    "Exchange",
    "MemberSpec",
    "Progress",
    "Result",
    "RunError",
    "RunReport",
    "StoreError",
    "UnknownRun",
    "arate_run",
    "create_consortium",
    "rate_run",
]

_DOMAIN = "consortium_mcp.core.domain"
_LAZY_IMPORTS = {
    "ConfigError": f"{_DOMAIN}.errors",
    "ConsortiumError": f"{_DOMAIN}.errors",
    "Exchange": "consortium_mcp.core.records.exchange",
    "MemberSpec": f"{_DOMAIN}.request",
    "Progress": "consortium_mcp.services.runs.progress",
    "RunError": f"{_DOMAIN}.errors",
    "RunReport": "consortium_mcp.core.reports.report",
    "StoreError": f"{_DOMAIN}.errors",
    "UnknownRun": f"{_DOMAIN}.errors",
    "arate_run": "consortium_mcp.frontends.rating",
    "rate_run": "consortium_mcp.frontends.rating",
}
"""Public name -> the module it is imported from, at first use."""


def __getattr__(name: str) -> object:
    if name not in _LAZY_IMPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_LAZY_IMPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
