"""Words that only hold a place: one rule for what people and agents write and for what the gates count."""

from __future__ import annotations

import re

_PLACEHOLDERS = {
    *["none", "n/a", "na", "tbd", "tba", "todo", "unknown", "nothing", "nil", "x", "no", "nope"],
    "no response",
    "not applicable",
    "to be done",
    "to be defined",
    "not sure",
    "none known",
    "no known risks",
}
_SAYS_NOTHING = re.compile(r"[\W_]*|\(?\d{1,3}[.)]")
"""No word and no figure, or a list's mark alone."""
_LONGEST = 200
"""Characters."""


def is_placeholder(text: str) -> bool:
    """Whether these words only hold a place: "TBD", "none", "…", "2.", or nothing at all."""
    return len(text) < _LONGEST and (
        text.strip(" *_`()[].").lower() in _PLACEHOLDERS or _SAYS_NOTHING.fullmatch(text.strip()) is not None
    )
