"""The app in a workspace with ten thousand work items and ten thousand open questions: at rest, in use, under load."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter

from core.store.store import Store
from core.workspace import Workspace
from tests.bench.crowd import crowd, pause_all, rename, resume_all
from tests.bench.measure import Figure, duration, rate, size, tail
from tests.bench.watching import Watched, product, resident_mb, row_at_cursor, watched

COUNT = 10_000
RATE = 1_000.0
"""Events a second."""
KEY_P50_MS, KEY_P99_MS, ROW_P99_MS, GAP_MS, OTHERS_P99_MS, IDLE_PERCENT = 16.0, 50.0, 200.0, 50.0, 1_000.0, 1.0
WORK, QUESTIONS = b"2", b"3"
KEYS = (b"j", b"j", b"k", b"\x04", b"j", b"\x15", b"G", b"k", b"g", WORK, b"\t")
"""Down, up, half a page, the ends, and to the work pane and back with tab; each puts another row under the cursor."""
PAUSE_SECONDS = 0.03, 0.12
"""Between what a key showed and the next key: a person in a hurry."""
LONGER_SECONDS = 2.0
"""The load goes on until the last of the keys has been pressed."""
MARK_SECONDS = 0.15
MARKED = 5
"""Rows of the work pane whose titles change by turns, while the cursor is among the questions."""
VISIBLE = 6
"""Rows in sight, below the marked ones, that are driven as well."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How long each part is watched, in seconds; `settle` is the longest that the app may take to come to rest."""

    settle: float = 30.0
    idle: float = 10.0
    calm: float = 10.0
    load: float = 30.0
    others: float = 3.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What was noticed while keys were pressed, in seconds: key to painted, commit to painted, the loop's lateness."""

    keys: list[float]
    rows: list[float]
    late: list[float]


def measure(place: Path) -> list[Figure]:
    return measured(place, crowd(place / "workspace", COUNT), COUNT, Spans())


def measured(place: Path, folder: Path, count: int, spans: Spans) -> list[Figure]:
    idle = _idle(place, folder, spans)
    with watched(place, folder) as app:
        app.rest_until_done(spans.settle)
        before = resident_mb(app.process)
        others = _commits_of_others(app, folder, count, spans.others)
        app.press(QUESTIONS, row_at_cursor)
        app.note_place()
        calm = _use(app, count, spans.calm)
        app.order("load", work_items=_driven(count), rate=RATE, seconds=spans.load + LONGER_SECONDS)
        busy = _use(app, count, spans.load)
        written = app.answer("events")
        app.rest(1.0)
        after, peak = resident_mb(app.process), app.peak_mb()
    return [
        Figure("idle, engine and all: share of a core", "%", idle, idle, 1, IDLE_PERCENT),
        *_usage("calm", calm),
        tail("another process's commit to painted", others, "ms", floor=OTHERS_P99_MS),
        rate(f"events written, of {RATE:,.0f} a second", [written["events"] / written["seconds"]], "events/s"),
        *_usage("under load", busy),
        size("memory before", [before], "MB"),
        size("memory after", [after], "MB"),
        size("memory at its peak", [peak], "MB"),
    ]


def _idle(place: Path, folder: Path, spans: Spans) -> float:
    """Per cent of one core that apm takes when there is nothing to drive and nobody presses anything."""
    with Workspace.open(folder, team="untouched") as workspace:
        workspace.store.write_now(pause_all)
    with product(place, folder) as app:
        # It brings notices of ten thousand questions on their way first.
        app.rest_until_done(spans.settle)
        before, began = app.cpu_seconds(), perf_counter()
        app.rest(spans.idle)
        share = (app.cpu_seconds() - before) / (perf_counter() - began)
    with Workspace.open(folder, team="untouched") as workspace:
        workspace.store.write_now(resume_all)
    return 100 * share


def _usage(when: str, usage: Usage) -> list[Figure]:
    return [
        duration(f"{when}: key to painted", usage.keys, "ms", floor=KEY_P50_MS),
        tail(f"{when}: key to painted", usage.keys, "ms", floor=KEY_P99_MS),
        duration(f"{when}: commit of a row to painted", usage.rows, "ms"),
        tail(f"{when}: commit of a row to painted", usage.rows, "ms", floor=ROW_P99_MS),
        _gaps(when, usage.late),
    ]


def _gaps(when: str, late: list[float]) -> Figure:
    """The floor is for the longest: none may be above it."""
    worst = max(late) * 1_000
    return Figure(f"{when}: longest gap of the event loop", "ms", worst, worst, len(late), GAP_MS)


def _use(app: Watched, count: int, seconds: float) -> Usage:
    """Press keys for so long, while rows in sight change."""
    app.order("lateness")
    app.answer("late")
    app.order("mark", work_items=[count - n for n in range(1, MARKED + 1)], every=MARK_SECONDS, seconds=seconds)
    keys = list(_pressed(app, seconds))
    committed = app.answer("committed")["committed"]
    app.rest(1.0)
    app.order("lateness")
    late = app.answer("late")["late"]
    # A title that was replaced before it was painted was waited for until then.
    missed = MARK_SECONDS * MARKED
    rows = [app.painted.get(mark, at + missed) - at for mark, at in committed.items()]
    return Usage(keys, rows, late)


def _pressed(app: Watched, seconds: float) -> Iterator[float]:
    """Whole turns of the keys, until time is up."""
    chance, end = random.Random(len(KEYS)), perf_counter() + seconds
    while perf_counter() < end:
        for key in KEYS:
            yield app.press(key)
            app.rest(chance.uniform(*PAUSE_SECONDS))


def _driven(count: int) -> list[int]:
    """Work items for the load: one in sight for every fifteen that are not."""
    visible = cycle(range(count - MARKED - VISIBLE, count - MARKED))
    hidden = range(1, count - 50)
    return [n for first in hidden[::15] for n in (*hidden[first : first + 15], next(visible))]


def _commits_of_others(app: Watched, folder: Path, count: int, seconds: float) -> list[float]:
    """From the commit of a row in sight by this process to the bytes that show it in the app's."""
    chance, found = random.Random(MARKED), list[float]()
    with Store.open(folder / "state") as store:
        end = perf_counter() + seconds
        while perf_counter() < end:
            mark = f"{900_000 + len(found):06d}"
            store.write_now(lambda tx, mark=mark: rename(tx, count - 1, f"mark-{mark}"))  # type: ignore[misc]
            committed = perf_counter()
            app.pump(lambda mark=mark: mark in app.painted, what="another process's row")  # type: ignore[misc]
            found.append(app.painted[mark] - committed)
            app.rest(chance.uniform(*PAUSE_SECONDS))
    return found
