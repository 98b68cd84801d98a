"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>[0-9]{4}))?"
_DATES = (
    re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})"),
    re.compile(rf"{_DAY}(?: of)? {_MONTH}{_YEAR}"),
    re.compile(rf"{_MONTH} {_DAY}{_YEAR}"),
)
_PREFIX = re.compile(r"^(?:on )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:the )?(?=\w)")
_LEAP_YEAR = 2000


def read_date(shown: str) -> date | tuple[int, int] | None:
    """A date, or (month, day) where it has no year; not `3/4/2021`, which is ambiguous.

    Args:
        shown: the text, in lower case.
    """
    for pattern in _DATES:
        if found := pattern.fullmatch(_PREFIX.sub("", shown)):
            parts = found.groupdict()
            name, year = parts.get("name"), parts["year"]
            month = _MONTHS.index(name[:3]) + 1 if name else int(parts["month"])
            try:
                whole = date(int(year or _LEAP_YEAR), month, int(parts["day"]))
            except ValueError:
                return None
            return whole if year else (whole.month, whole.day)
    return None
