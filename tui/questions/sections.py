"""Sections of the inbox: saved filters, those that everybody has and those that were kept in this workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import UsageError
from core.sanitise import one_line
from core.store.reads import Connection
from core.store.reads_triage import TriageCounts
from core.store.settings import keep_setting, read_setting
from core.store.transaction import Transaction

SETTING = "triage.sections"
"""Under which the kept ones stand: [{"name", "section", "words"}]."""
MOST = 30
MOST_NAME = 24
MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Section:
    """Which questions are shown. A kept one narrows `base`, one of the sections everybody has, by filter words."""

    key: str
    title: str
    base: str = ""
    words: str = ""
    provenance: str = ""
    """Of sections of answers: what the answers came from, "human", "rule" or "timeout"."""

    @property
    def is_kept(self) -> bool:
        return bool(self.words)

    @property
    def shown(self) -> Section:
        """The section everybody has that this one is, or narrows."""
        return BY_KEY[self.base] if self.base else self


HOUSE: tuple[Section, ...] = (
    Section("needs-me", "needs me"),
    Section("overdue", "overdue"),
    Section("immediate", "immediate"),
    Section("snoozed", "snoozed"),
    Section("acknowledged", "seen"),
    Section("mine", "handed to me"),
    Section("by-person", "answered by person", provenance="human"),
    Section("by-rule", "answered by rule", provenance="rule"),
    Section("by-time-out", "answered by time-out", provenance="timeout"),
    Section("open", "everything open"),
)
"""In the order of the pane. Answers are those of today."""

BY_KEY = {section.key: section for section in HOUSE}


def count_of(section: Section, counts: TriageCounts) -> int:
    """How many a section holds that everybody has."""
    counted = {
        "needs-me": counts.needs_me,
        "overdue": counts.overdue,
        "immediate": counts.immediate,
        "snoozed": counts.snoozed,
        "acknowledged": counts.seen,
        "mine": counts.handed_to_me,
        "by-person": counts.by_person,
        "by-rule": counts.by_rule,
        "by-time-out": counts.by_time_out,
        "open": counts.everything,
    }
    return counted[section.key]


def read_kept(reader: Connection) -> tuple[Section, ...]:
    """The sections that were kept in this workspace, in the order in which they were."""
    return tuple(
        Section(
            f"kept:{entry['name']}",
            one_line(entry["name"], MOST_NAME),
            base=entry["section"],
            words=one_line(entry["words"], MOST_WORDS),
        )
        for entry in read_setting(reader, SETTING) or ()
        if entry["section"] in BY_KEY
    )


def keep(tx: Transaction, name: str, shown: Section, words: str, *, by: str) -> Section:
    """Keep a filter of the shown section under a name; one of that name is replaced.

    Raises UsageError for a name or words that are empty, or a name that every inbox has.
    """
    title, wanted = one_line(name, MOST_NAME), " ".join(one_line(words, MOST_WORDS + 1).split())
    if not title:
        raise UsageError("A section needs a name.")
    if any(title == section.title for section in HOUSE):
        raise UsageError(f"{title!r} is a section that every inbox has; take another name.")
    if not wanted or len(wanted) > MOST_WORDS:
        raise UsageError(f"A section is kept with a filter of 1 to {MOST_WORDS} characters; write one with /.")
    others = [section for section in read_kept(tx) if section.title != title]
    if len(others) >= MOST:
        raise UsageError(f"There are {MOST} kept sections already; remove one with X first.")
    made = Section(f"kept:{title}", title, base=shown.shown.key, words=wanted)
    _put(tx, [*others, made])
    tx.event("triage.section_kept", name=title, section=made.base, words=wanted, by=by)
    return made


def put_back(tx: Transaction, section: Section, *, by: str) -> None:
    """Keep a section again that was removed. Raises UsageError when there is another of its name by now."""
    if any(other.title == section.title for other in read_kept(tx)):
        raise UsageError(f"There is another section {section.title!r} by now, so the one before does not come back.")
    keep(tx, section.title, section, section.words, by=by)


def drop(tx: Transaction, name: str, *, by: str) -> None:
    """Remove a kept section. Raises UsageError when there is none of that name."""
    kept = read_kept(tx)
    others = [section for section in kept if section.title != name]
    if len(others) == len(kept):
        raise UsageError(f"There is no kept section {one_line(name, MOST_NAME)!r}.")
    _put(tx, others)
    tx.event("triage.section_dropped", name=name, by=by)


def _put(tx: Transaction, sections: Sequence[Section]) -> None:
    keep_setting(tx, SETTING, [{"name": s.title, "section": s.base, "words": s.words} for s in sections])
