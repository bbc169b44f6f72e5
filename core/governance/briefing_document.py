"""What a briefing is: six sections of lines, each line with what it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.contract import Json
from core.sanitise import one_line

MOST_CHARACTERS = 400
"""Of one line."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Item:
    """One line, sanitised, and the numbers or names of what it speaks of: `{"escalation": 12, "work_item": 7}`."""

    text: str
    refs: Mapping[str, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", one_line(self.text, MOST_CHARACTERS))


@dataclass(frozen=True, slots=True)
class Section:
    """`kind` is the same for every milestone and in every language; `nothing` is said where there is no line."""

    kind: str
    title: str
    lines: tuple[Item, ...]
    nothing: str

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.lines)

    def to_json(self) -> Json:
        """`refs` stand in the order of `items`, an empty one for a line that names nothing."""
        refs = [dict(line.refs) for line in self.lines]
        return {
            "title": self.title,
            "items": list(self.items),
            "kind": self.kind,
            "refs": refs,
            "nothing": self.nothing,
        }


@dataclass(frozen=True, slots=True)
class Briefing:
    """`at` (milliseconds) is the moment of its readings, and the end of the windows of its sums."""

    at: int
    sections: tuple[Section, ...]

    @property
    def date(self) -> str:
        """The day (UTC) it speaks of, ISO 8601."""
        return datetime.fromtimestamp(self.at / 1000, UTC).date().isoformat()

    @property
    def time(self) -> str:
        """Hour and minute of its readings, UTC."""
        return datetime.fromtimestamp(self.at / 1000, UTC).strftime("%H:%M")

    def to_json(self) -> Json:
        return {"date": self.date, "sections": [section.to_json() for section in self.sections]}

    @classmethod
    def from_json(cls, value: Json, at: int) -> Briefing:
        """What `to_json` gave, read back."""
        return cls(at, tuple(_section(found) for found in value["sections"]))


def _section(value: Json) -> Section:
    lines = (Item(text, refs) for text, refs in zip(value["items"], value["refs"], strict=True))
    return Section(value["kind"], value["title"], tuple(lines), value["nothing"])


NOTHING: Mapping[str, str] = {
    "urgent": "No question is immediate or overdue.",
    "milestone": "No work is under way.",
    "pending": "Nobody waits for a review.",
    "teams": "No agent runs now, and none has worked in 24 h.",
    "conflicts": "No conflict was resolved in 24 h, and none is open.",
    "scope": "No proposal waits for a decision.",
}
"""What a section says that has nothing to say, by its kind."""


def section(kind: str, title: str, lines: Iterable[Item], nothing: str = "") -> Section:
    return Section(kind, one_line(title), tuple(lines), nothing or NOTHING[kind])


def span(milliseconds: int) -> str:
    """A length of time in its one fitting unit: `40 min`, `5 h`, `3 d`."""
    minutes = max(milliseconds, 0) // MINUTE_MS
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def more(shown: int, found: int, where: str) -> tuple[Item, ...]:
    """The line about what is not shown; none where everything is."""
    return (Item(f"and {found - shown:,} more; `{where}` shows them"),) if found > shown else ()
