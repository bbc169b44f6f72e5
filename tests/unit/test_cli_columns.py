"""Tables at every width of a terminal: whole ids, roles and moments, no word lost, no line too wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cli.columns import lines, width, wrapped

AT = "2026-11-23T15:09:02.506Z"
QUESTION = (
    "D1 Definition: 2 of 4 criteria of its gate are not met. Add conditions that somebody can check, one per line."
)
ASKED = (
    ("ID", "URGENCY", "STATUS", "DUE", "ITEM", "PHASE", "QUESTION", "RECOMMENDED"),
    [
        ["12", "IMMEDIATE", "overdue", AT, "7", "D1", QUESTION, "supply"],
        ["13", "DAILY", "open", AT, "8", "P1", "?", ""],
    ],
)
DECIDED = (
    ("ID", "AT", "AGENT", "KIND", "IMPACT", "CHOICE", "BY", "ITEM", "QUESTION"),
    [["4", AT, "technical-orchestrator", "component_design", "high", "waits", "ada", "7", QUESTION]],
)
TEAM = (
    ("ROLE", "TIER", "TYPE", "PHASE", "RUNTIME", "RUNS", "FAILED", "TIME", "COST", "LAST USED", "DESCRIPTION"),
    [["acceptance-criteria-writer", "3", "sub-agent", "D1", "offline", "2", "0", "12 ms", "", "2h", QUESTION]],
)
FOUND = (("", "AREA", "WHAT", "FOUND"), [["✓", "workspace", "state/", QUESTION]])
FIGURES = (
    ("BUDGET", "OF", "DOLLARS", "LIMIT", "TOKENS", "LIMIT", "BY", "CALLS", "NO PRICE", "LOST"),
    [["work item", "12", "$1.2345", "$20.00", "1,234,567", "20,000,000", "ada", "1234", "17", ""]],
)
DIGESTS = (("ARTIFACT", "ID", "DIGEST"), [["workitem.ready", "3", "0123456789abcdef" * 4]])
TABLES = (ASKED, DECIDED, TEAM, FOUND, FIGURES, DIGESTS)


@pytest.mark.parametrize("room", [40, 60, 80, 120])
@pytest.mark.parametrize("table", TABLES)
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(
    table: tuple[tuple[str, ...], list[list[str]]], room: int
) -> None:
    shown = list(lines(*table, room))
    assert max(map(width, shown)) <= room
    printed = "\n".join(shown)
    for cell in (cell for row in table[1] for cell in row):
        if cell == AT:
            assert "2026-11-23 15:09Z" in printed or AT in printed
        else:
            assert {word for word in cell.split() if width(word) <= room - 4} <= set(printed.split())


@pytest.mark.parametrize("room", [40, 60, 80])
@pytest.mark.parametrize("table", TABLES)
def test_what_names_a_row_begins_it(table: tuple[tuple[str, ...], list[list[str]]], room: int) -> None:
    shown = list(lines(*table, room))
    assert shown[0].startswith(table[0][0])
    assert all(any(line.split("  ")[0] == row[0] for line in shown) for row in table[1])


def test_prose_takes_the_room_that_is_left_or_goes_below_its_row() -> None:
    assert list(lines(*FOUND, 60)) == [
        "   AREA       WHAT    FOUND",
        "✓  workspace  state/  D1 Definition: 2 of 4 criteria of its",
        "                      gate are not met. Add conditions that",
        "                      somebody can check, one per line.",
    ]
    assert list(lines(*ASKED, 80)) == [
        "ID  URGENCY    STATUS   DUE                ITEM  PHASE  RECOMMENDED",
        "    QUESTION",
        "12  IMMEDIATE  overdue  2026-11-23 15:09Z  7     D1     supply",
        "    D1 Definition: 2 of 4 criteria of its gate are not met. Add conditions that",
        "    somebody can check, one per line.",
        "13  DAILY      open     2026-11-23 15:09Z  8     P1",
        "    ?",
    ]


def test_what_does_not_fit_in_the_row_goes_below_it_by_name() -> None:
    assert list(lines(*DECIDED, 71)) == [
        "ID  AT                 AGENT                   KIND              IMPACT",
        "    QUESTION",
        "4   2026-11-23 15:09Z  technical-orchestrator  component_design  high",
        "    choice waits  by ada  item 7",
        "    D1 Definition: 2 of 4 criteria of its gate are not met. Add",
        "    conditions that somebody can check, one per line.",
    ]


def test_where_there_is_room_or_no_terminal_a_row_is_one_line_with_whole_moments() -> None:
    for room in (None, 300):
        shown = list(lines(*ASKED, room))
        assert len(shown) == 3
        assert AT in shown[1]


def test_a_table_without_rows_has_its_headers() -> None:
    assert list(lines(("ID", "TITLE"), [], 40)) == ["ID  TITLE"]


CELLS = st.text(st.sampled_from("ab 日本-é"), max_size=60).map(lambda text: " ".join(text.split()))


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=4)), st.data())
def test_any_table_fits_any_terminal(rows: list[list[str]], data: st.DataObject) -> None:
    room = data.draw(st.integers(20, 120))
    headers = [f"H{n}" for n in range(len(rows[0]) if rows else 1)]
    shown = list(lines(headers, rows, room))
    assert all(width(line) <= room for line in shown)
    # What is below a row stands after its own, so the letters are all there, in some order.
    printed = "".join(shown)
    for row in rows:
        for cell in row:
            assert all(printed.count(letter) >= cell.count(letter) for letter in set(cell) - {" "})


@given(st.text(st.sampled_from("abc 日"), max_size=80), st.integers(2, 30))
def test_wrapping_keeps_every_letter_and_breaks_only_words_that_fit_no_line(text: str, room: int) -> None:
    found = wrapped(text, room)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= room for line in found)
    if all(width(word) <= room for word in text.split()):
        assert " ".join(found).split() == text.split()
