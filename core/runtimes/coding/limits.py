"""How much one task of a coding agent may use, whatever its budgets in money would still allow."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields, replace

from core.contract import Json, UsageError
from core.sanitise import one_line

PARAMETER = "coding"
"""The key of an agent's parameters that overrides limits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one delegation; what counts is on record, so a restart begins no new count but for `seconds`."""

    turns: int = 80
    """Answers of the model."""
    seconds: float = 3_300.0
    """Of one execution, from its start; below the delegation's own limit, so that there is an answer to it."""
    output_tokens: int = 16_000
    """Of one answer."""
    commands: int = 40
    """Runs of a project's commands."""
    command_seconds: float = 600.0
    search_seconds: float = 10.0
    result_characters: int = 20_000
    """Of one tool's result."""
    history_characters: int = 400_000
    """Of all results that are still in sight; older ones are taken out, and can be asked for again."""
    files: int = 60
    """Different files written."""
    file_bytes: int = 1_000_000
    """Of one file, read or written."""
    written_bytes: int = 4_000_000
    """Of all that is written or committed together."""
    diff_characters: int = 20_000
    """Of one write's diff on record."""
    fruitless: int = 4
    """Answers in a row of which nothing could be carried out."""


def limits_of(parameters: Json) -> Limits:
    """The limits with what an agent's parameters say of them. Raises UsageError for what is no limit."""
    given = parameters.get(PARAMETER) or {}
    known = {row.name: row.type for row in fields(Limits)}
    if not isinstance(given, dict):
        raise UsageError(f"The parameter {PARAMETER!r} must be an object with keys such as {', '.join(known)}.")
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
            raise UsageError(f"The parameter {PARAMETER!r}: {one_line(repr(name))} is no limit; {hint}")
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (isinstance(value, float) and known[name] == "float")) or value <= 0:
            raise UsageError(f"The parameter {PARAMETER!r}: {name} is {one_line(repr(value))}; it must be above 0.")
    return replace(Limits(), **given)
