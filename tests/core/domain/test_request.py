from __future__ import annotations

from consortium_mcp.core.domain.request import Consultation
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.fakes import run_of


def test_a_report_tells_its_caller_whether_the_run_was_there_before() -> None:
    usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=None)
    own = report_of(run_of("a"), usage, "2026-11-29T00:00:00.000+00:00")
    assert Consultation("01TEST").told(own) == own
    assert Consultation("01TEST", joined=True).told(own).joined is True
    assert Consultation("01TEST", age_seconds=2.5).told(own).age_seconds == 2.5
    assert (own.joined, own.age_seconds) == (False, None)
