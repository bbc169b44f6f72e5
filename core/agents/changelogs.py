"""A release's entry in a project's changelog, written the way the project writes it.

The heading copies the newest one (brackets, date format, underline), the bullet the newest bullets, the category the
project's own word for it. What stands under Unreleased moves into the release. Every other byte stays as it is.
Where there is no changelog, one in the form of Keep a Changelog begins.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.agents.headings import BULLET, Heading, find_headings, is_rst
from core.agents.release_log import (
    CATEGORY_NAMES,
    ITEM,
    LINK,
    PLAIN,
    UNRELEASED,
    Changelog,
    find_date,
    in_the_form_of,
    is_pending,
    read_changelog,
    version_in,
)
from core.contract import Json
from core.sanitise import one_line

TITLE_LIMIT = 200
DETAIL_LIMIT = 160
DETAILS = 5
"""Acceptance criteria that an entry names; the others are counted."""

CATEGORY_OF_TYPE = {"feature": "Added", "bug": "Fixed", "docs": "Changed", "chore": "Changed", "spike": "Changed"}
CATEGORY_OF_TAG = {"security": "Security", "deprecation": "Deprecated", "removal": "Removed"}
NEW = """# Changelog

The format is based on [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## [Unreleased]
"""

_NOTHING_YET = re.compile(r"[-*+][ \t]+nothing (?:changed |new )?yet\.?\s*$", re.IGNORECASE)
_DATE_LINE = re.compile(r":?(?:released?|release date|date)\b[^\d]{0,6}", re.IGNORECASE)
_COMPARE = re.compile(r"(.*/compare/)(.+?)(\.{2,3})(.+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a release says of one work item. Texts are single lines, already safe to print."""

    version: str
    date: dt.date
    category: str
    title: str
    details: tuple[str, ...] = ()


def entry_of(
    work_item: Json, criteria: Sequence[Json], version: str, date: dt.date, *, breaking: bool = False
) -> Entry:
    """The entry of a work item: its title, and its acceptance criteria as far as they fit."""
    tags = [str(tag).lower() for tag in work_item.get("tags", ())]
    by_tag = next((CATEGORY_OF_TAG[tag] for tag in tags if tag in CATEGORY_OF_TAG), None)
    texts = [one_line(str(criterion.get("text", "")), DETAIL_LIMIT) for criterion in criteria]
    details = [text for text in texts if text]
    if len(details) > DETAILS:
        details = [*details[:DETAILS], f"and {len(details) - DETAILS} more acceptance criteria"]
    title = one_line(str(work_item.get("title", "")), TITLE_LIMIT) or f"Work item {work_item.get('id', '')}".strip()
    return Entry(
        version=version,
        date=date,
        category=by_tag or CATEGORY_OF_TYPE.get(str(work_item.get("type")), "Changed"),
        title=f"Breaking: {title}" if breaking else title,
        details=tuple(details),
    )


def add_entry(text: str, entry: Entry, path: str = "CHANGELOG.md") -> str:
    """`text` with the entry under its version's heading; unchanged when it stands there already."""
    if not text.strip():
        text = NEW if not is_rst(path) else "Changelog\n=========\n"
    log = read_changelog(text, path)
    present = next((heading for heading in log.versions if version_in(heading.title) == entry.version), None)
    if present is None or is_pending(present):
        return _with_link(_section_written(log, entry), log, entry)
    return _section_completed(text, log, present, entry)


def bullet(entry: Entry, *, rst: bool = False, mark: str = "- ") -> str:
    """The entry as a list item, without a line end at its end."""
    indent = " " * len(mark)
    gap = "\n\n" if rst else "\n"
    nested = "\n".join(f"{indent}- {_escaped(detail, rst)}" for detail in entry.details)
    return mark + _escaped(entry.title, rst) + (gap + nested if nested else "")


def _escaped(text: str, rst: bool) -> str:
    """A title is words: it begins no heading, list, comment, image, directive or link definition."""
    safe = re.sub(r"([<*|]|_(?!\w))", r"\\\1", text) if rst else re.sub(r"(<|!(?=\[))", r"\\\1", text)
    return re.sub(r"^([#>*+=|~\[-]|`(?=``)|\d+(?=[.)])|\.\.|:)", lambda match: "\\" + match[0], safe)


def _section_written(log: Changelog, entry: Entry) -> str:
    """The text with a new section: in place of what was pending, else where the newest version begins."""
    at, until = _place(log)
    pending = log.unreleased
    before, after = _ended(log.lines[:at], log.eol), log.lines[until:]
    if log.newest and log.newest.rank == ITEM:
        return "".join([*before, *_item(log, entry, f"{entry.version}: "), *after])
    collected = log.lines[pending.end : until] if pending else []
    body = _stripped([line for line in collected if not _NOTHING_YET.match(line)])
    after = _without_leading_blanks(after)
    gap = [log.eol] * _blanks_before(log)
    above = gap if before and before[-1].strip() else []
    below = [log.eol] if _is_loose(log) else []
    body = _ended(_merged(log, _dated(log, body, entry), entry), log.eol)
    return "".join([*before, *above, *_heading_lines(log, entry), *below, *body, *(gap if after else []), *after])


def _dated(log: Changelog, body: list[str], entry: Entry) -> list[str]:
    """The body with a line of its own for the date, where the newest release has one or the body waits for one."""
    newest = log.newest
    model = "" if newest is None else next((line for line in log.lines[newest.end :] if line.strip()), "")
    date = find_date(model) if newest and not find_date(newest.title) and _DATE_LINE.match(model) else None
    written = model[: date.start()] + in_the_form_of(date, entry.date) + log.eol if date else ""
    if body and body[0].strip().rstrip(".").casefold() == "unreleased":
        return [written or f"Released {entry.date.isoformat()}{log.eol}", *body[1:]]
    return [written, *([log.eol] if body else []), *body] if written else body


def _place(log: Changelog) -> tuple[int, int]:
    """The lines that a new section takes the place of; none where nothing was collected for it."""
    pending = log.unreleased
    if pending:
        return pending.at if version_in(pending.title) else pending.end, log.end_of(pending)
    at = log.links if log.oldest_first or not log.newest else log.above_anchors(log.newest.at)
    return at, at


def _section_completed(text: str, log: Changelog, section: Heading, entry: Entry) -> str:
    """The text with the entry in a section that is there already."""
    end = log.end_of(section)
    body = log.lines[section.end : end]
    told = _stripped(body)
    if _is_told([*log.lines[section.at : section.end], *told], entry):
        return text
    before, after = _ended(log.lines[: section.end], log.eol), log.lines[end:]
    if section.rank == ITEM:
        return "".join([*before, f"  {_escaped(entry.title, log.rst)}{log.eol}", *body, *after])
    first = next((at for at, line in enumerate(body) if line.strip()), len(body))
    lead, trail = body[:first] or [log.eol], body[first + len(told) :]
    waits = bool(told) and told[0].strip().rstrip(".").casefold() == "unreleased"
    merged = _ended(_merged(log, _dated(log, told, entry) if waits else told, entry), log.eol)
    return "".join([*before, *lead, *merged, *trail, *after])


def _is_loose(log: Changelog) -> bool:
    """Whether a blank line follows a version's heading."""
    newest = log.newest
    return newest is None or newest.end >= len(log.lines) or not log.lines[newest.end].strip()


def _blanks_before(log: Changelog) -> int:
    """Blank lines above a version's heading, as many as the project leaves; at least one."""
    at = log.above_anchors(log.newest.at) if log.newest else 0
    return max(next((count for count in range(at) if log.lines[at - 1 - count].strip()), 1), 1)


def _merged(log: Changelog, body: list[str], entry: Entry) -> list[str]:
    """A section's body with the entry at the end of its category, or of the list where there are no categories."""
    if _is_told(body, entry):
        return body
    body = _ended(body, log.eol)
    if not log.categories and (log.released or any(BULLET.match(line) for line in body)):
        return _appended(body, _item(log, entry), log)
    inner = find_headings(body, rst=log.rst)
    mine = next((heading for heading in inner if heading.title.lower() in CATEGORY_NAMES[entry.category]), None)
    if mine is None:
        gap = [log.eol] if body else []
        return [*body, *gap, *_category_lines(log, entry), log.eol, *_item(log, entry)]
    end = next((heading.at for heading in inner if heading.at >= mine.end), len(body))
    entries, rest = _stripped(body[mine.end : end]), body[end:]
    gap = [log.eol] if rest else []
    return [*body[: mine.end], log.eol, *_appended(entries, _item(log, entry), log), *gap, *rest]


def _item(log: Changelog, entry: Entry, label: str = "") -> list[str]:
    """The entry's lines, with the bullet of the newest release's list."""
    nearest = log.lines[log.newest.at :] if log.newest else log.lines
    mark = next((m[1] + m[2] for line in nearest if (m := BULLET.match(line))), "- ")
    first, *nested = bullet(entry, rst=log.rst, mark=mark).split("\n")
    return [line + log.eol for line in (mark + label + first.removeprefix(mark), *nested)]


def _category_lines(log: Changelog, entry: Entry) -> list[str]:
    """A heading for the entry's category, in the project's own word and form where it has one."""
    names = CATEGORY_NAMES[entry.category]
    title = next((heading.title for heading in log.categories if heading.title.lower() in names), entry.category)
    if log.categories:
        return _like(log, log.categories[0], title)
    return _like(log, Heading(0, 2, "under ~", "") if log.rst else Heading(0, 1, "###", ""), title)


def _appended(body: list[str], item: list[str], log: Changelog) -> list[str]:
    """A list with one item more. reStructuredText wants a blank line after anything but a plain item."""
    apart = bool(body) and (body[-1][0].isspace() if log.rst else False)
    prose = bool(body) and not any(BULLET.match(line) for line in body)
    return [*body, *([log.eol] if apart or prose else []), *item]


def _is_told(body: Sequence[str], entry: Entry) -> bool:
    """Whether somebody wrote this entry already."""
    return _words(entry.title) in _words(" ".join(body))


def _words(text: str) -> str:
    return " ".join(text.replace("\\", "").casefold().split())


def _heading_lines(log: Changelog, entry: Entry) -> list[str]:
    """The new version's heading, in the form of the newest released one."""
    date, pending = entry.date.isoformat(), log.unreleased
    if log.newest:
        return _like(log, log.newest, _retitled(log.newest, entry))
    if pending and version_in(pending.title):
        title = UNRELEASED.sub(date, pending.title, count=1)
        return _like(log, pending, title.replace(version_in(pending.title), entry.version))
    if pending and not pending.title.startswith("["):
        return _like(log, pending, f"{entry.version} ({date})")
    if log.rst:
        return _like(log, Heading(0, 2, "under -", ""), f"{entry.version} ({date})")
    return [f"## [{entry.version}] - {date}{log.eol}"]


def _like(log: Changelog, model: Heading, title: str) -> list[str]:
    """A heading with another title, marked like `model`; a line below is as long as the title, or as it was."""
    if model.rank == PLAIN:
        return [title + log.eol]
    if model.rank.startswith("#"):
        return [f"{model.rank} {title}{log.eol}"]
    under = log.lines[model.end - 1].strip() if model.title else ""
    length = max(len(title), len(under) if len(under) > len(model.title) else 0)
    line = model.rank[-1] * length + log.eol
    return [*([line] if model.end - model.at == 3 else []), title + log.eol, line]


def _retitled(model: Heading, entry: Entry) -> str:
    """The model's title with the new version and date. Code names and remarks stay with the version they are of."""
    start, _, rest = model.title.partition(version_in(model.title))
    link = re.match(r"\]\(([^)\s]+)\)", rest)
    url = _next_link(link[1], version_in(model.title), entry.version) if link else ""
    linked = f"]({url})" if link else ""
    date = find_date(rest)
    if date is None:
        closers = re.match(r"[)\]*_:]*", rest)
        return start + entry.version + (linked or (closers[0] if closers else ""))
    between = rest[link.end() if link else 0 : date.start()]
    joint = between if re.fullmatch(r"[\W_]*(released|release date)?( on)?[\W_]*", between) else " - "
    closers = re.match(r"[)\]*_]*", rest[date.end() :])
    return start + entry.version + linked + joint + in_the_form_of(date, entry.date) + (closers[0] if closers else "")


def _next_link(url: str, newest: str, version: str) -> str:
    """The address of a version's changes or tag, from that of the version before; empty when it cannot be told."""
    compare = _COMPARE.fullmatch(url)
    if compare and newest in compare[4]:
        return compare[1] + compare[4] + compare[3] + compare[4].replace(newest, version)
    return url.replace(newest, version) if newest in url and not compare else ""


def _with_link(text: str, log: Changelog, entry: Entry) -> str:
    """The text with a link reference for the new version, where the project keeps such."""
    links = {m[1]: m[2] for line in log.lines[log.links :] if (m := LINK.match(line))}
    newest = version_in(log.newest.title) if log.newest else ""
    if not newest or entry.version in links:
        return text
    name = next((name for name in links if UNRELEASED.search(name)), "")
    compare = _COMPARE.fullmatch(links.get(name, ""))
    if compare and newest in compare[2]:
        tag = compare[2].replace(newest, entry.version)
        pending, url = compare[1] + tag + compare[3] + compare[4], compare[1] + compare[2] + compare[3] + tag
        return _relinked(text, name, f"[{name}]: {pending}{log.eol}[{entry.version}]: {url}")
    known = links.get(newest, "")
    url = _next_link(known, newest, entry.version) if known else ""
    return _relinked(text, newest, f"[{entry.version}]: {url}{log.eol}[{newest}]: {known}") if url else text


def _relinked(text: str, name: str, lines: str) -> str:
    """The text with the last link reference of this name replaced."""
    found = [*re.finditer(rf"^\[{re.escape(name)}\]:[ \t]*\S+", text, re.MULTILINE)][-1]
    return text[: found.start()] + lines + text[found.end() :]


def _stripped(lines: list[str]) -> list[str]:
    """Without blank lines at both ends."""
    told = [at for at, line in enumerate(lines) if line.strip()]
    return lines[told[0] : told[-1] + 1] if told else []


def _without_leading_blanks(lines: list[str]) -> list[str]:
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    return lines[start:]


def _ended(lines: list[str], eol: str) -> list[str]:
    """With a line end at the end of the last line."""
    return [*lines[:-1], lines[-1] + eol] if lines and not lines[-1].endswith("\n") else lines
