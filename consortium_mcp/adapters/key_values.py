"""Whether a text is an API key, or what settings files hold until somebody puts one there."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(
    r"""
    \$\{.*\} | \{\{.*\}\} | <.*> | \[.*\] | \$\w+ | %\w+%   # a variable, or a gap to fill in
    | .*[-_ ]here | .*\byour[-_ ].* | (?:replace|change)[-_ ]?me
    | (?:insert|enter|paste|put|add)[-_ ].*(?:key|token).*
    | (?:api|secret|access)[-_ ]?(?:key|token)
    | (?:sk-(?:[a-z]+-)*)?(?:x{3,}|\.{3,}|…|\*{3,})         # sk-ant-..., xxxx
    | sk-(?:[a-z]+-)*                                       # the beginning alone
    | todo | null | undefined
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN)")


def is_placeholder(value: str) -> bool:
    """Whether this is no key: blank, or a word in the place of one, perhaps in quotes.

    Words that people do use as keys of their own servers, such as `none` or `dummy`, are keys.
    """
    text = value.strip().strip("'\"`").strip()
    return not text or bool(_PLACEHOLDER.fullmatch(text) or _VARIABLE_NAME.fullmatch(text))
