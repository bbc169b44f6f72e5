"""A release's entry stands where the project would have put it, and nothing else in the file moves."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.changelogs import DETAILS, Entry, add_entry, bullet, entry_of
from core.agents.headings import find_headings, split_lines
from core.agents.release_log import find_date, in_the_form_of

DAY = dt.date(2026, 11, 2)
ENTRY = Entry("1.3.0", DAY, "Added", "Sort rows by a column", ("Numbers sort by value", "Text sorts by letter"))

KEEP = """\
# Changelog

## [Unreleased]

### Fixed

- An empty table no longer crashes

## [1.2.0] - 2026-01-31

### Added

- Tables

```
## [9.9.9] - an example, no heading
```

[Unreleased]: https://example.org/o/r/compare/v1.2.0...HEAD
[1.2.0]: https://example.org/o/r/compare/v1.1.0...v1.2.0
"""
KEEP_AFTER = """\
# Changelog

## [Unreleased]

## [1.3.0] - 2026-11-02

### Fixed

- An empty table no longer crashes

### Added

- Sort rows by a column
  - Numbers sort by value
  - Text sorts by letter

## [1.2.0] - 2026-01-31

### Added

- Tables

```
## [9.9.9] - an example, no heading
```

[Unreleased]: https://example.org/o/r/compare/v1.3.0...HEAD
[1.3.0]: https://example.org/o/r/compare/v1.2.0...v1.3.0
[1.2.0]: https://example.org/o/r/compare/v1.1.0...v1.2.0
"""
ZEST = """\
Changes
=======

1.3.0 (unreleased)
------------------

- Nothing changed yet.


1.2.0 (2026-01-31)
------------------

* Tables
"""
ZEST_AFTER = """\
Changes
=======

1.3.0 (2026-11-02)
------------------

* Sort rows by a column

  - Numbers sort by value
  - Text sorts by letter


1.2.0 (2026-01-31)
------------------

* Tables
"""
HISTORY = """\
History
=======

1.2.0 (2026-01-31)
------------------
- Tables
"""
HISTORY_AFTER = """\
History
=======

1.3.0 (2026-11-02)
------------------
- Sort rows by a column
  - Numbers sort by value
  - Text sorts by letter

1.2.0 (2026-01-31)
------------------
- Tables
"""
ANCHORED = """\
.. _v1.2.0:

Version 1.2.0, 31 January 2026
------------------------------

-   Tables
"""
ANCHORED_AFTER = """\
Version 1.3.0, 2 November 2026
------------------------------

-   Sort rows by a column

    - Numbers sort by value
    - Text sorts by letter

.. _v1.2.0:

Version 1.2.0, 31 January 2026
------------------------------

-   Tables
"""
RELEASE_PLEASE = """\
# Changelog

## [1.2.0](https://example.org/o/r/compare/v1.1.0...v1.2.0) (2026-01-31)

### Features

* Tables
"""
RELEASE_PLEASE_AFTER = """\
# Changelog

## [1.3.0](https://example.org/o/r/compare/v1.2.0...v1.3.0) (2026-11-02)

### Features

* Sort rows by a column
  - Numbers sort by value
  - Text sorts by letter

## [1.2.0](https://example.org/o/r/compare/v1.1.0...v1.2.0) (2026-01-31)

### Features

