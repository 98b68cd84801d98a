"""The addresses of runs and saved consortiums as MCP resources."""

from __future__ import annotations

import re


def resource_uri(run_id: str) -> str:
    """The resource that holds a run's synthesis."""
    return f"consortium://runs/{run_id}"


LATEST = "latest"
"""Names the newest run."""
_RUN = re.compile(
    r"(?:consortium://runs/)?([0-9A-Z]{26}|latest)(?:/(?:report|page))?", re.IGNORECASE
)


def run_named(text: str) -> str:
    """The id of the run that is named by its id or its URI, in any case; or `LATEST`."""
    text = text.strip().strip("`'\"<>")
    found = _RUN.fullmatch(text)
    name = found.group(1) if found else text
    return LATEST if name.lower() == LATEST else name.upper() if found else name


def report_uri(run_id: str) -> str:
    """The resource that holds a run's whole report."""
    return f"{resource_uri(run_id)}/report"


def consortium_uri(name: str) -> str:
    """The resource that holds a saved consortium."""
    return f"consortium://consortiums/{name}"
