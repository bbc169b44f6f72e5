"""A changelog, read: where its versions begin, what is pending, how it writes dates and categories."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.agents.bumps import is_greater, is_version
from core.agents.headings import ANCHOR, Heading, find_headings, is_rst, split_lines

CATEGORY_NAMES = {
    "Added": ("added", "features", "new features", "new", "additions"),
    "Changed": ("changed", "changes", "improvements", "enhancements", "other", "other changes", "misc"),
    "Fixed": ("fixed", "bug fixes", "bugfixes", "fixes", "bugs"),
    "Security": ("security",),
    "Deprecated": ("deprecated", "deprecations"),
    "Removed": ("removed", "removals"),
}
"""Each category of Keep a Changelog with the other words projects use for it, in lower case."""

PLAIN, ITEM = "plain", "item"
"""Ranks of version lines that are no headings: `1.2.0 (2026-01-31)` alone on its line, and `- 1.2.0: what is new`."""

UNRELEASED = re.compile(r"\b(unreleased|not (?:yet )?released|in development|upcoming)\b", re.IGNORECASE)
LINK = re.compile(r"\[([^\]]+)\]:[ \t]*(\S+)")
_VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+)+(?:[-+.]?[0-9A-Za-z]+)*)")
_PLAIN = re.compile(r"(?=.{1,200}$)(?:version |release )?v?\d+(?:\.\d+)+\S*\s*[-–(:,].{6,40}$", re.IGNORECASE)
_ITEM = re.compile(r"[-*][ \t]+(v?\d+(?:\.\d+)+)[ \t]*:")

_MONTHS = {
    name[:length].lower(): number for number, name in enumerate(calendar.month_name) for length in (3, None) if name
}
_ORDINAL = r"(?P<ordinal>st|nd|rd|th)?"
_MONTH = r"(?P<month>[A-Z][a-z]{2,8})"
_DATES = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<number>\d\d?)[-/.](?P<day>\d\d?)(?![\w.])"),
    re.compile(rf"(?P<day>\d\d?){_ORDINAL} {_MONTH},? (?P<year>\d{{4}})"),
    re.compile(rf"{_MONTH} (?P<day>\d\d?){_ORDINAL},? (?P<year>\d{{4}})"),
)


@dataclass(frozen=True, slots=True)
class Changelog:
    """A changelog's lines with their ends, its headings, and the line at which its link references begin."""

    path: str
    lines: list[str]
    headings: list[Heading]
    links: int
    eol: str

    @property
    def rst(self) -> bool:
        return is_rst(self.path)

    @property
    def versions(self) -> list[Heading]:
        """The headings of versions, pending ones included: those of the same rank as the first."""
        found = [heading for heading in self.headings if version_in(heading.title)]
        return [heading for heading in found if heading.rank == found[0].rank]

    @property
    def released(self) -> list[Heading]:
        return [heading for heading in self.versions if not is_pending(heading)]

    @property
    def oldest_first(self) -> bool:
        released = self.released
        return len(released) > 1 and is_greater(version_in(released[-1].title), version_in(released[0].title))

    @property
    def newest(self) -> Heading | None:
        return self.released[-1 if self.oldest_first else 0] if self.released else None

    @property
    def unreleased(self) -> Heading | None:
        """The section that collects what comes next, with or without a version in its heading."""
        ranks = {heading.rank for heading in self.versions} or {heading.rank for heading in self.headings}
        return next((heading for heading in self.headings if is_pending(heading) and heading.rank in ranks), None)

    @property
    def categories(self) -> list[Heading]:
        """Headings inside sections that are words for a category; the file's own title is none."""
        sections = [heading.at for heading in (*self.versions, self.unreleased) if heading]
        words = {word for names in CATEGORY_NAMES.values() for word in names}
        return [h for h in self.headings if sections and h.at > min(sections) and h.title.lower() in words]

    def end_of(self, section: Heading) -> int:
        """The line after a section: the next heading of its rank or of one above it, or the link references.

        A rank is above another when it comes first in the file, as in reStructuredText.
        """
        ranks = [heading.rank for heading in self.headings]
        above = set(ranks[: ranks.index(section.rank) + 1])
        following = next((h.at for h in self.headings if h.at >= section.end and h.rank in above), self.links)
        return max(self.above_anchors(following), section.end)

    def above_anchors(self, at: int) -> int:
        """`at`, or the first of the link targets that belong to the heading there."""
        above = at
        while above and (ANCHOR.match(self.lines[above - 1]) or not self.lines[above - 1].strip()):
            above -= 1
            at = above if ANCHOR.match(self.lines[above]) else at
        return at


def read_changelog(text: str, path: str) -> Changelog:
    lines = split_lines(text)
    links = found = len(lines)
    while links and (LINK.match(lines[links - 1]) or not lines[links - 1].strip()):
        links -= 1
        found = links if lines[links].strip() else found
    return Changelog(path, lines, _version_headings(lines, path), found, "\r\n" if "\r\n" in text else "\n")


def _version_headings(lines: Sequence[str], path: str) -> list[Heading]:
    """The file's headings and its version lines without a marker; list items where nothing else has a version."""
    marked = find_headings(lines, rst=is_rst(path))
    taken = {at for heading in marked for at in range(heading.at, heading.end)}
    plain = [
        Heading(at, at + 1, PLAIN, line.strip())
        for at, line in enumerate(lines)
        if at not in taken and _PLAIN.match(line) and find_date(line) and not (at and lines[at - 1].strip())
    ]
    found = sorted([*marked, *plain], key=lambda heading: heading.at)
    if any(version_in(heading.title) for heading in found):
        return found
    return found + [
        Heading(at, at + 1, ITEM, match[1]) for at, line in enumerate(lines) if (match := _ITEM.match(line))
    ]


def version_in(title: str) -> str:
    """The first version that a heading names; empty when it names none."""
    return next((found for found in _VERSION.findall(title) if is_version(found)), "")


def is_pending(heading: Heading) -> bool:
    return bool(UNRELEASED.search(heading.title))


def find_date(text: str) -> re.Match[str] | None:
    """The first date in a line, in one of the forms that changelogs use."""
    matches = (match for pattern in _DATES for match in pattern.finditer(text))
    return next((match for match in matches if match.groupdict().get("month", "May").lower() in _MONTHS), None)


def in_the_form_of(model: re.Match[str], date: dt.date) -> str:
    """A date written as `model` is: order, separators, leading zeros, short or long month, ordinal or none."""
    parts = {
        "year": str(date.year),
        "number": str(date.month).zfill(len(model.groupdict().get("number") or "")),
        "month": date.strftime("%b" if len(model.groupdict().get("month") or "") == 3 else "%B"),
        "day": str(date.day).zfill(2 if "number" in model.groupdict() or model["day"].startswith("0") else 1),
        "ordinal": _ordinal(date.day),
    }
    written, last = "", model.start()
    for name in sorted((n for n, text in model.groupdict().items() if text), key=model.start):
        written += model.string[last : model.start(name)] + parts[name]
        last = model.end(name)
    return written + model.string[last : model.end()]


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
