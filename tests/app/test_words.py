from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.store.rows import PhaseCell
from tests.app.seeding import HOUR, MINUTE, MORNING, SECOND
from tui.text import words


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0.0s"),
        (840, "0.8s"),
        (12 * SECOND, "12s"),
        (4 * MINUTE + SECOND, "4m"),
        (47 * HOUR, "47h"),
        (49 * HOUR, "2d"),
        (-5, "0.0s"),
    ],
)
def test_a_span_of_time_is_told_in_its_largest_unit(milliseconds: int, shown: str) -> None:
    assert words.span_of_time(milliseconds) == shown


@given(st.integers(min_value=0, max_value=10**15))
def test_a_span_of_time_never_needs_more_than_four_cells(milliseconds: int) -> None:
    assert len(words.span_of_time(milliseconds)) <= 4


@given(
    st.sampled_from([*words.PHASE_MARKS, "of a newer version"]),
    st.integers(min_value=0, max_value=10**12),
    st.integers(min_value=0, max_value=10**12),
)
def test_a_phase_fits_its_cell_and_never_tells_by_colour_alone(status: str, started_ago: int, took: int) -> None:
    cell = PhaseCell("D1", status, 1, MORNING - started_ago, took if status == "passed" else None)
    line = words.phase_cell(cell, MORNING)
    text = "".join(part for part, _ in line)
    assert cell_len(text) <= 6
    assert status == "" or len(text.split()) == 2


def test_every_mark_has_an_ascii_stand_in_of_the_same_width() -> None:
    tables = (words.AGENT_MARKS, words.WORK_MARKS, words.PHASE_MARKS, words.URGENCY_MARKS, words.DELEGATION_MARKS)
    glyphs = {mark.glyph for table in tables for mark in table.values()}
    assert all(len(glyph.translate(words.ASCII)) == 1 and glyph.translate(words.ASCII).isascii() for glyph in glyphs)


@pytest.mark.parametrize(("count", "shown"), [(0, "0 questions"), (1, "1 question"), (2, "2 questions")])
def test_plural(count: int, shown: str) -> None:
    assert words.plural(count, "question") == shown


def test_an_escalation_is_a_question_on_screens_and_keeps_its_word_in_commands() -> None:
    said = "Escalation 7: escalation 8 stands, and `apm escalation undo 7` takes it back."
    assert words.in_screen_words(said) == "Question 7: question 8 stands, and `apm escalation undo 7` takes it back."


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"id": "AC1", "text": "It is 4."}, "AC1: It is 4."),
        (
            {"criteria": ["AC1", "AC2"], "depends_on": [], "estimate_hours": 1.0, "id": "T1", "title": "Write it"},
            "T1: Write it; criteria: AC1, AC2, estimate hours: 1.0",
        ),
        ({"rule": "R7", "failures": 0, "note": None}, "rule: R7, failures: 0"),
        ({}, ""),
    ],
)
def test_a_small_record_is_told_on_a_line(record: dict[str, object], said: str) -> None:
    assert words.in_words(record) == said
