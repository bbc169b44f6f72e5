"""A hundred thousand work items and as many open questions in the app's lists: opened, scrolled and filtered."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from tests.bench.crowd import crowd, multiply
from tests.bench.measure import Figure, duration, size, tail
from tests.bench.watching import NAME, Watched, resident_mb, row_at_cursor, watched

SOME, COUNT = 1_000, 100_000
TURNS, FILTERS = 12, 5
SCROLLS = (b"j", b"\x04", b"j", b"k", b"G", b"k", b"\x15", b"g")
PANES = ((b"2", "work items", "item"), (b"3", "questions", "case"))
KEY_MS, FILTER_MS = 50.0, 500.0
ESCAPE = b"\x1b"


def measure(place: Path) -> list[Figure]:
    folder = crowd(place / "workspace", SOME)
    multiply(folder, COUNT)
    return measured(place, folder, COUNT, TURNS, FILTERS)


def measured(place: Path, folder: Path, count: int, turns: int, filters: int) -> list[Figure]:
    began = perf_counter()
    with watched(place, folder) as app:
        figures = [duration(f"start to first rows of {count:,} + {count:,}", [perf_counter() - began], "ms")]
        app.rest(2.0)
        for pane, what, word in PANES:
            app.press(pane, row_at_cursor)
            app.note_place()
            scrolled = [app.press(key) for _ in range(turns) for key in SCROLLS]
            figures.append(tail(f"{what}: scroll key to painted", scrolled, "ms", floor=KEY_MS))
            filtered = [_filtered(app, word, count * (n + 1) // (filters + 1)) for n in range(filters)]
            figures.append(duration(f"{what}: last letter of a filter to painted", filtered, "ms", floor=FILTER_MS))
        return [*figures, size("memory", [resident_mb(app.process)], "MB")]


def _filtered(app: Watched, word: str, number: int) -> float:
    """Seconds from the last letter of a filter, typed as one types, to its one row; then the filter is dropped."""
    text = f"{number:06d}".encode()
    app.press(b"/", lambda seen: b"words" in seen or b"drop" in seen)
    for n in range(len(text) - 1):
        app.press(text[n : n + 1], lambda seen: seen)
        app.rest(0.1)
    wanted = f"{word} ".encode() + text
    took = app.press(text[-1:], lambda seen: wanted in seen)
    # The cursor stays on its row; the others are around it again.
    app.press(ESCAPE, lambda seen: set(NAME.findall(seen)) - {wanted} and row_at_cursor(seen))
    app.note_place()
    return took
