"""The benchmark of the app runs on a small scale: what it measures with cannot rot. No figure is looked at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.store import reads, reads_team
from core.workspace import Workspace
from tests.bench import crowded, long_lists, triaging
from tests.bench.crowd import crowd, multiply, title
from tests.bench.measure import tail
from tests.bench.watching import row_at_cursor

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal to run the app on")
SMALL = 300


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("", ""),
        ("▌ 12 Backlog item 000012  · ", "item 000012"),
        ("\x1b[4;1H\x1b[1m▌\x1b[0;32m 12\x1b[0m mark-000007\x1b[5;1H  13 Backlog item 000013", "mark-000007"),
        ("▌ Which one for case 000001?\x1b[9;9H▌ Which one for case 000002?", "case 000002"),
        ("▌ Which one for case 000001?\r\n▌▌▌ a bar", "case 000001"),
        ("  12 Backlog item 000012", ""),
    ],
)
def test_the_row_at_the_cursor_is_the_last_that_was_drawn_with_it(written: str, name: str) -> None:
    assert row_at_cursor(written.encode()) == name.encode()


def test_the_slow_end_is_shown_first_and_judged() -> None:
    figure = tail("key to painted", [n / 1_000 for n in range(1, 201)], "ms", floor=50)

    assert (figure.median, figure.worst, figure.verdict) == (198, 200, "MISSED")


def test_a_crowd_is_multiplied_row_by_row(tmp_path: Path) -> None:
    folder = crowd(tmp_path / "crowd", 10)

    multiply(folder, 1_000)

    with Workspace.open(folder, team="untouched") as workspace:
        found = workspace.store.read_now(lambda r: reads.work_items(r, limit=2_000))
        counts = workspace.store.read_now(lambda r: reads_team.waiting(r, workspace.store.clock()))
    assert sorted(item.title for item in found) == [title(n) for n in range(1, 1_001)]
    assert counts.needs_me == 1_000


@needs_pty
def test_the_app_is_watched_at_rest_in_use_and_under_load(tmp_path: Path) -> None:
    spans = crowded.Spans(settle=0.5, idle=0.5, calm=0.5, load=0.5, others=0.2)

    figures = crowded.measured(tmp_path, crowd(tmp_path / "workspace", SMALL), SMALL, spans)

    assert len(figures) == 16
    assert all(figure.n >= 1 for figure in figures)


@needs_pty
def test_long_lists_are_scrolled_and_filtered(tmp_path: Path) -> None:
    folder = crowd(tmp_path / "workspace", SMALL)

    assert len(long_lists.measured(tmp_path, folder, SMALL, 1, 1)) == 6


@needs_pty
def test_a_hundred_questions_get_the_answers_that_are_meant_by_keys_alone(tmp_path: Path) -> None:
    """Raises when one has another answer; and a person is to need no more keys than that."""
    tmp_path.mkdir(exist_ok=True)

    keys, *_ = triaging.measure(tmp_path)

    assert keys.median <= triaging.MOST_KEYS
