"""Who may speak as a person: somebody with a name of their own, and no agent."""

from __future__ import annotations

import unicodedata

from core.contract import UsageError
from core.registry.sources import FILE_NAME
from core.sanitise import as_written, one_line
from core.store.reads import Connection

MOST_CHARACTERS = 128
MOST_REASON = 10_000
"""Characters of a reason, or of a note, that a person gives: on the command line, in the app and by file."""
HOUSE = frozenset({"clock", "time-out", "timeout", "rule", "schedule"})
"""Who signs for apm itself."""


def named_person(reader: Connection, by: str) -> str:
    """The name, cleaned. Raises UsageError when there is none, or when it is an agent's or the team's file's.

    What counts as a person's word (answers, grants, reversals) is counted by it, so an agent must not sign.
    """
    name = one_line(by, MOST_CHARACTERS).strip()
    if not name:
        raise UsageError("Say who decides this: a name is missing.")
    plain = _plain(name)
    if plain == FILE_NAME:
        raise UsageError(f"{FILE_NAME!r} stands for the file itself; name the person who decides this.")
    if plain in HOUSE or plain.startswith("escalation "):
        raise UsageError(f"{name!r} is how apm signs what nobody decided; give a person's name.")
    if plain in {_plain(own) for row in reader.sql('SELECT "role", "display_name" FROM "agents"') for own in row}:
        raise UsageError(f"{name!r} is an agent; only a person decides this, so give a person's name.")
    return name


def stated(reason: str, what: str = "The reason") -> str:
    """What a person said, cleaned and never cut. Raises UsageError, with its size, for more than is kept."""
    if len(reason) > MOST_REASON:
        raise UsageError(
            f"{what} has {len(reason):,} characters; at most {MOST_REASON:,} are taken. Shorten it, or name the file "
            "that has the rest."
        )
    return as_written(reason).strip()


def stated_in_a_line(reason: str, what: str = "The reason") -> str:
    """As `stated`, on one line."""
    return " ".join(stated(reason, what).split())


def _plain(name: str) -> str:
    """As a reader takes it: whatever its case, and in whichever of Unicode's forms its letters are written."""
    return unicodedata.normalize("NFKC", name).casefold()