* Tables
"""
OLDEST_FIRST = "1.1 (2025-01-01)\n================\n- a\n\n1.2 (2026-01-01)\n================\n- b\n"
OLDEST_FIRST_AFTER = OLDEST_FIRST + (
    "\n1.3.0 (2026-11-02)\n==================\n"
    "- Sort rows by a column\n\n  - Numbers sort by value\n  - Text sorts by letter\n"
)
TAG_LINKS = "## [1.2.0] - 2026-01-31\n- Tables\n\n[1.2.0]: https://example.org/r/tag/1.2.0\n"
TAG_LINKS_AFTER = (
    "## [1.3.0] - 2026-11-02\n- Sort rows by a column\n  - Numbers sort by value\n  - Text sorts by letter\n\n"
    "## [1.2.0] - 2026-01-31\n- Tables\n\n"
    "[1.3.0]: https://example.org/r/tag/1.3.0\n[1.2.0]: https://example.org/r/tag/1.2.0\n"
)
PALLETS = "Version 1.3.0\n-------------\n\nUnreleased\n\n-   Tables\n"
PALLETS_AFTER = (
    "Version 1.3.0\n-------------\n\nReleased 2026-11-02\n\n-   Tables\n"
    "-   Sort rows by a column\n\n    - Numbers sort by value\n    - Text sorts by letter\n"
)
DATE_LINE = "Version 1.2.0\n-------------\n\nReleased 2026-01-31\n\n-   Tables\n"
DATE_LINE_AFTER = (
    "Version 1.3.0\n-------------\n\nReleased 2026-11-02\n\n"
    "-   Sort rows by a column\n\n    - Numbers sort by value\n    - Text sorts by letter\n\n"
) + DATE_LINE
PLAIN = "All releases:\n\n1.2.0 (2026-01-31)\n\n* Tables\n\n1.1.0 (2025-01-31)\n\n* Rows\n"
PLAIN_AFTER = (
    "All releases:\n\n1.3.0 (2026-11-02)\n\n* Sort rows by a column\n\n  - Numbers sort by value\n"
    "  - Text sorts by letter\n\n"
) + PLAIN.removeprefix("All releases:\n\n")
ITEMS = "- 1.2.0: Tables\n  and more.\n- 1.1.0: Rows\n"
ITEMS_AFTER = "- 1.3.0: Sort rows by a column\n\n  - Numbers sort by value\n  - Text sorts by letter\n" + ITEMS
ORDINAL = "## 1.2.0 (31st January, 2026)\n\n- Tables\n"
ORDINAL_AFTER = (
    "## 1.3.0 (2nd November, 2026)\n\n- Sort rows by a column\n  - Numbers sort by value\n  - Text sorts by letter\n\n"
) + ORDINAL


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        pytest.param("CHANGELOG.md", KEEP, KEEP_AFTER, id="keep-a-changelog"),
        pytest.param("CHANGES.rst", ZEST, ZEST_AFTER, id="unreleased-version"),
        pytest.param("HISTORY.md", HISTORY, HISTORY_AFTER, id="underlined-markdown"),
        pytest.param("CHANGES.rst", ANCHORED, ANCHORED_AFTER, id="anchors-and-long-dates"),
        pytest.param("CHANGELOG.md", RELEASE_PLEASE, RELEASE_PLEASE_AFTER, id="links-in-headings"),
        pytest.param("CHANGES", OLDEST_FIRST, OLDEST_FIRST_AFTER, id="oldest-first"),
        pytest.param("CHANGELOG.md", TAG_LINKS, TAG_LINKS_AFTER, id="links-to-tags"),
        pytest.param("CHANGES.rst", PALLETS, PALLETS_AFTER, id="unreleased-line"),
        pytest.param("CHANGES.rst", DATE_LINE, DATE_LINE_AFTER, id="date-on-its-own-line"),
        pytest.param("CHANGES", PLAIN, PLAIN_AFTER, id="versions-without-markers"),
        pytest.param("CHANGELOG", ITEMS, ITEMS_AFTER, id="versions-as-list-items"),
        pytest.param("CHANGELOG.md", ORDINAL, ORDINAL_AFTER, id="ordinal-dates"),
    ],
)
def test_the_entry_is_written_in_the_projects_own_style(path: str, before: str, after: str) -> None:
    assert add_entry(before, ENTRY, path) == after
    assert add_entry(after, ENTRY, path) == after


@given(st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31)))
@pytest.mark.parametrize(
    "form",
    ["2026-01-31", "2026/1/31", "31 Jan 2026", "Jan 31, 2026", "31st January, 2026", "September 05 2026", "2026.01.31"],
)
def test_a_date_is_written_like_the_one_before(form: str, date: dt.date) -> None:
    model = find_date(f"released ({form})")
    assert model is not None

    written = in_the_form_of(model, date)

    again = find_date(written)
    assert again is not None
    assert again[0] == written == in_the_form_of(again, date)
    assert str(date.year) in written


def test_without_a_changelog_one_begins() -> None:
    text = add_entry("", ENTRY)

    assert text.startswith("# Changelog\n")
    assert "## [Unreleased]\n\n## [1.3.0] - 2026-11-02\n\n### Added\n\n- Sort rows by a column\n" in text


def test_windows_line_ends_stay() -> None:
    text = add_entry(KEEP.replace("\n", "\r\n"), ENTRY)

    assert text == KEEP_AFTER.replace("\n", "\r\n")


def test_an_entry_that_somebody_wrote_under_unreleased_is_moved_and_not_doubled() -> None:
    written = KEEP.replace("- An empty table no longer crashes", "- sort  rows by a column, finally")

    text = add_entry(written, ENTRY)

    assert text.lower().count("rows by a column") == 1
    assert text.index("## [1.3.0]") < text.index("- sort  rows")


def test_the_entry_goes_to_the_end_of_its_category() -> None:
    fix = Entry("1.3.0", DAY, "Fixed", "A comma in a cell is kept")

    text = add_entry(KEEP, fix)

    assert "### Fixed\n\n- An empty table no longer crashes\n- A comma in a cell is kept\n\n## [1.2.0]" in text


@pytest.mark.parametrize(
    ("kind", "tags", "category"),
    [
        ("feature", [], "Added"),
        ("bug", [], "Fixed"),
        ("chore", [], "Changed"),
        ("bug", ["security"], "Security"),
        ("?", [], "Changed"),
    ],
)
def test_the_category_follows_the_type_and_the_tags(kind: str, tags: list[str], category: str) -> None:
    assert entry_of({"title": "x", "type": kind, "tags": tags}, [], "1.0.0", DAY).category == category


def test_an_entry_is_bounded() -> None:
    criteria = [{"id": f"AC{n}", "text": f"criterion {n} " * 100} for n in range(30)]

    entry = entry_of({"title": "t" * 5_000, "type": "feature"}, criteria, "1.0.0", DAY, breaking=True)

    assert entry.title.startswith("Breaking: ttt")
    assert len(bullet(entry)) < 1_500
    assert entry.details[-1] == f"and {30 - DETAILS} more acceptance criteria"


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "# heading",
            "x\n## [9.9.9] - 2026-01-01",
            "x\r\n\r\n9.9.9\n-----",
            "[1.2.0]: https://evil.example",
            "<!-- swallow",
            "```",
            "- - list",
            "\x1b]0;title\x07x",
            "Unreleased",
            ".. include:: /etc/passwd",
            "![x](http://x)",
        ]
    ),
)


@pytest.mark.parametrize(("path", "before"), [("C.md", KEEP), ("C.rst", ZEST), ("H.md", HISTORY)])
@given(title=HOSTILE, detail=HOSTILE)
def test_no_title_makes_a_heading(path: str, before: str, title: str, detail: str) -> None:
    item = {"id": 7, "title": title, "type": "bug"}
    rst = path.endswith(".rst")

    text = add_entry(before, entry_of(item, [{"id": "AC1", "text": detail}], "1.3.0", DAY), path)

    titles = [heading.title for heading in find_headings(split_lines(text), rst=rst)]
    known = [heading.title for heading in find_headings(split_lines(before), rst=rst)]
    assert [word for word in titles if word not in known] in (
        ["[1.3.0] - 2026-11-02"],
        ["1.3.0 (2026-11-02)"],
    )
    assert "\x1b" not in text
    assert add_entry(text, entry_of(item, [{"id": "AC1", "text": detail}], "1.3.0", DAY), path) == text


WORDS = st.lists(st.sampled_from(["rows", "sort", "fix `x`", "a_b", "(#12)", "é"]), min_size=1, max_size=4).map(
    " ".join
)
SECTIONS = st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=0, max_size=4)


@given(
    sections=SECTIONS,
    unreleased=st.one_of(st.none(), st.lists(WORDS, max_size=2)),
    grouped=st.booleans(),
    gap=st.sampled_from(["\n", "\n\n"]),
    end=st.sampled_from(["\n", "", "\n\n"]),
)
def test_every_other_line_stays_in_its_order(
    sections: list[list[str]], unreleased: list[str] | None, grouped: bool, gap: str, end: str
) -> None:
    blocks = ["# Changelog"]
    head = "### Added\n\n" if grouped else ""
    if unreleased is not None:
        blocks.append("## [Unreleased]" + "".join(f"\n- {words}" for words in unreleased))
    for number, bullets in enumerate(sections):
        lines = "\n".join(f"- {words}" for words in bullets)
        blocks.append(f"## [1.{len(sections) - number}.0] - 2025-01-01\n\n{head}{lines}")
    before = f"\n{gap}".join(blocks) + end

    after = add_entry(before, Entry("2.0.0", DAY, "Fixed", "The new entry"))

    old, new = before.split("\n"), after.split("\n")
    remaining = iter(new)
    assert all(line in remaining for line in old if line.strip())
    assert sum("2.0.0" in line for line in new) == 1
    assert sum("The new entry" in line for line in new) == 1
    assert add_entry(after, Entry("2.0.0", DAY, "Fixed", "The new entry")) == after
    if sections and unreleased is None:
        assert after.endswith(before[before.index("## [1.") :])
