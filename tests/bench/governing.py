"""Governance under load: a hundred thousand open questions, the same question over and over, a scope review."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from core.governance import clock
from core.governance.briefing import briefing
from core.governance.escalations import Option, Question, raise_question
from core.governance.scope.review import review
from core.store import reads_escalations, reads_team, rows
from core.store.store import Reader, Store
from core.workspace import Workspace, create
from tests.bench.measure import Figure, duration, settled

OPEN, AGAIN, SAMPLES = 100_000, 10_000, 20
A_WRITE = 1_000
PAGE = 50
FLOOR_MS = 50.0
NOBODY = rows.LiveRow(False, None, (), ())
URGENCIES = ("DAILY", "WEEKLY", "DAILY", "IMMEDIATE", "DAILY")


def measure(place: Path) -> list[Figure]:
    """The questions are of all urgencies and distinct; a page is the first fifty, as a list shows them."""
    with Workspace.open(create(place)) as workspace:
        store = workspace.store
        for first in range(0, OPEN, A_WRITE):
            _ask(store, range(first, first + A_WRITE))
        again = perf_counter()
        for _ in range(0, AGAIN, A_WRITE):
            _ask(store, [OPEN + 1] * A_WRITE)
        again = perf_counter() - again
        settled()
        now = store.clock()
        page = _times(store, lambda r: reads_escalations.page(r, limit=PAGE))
        header = _times(store, lambda r: reads_team.waiting(r, now))
        brief = _times(store, lambda r: briefing(r, now))
        swept = [_seconds(lambda: store.write_now(clock.sweep)) for _ in range(SAMPLES)]
        reviewed = _seconds(lambda: store.write_now(lambda tx: review(tx, by="bench")))
    return [
        duration(f"first page of {OPEN:,} open questions", page, "ms", floor=FLOOR_MS),
        duration(f"header counts over {OPEN:,} open questions", header, "ms"),
        duration(f"briefing over {OPEN:,} open questions", brief, "ms"),
        duration(f"sweep of {OPEN:,} deadlines, none due", swept, "ms"),
        duration(f"the same question {AGAIN:,} times, each", [again / AGAIN], "ms"),
        duration("scope review", [reviewed], "ms"),
    ]


def _ask(store: Store, numbers: range | list[int]) -> None:
    store.write_now(lambda tx: [raise_question(tx, question(n)) for n in numbers])


def question(number: int) -> Question:
    """One of many questions, no two alike."""
    return Question(
        kind="decision",
        subject={"number": number},
        question=f"Which one for case {number:06d}?",
        urgency=URGENCIES[number % len(URGENCIES)],
        options=(Option("one", "The one", "It is built."), Option("other", "The other", "It is not.")),
        recommended="one",
        chain=("master-orchestrator", "technical"),
    )


def _times(store: Store, read: Callable[[Reader], object]) -> list[float]:
    return [_seconds(lambda: store.read_now(read)) for _ in range(SAMPLES)]


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
