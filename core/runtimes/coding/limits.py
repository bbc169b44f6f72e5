"""How much one task of a coding agent may use, whatever its budgets in money would still allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.contract import Json

_WORDS = {"turns": "turns", "files": "files", "bytes": "written_bytes", "output_tokens": "output_tokens"}
"""An agent's limits by their names in agents.yaml, and what they are here."""
_SHARE = 0.9
"""Of a delegation's seconds: what is left is for the answer that says that they are used up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one delegation; what counts is on record, so a restart begins no new count but for `seconds`."""

    turns: int = 80
    """Answers of the model."""
    seconds: float = 3_300.0
    """Of one execution, from its start."""
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
    """The limits with what an agent's row says of them, which the registry has checked."""
    said = parameters.get("limits") or {}
    own = {name: said[word] for word, name in _WORDS.items() if word in said}
    usual = Limits()
    given = parameters.get("seconds")
    return replace(usual, seconds=min(usual.seconds, given * _SHARE) if given else usual.seconds, **own)
